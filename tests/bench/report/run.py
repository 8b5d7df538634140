#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the whole-process benchmarks one after the other into one JSON report, with what the numbers depend on.
An existing report is updated section by section: what is not measured now stays as it was. Each section is
written when it is there, so a run that is ended early keeps what it has. docs/benchmarks.md is rendered from
the report in the repository (the default file) at the end.
"""

import argparse
import datetime
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path[:0] = [HERE]
sys.dont_write_bytecode = True

import machine  # noqa: E402
import render  # noqa: E402
import tables  # noqa: E402

SKIPPED = 77
PROGRAMS = {"counts": "counts/run.py", "peers": "peers/run.py", "drain": "process/backlog.py"}
# What --rounds, --seconds and --mode mean something to.
TAKES = {"floor": ("--rounds", "--seconds", "--mode"), "counts": ("--rounds", "--seconds", "--mode"),
         "drain": ("--rounds", "--mode"), "scale": ("--seconds",), "reshard": ()}
MEASUREMENT = {"events_s", "idle_mib", "allocations"}  # what has one of them is one
OF_THIS_RUN = ("bin", "json", "verbose")  # options that say nothing about the numbers


def rounded(value):
    """Six digits are more than any of these measurements has."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    return [rounded(one) for one in value] if isinstance(value, list) else value


def text(value, indent=0):
    """JSON with one measurement a line, so that a change of a report can be read."""
    flat = json.dumps(value, ensure_ascii=False)
    nested = isinstance(value, (dict, list)) and any(isinstance(one, (dict, list)) for one in (
        value.values() if isinstance(value, dict) else value))
    if not nested or len(flat) + indent <= 100 or (isinstance(value, dict) and not MEASUREMENT.isdisjoint(value)):
        return flat
    pad, close = " " * (indent + 1), " " * indent
    if isinstance(value, list):
        return "[\n" + ",\n".join(pad + text(one, indent + 1) for one in value) + f"\n{close}]"
    return "{\n" + ",\n".join(f"{pad}{json.dumps(key)}: {text(one, indent + 1)}"
                              for key, one in value.items()) + f"\n{close}}}"


def write(path, report):
    """In one go, or an end at the wrong moment would cost the sections of an hour."""
    sections = report["sections"]
    report["sections"] = {name: sections[name] for name in tables.SECTIONS if name in sections} | {
        name: one for name, one in sections.items() if name not in tables.SECTIONS}
    beside = f"{path}.new"
    with open(beside, "w", encoding="utf-8") as file:
        file.write(text(report) + "\n")
    os.replace(beside, path)


def asked(o, name):
    takes, out = TAKES.get(name, ("--rounds", "--seconds")), []
    for flag, value in (("--rounds", o.rounds), ("--seconds", o.seconds)):
        if value is not None and flag in takes:
            out += [flag, f"{value:g}"]
    if o.mode and "--mode" in takes:
        out += [word for mode in o.mode for word in ("--mode", mode)]
    return out


def measure(o, name, directory):
    """(exit code, section or None, what it said last)"""
    numbers = os.path.join(directory, f"{name}.json")
    program = os.path.join(os.path.dirname(HERE), PROGRAMS.get(name, f"process/{name}.py"))
    began = time.monotonic()
    # Its table is seen while it comes, and its last line is the verdict.
    run = subprocess.Popen([sys.executable, program, "--bin", o.bin, "--json", numbers, *asked(o, name)],
                           cwd=ROOT, stdout=subprocess.PIPE, text=True)
    last = ""
    for line in run.stdout:
        print(line, end="", flush=True)
        last = line.strip() or last
    code = run.wait()
    if not os.path.exists(numbers):
        return code, None, last
    with open(numbers, encoding="utf-8") as file:
        section = json.load(file)
    about = {"command": " ".join(["script/bench", f"--{name}", *asked(o, name)]),
             "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
             "took_s": time.monotonic() - began, "machine": machine.facts(), "build": machine.build(o.bin)}
    if name == "peers":
        about["node"] = machine.node()
    if code:
        about["faults"] = last
    section["options"] = {key: value for key, value in section["options"].items() if key not in OF_THIS_RUN}
    return code, rounded(about | section), last


def options():
    parser = argparse.ArgumentParser(prog="script/bench --report", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", nargs="?", default=render.REPORT,
                        help="file (default tests/bench/report/report.json)")
    parser.add_argument("--bin", default="build/release", help="build directory")
    parser.add_argument("--only", nargs="+", choices=list(tables.SECTIONS), metavar="NAME",
                        help=f"of {', '.join(tables.SECTIONS)} (default all)")
    parser.add_argument("--rounds", type=int, help="of each (default: each one's own)")
    parser.add_argument("--seconds", type=float, help="measured time of one (default: each one's own)")
    parser.add_argument("--mode", action="append", help="of the handler, where there are several (repeat)")
    return parser.parse_args()


def main():
    o = options()
    o.bin = os.path.abspath(o.bin)
    report = {"sections": {}}
    if os.path.exists(o.report):
        try:
            report = render.load(o.report)
        except (render.Wrong, json.JSONDecodeError) as problem:
            sys.exit(f"{o.report}: {problem}")
    ended = {}
    for name in [n for n in tables.SECTIONS if not o.only or n in o.only]:
        print(f"==> {name}", file=sys.stderr)
        directory = tempfile.mkdtemp(prefix="shardgate-report-")
        try:
            code, section, last = measure(o, name, directory)
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        if section is not None:
            report["sections"][name] = section
            write(o.report, report)
        ended[name] = "measured" if code == 0 and section else last if code == SKIPPED else f"failed: {last}"
    if os.path.abspath(o.report) == render.REPORT:
        render.render_file(render.REPORT)
    for name, how in ended.items():
        print(f"{name}: {how}")
    return 1 if any(how.startswith("failed") for how in ended.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
