#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Instructions that each stage of an event's way takes, counted by valgrind's callgrind and so the same in
every run, however busy the machine is: the guard against getting slower that needs no quiet machine.

With --check, a stage that takes more than the tolerance above the file's number fails (exit code 1). The
numbers depend on compiler, libraries and what the processor offers simdjson: where those are others than
the file's, nothing is compared and the exit code is 77. Exit code 77 too where valgrind is missing.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys

SKIPPED = 77
SHORT, LONG = 1024, 3072  # events; whole rounds of the stream, so that both have the same mix


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def count(program, stage, events):
    """Instructions of a whole run."""
    run = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, stage,
                          str(events)], capture_output=True, text=True, check=False)
    found = re.search(r"Collected : (\d+)", run.stderr)
    if run.returncode != 0 or not found:
        sys.exit(f"{stage}: {run.stderr[-2000:]}")
    return int(found.group(1))


def about(program):
    """What the numbers depend on. simdjson chooses by processor, and valgrind's has no AVX-512."""
    asked = subprocess.run(["valgrind", "--quiet", "--tool=none", program, "--about"], capture_output=True,
                           text=True, check=True)
    valgrind = subprocess.run(["valgrind", "--version"], capture_output=True, text=True, check=True)
    return json.loads(asked.stdout) | {"valgrind": valgrind.stdout.strip()}


def measured(program, stages):
    out = {}
    for stage in stages:
        out[stage] = round((count(program, stage, LONG) - count(program, stage, SHORT)) / (LONG - SHORT))
        print(f"{stage}: {out[stage]}", file=sys.stderr)
    return out


def compare(numbers, base, tolerance):
    """Prints the table; the stages that got slower."""
    slower = []
    print(f"{'stage':16} {'instructions':>13} {'before':>10} {'change':>8}")
    for stage, value in numbers.items():
        before = base.get(stage)
        if before is None:
            print(f"{stage:16} {value:13} {'-':>10} {'-':>8}")
            continue
        change = 100 * (value - before) / before
        print(f"{stage:16} {value:13} {before:10} {change:+7.1f}%")
        if change > tolerance:
            slower.append(stage)
    return slower


def options():
    parser = argparse.ArgumentParser(prog="script/bench --instructions", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default="build/release", help="build directory")
    parser.add_argument("--check", metavar="FILE", help="numbers to hold these against")
    parser.add_argument("--write", metavar="FILE", help="write the numbers, for a later --check")
    parser.add_argument("--tolerance", type=float, default=2, help="per cent (default 2)")
    parser.add_argument("--stage", action="append", help="only this one (repeat for several)")
    return parser.parse_args()


def main():
    o = options()
    if not shutil.which("valgrind"):
        skip("no valgrind")
    program = os.path.join(o.bin, "tests/bench/bench_instructions")
    stages = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.splitlines()
    unknown = set(o.stage or []) - set(stages)
    if unknown:
        sys.exit(f"no such stage: {', '.join(sorted(unknown))}; there are: {', '.join(stages)}")
    where = about(program)
    base = None
    if o.check:
        with open(o.check, encoding="utf-8") as file:
            base = json.load(file)
        other = [f"{k} {where.get(k)}, not {v}" for k, v in base["about"].items() if where.get(k) != v]
        if other:
            skip(f"the numbers in {o.check} are of another machine: {'; '.join(other)}")
    numbers = measured(program, o.stage or stages)
    slower = compare(numbers, base["instructions"] if base else {}, o.tolerance)
    if o.write:
        with open(o.write, "w", encoding="utf-8") as file:
            json.dump({"about": where, "instructions": numbers}, file, indent=1)
            file.write("\n")
    if slower:
        print(f"more than {o.tolerance:g} % above {o.check}: {', '.join(slower)}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
