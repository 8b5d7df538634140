#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Instructions that each stage of an event's way takes, counted by valgrind's callgrind and so the same in
every run, however busy the machine is: the guard against getting slower that needs no quiet machine.

With --check, a stage that takes more than the tolerance above the file's number fails (exit code 1). The
numbers depend on the compiler, on libraries and on what the processor offers them: a stage is compared where
what it uses is the same as in the file, and named as skipped where it is not. Exit code 77 where none is
comparable, and where valgrind is missing.
"""

import argparse
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys

SKIPPED = 77
SHORT, LONG = 1024, 3072  # events; whole rounds of the stream, so that both have the same mix
# What every stage's number depends on, and one more of it that some do. valgrind's own version does not
# matter: the processor that it shows to the program is in "cpu".
ALWAYS = ("compiler", "libc", "cpu")
ALSO = {"inflate zstd": ("zstd",), "inflate zlib": ("zlib",), "scan": ("simdjson",), "filter": (), "copy": (),
        "deliver": (), "render": (), "render signed": ("openssl",), "read answer": ()}


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
    """What the numbers depend on, seen under valgrind, whose processor is not the machine's (no AVX-512)."""
    asked = subprocess.run(["valgrind", "--quiet", "--tool=none", program, "--about"], capture_output=True,
                           text=True, check=True)
    valgrind = subprocess.run(["valgrind", "--version"], capture_output=True, text=True, check=True)
    return json.loads(asked.stdout) | {"valgrind": valgrind.stdout.strip()}


def others(stage, where, base):
    """What is not as it was for the file's number of that stage, in words."""
    needs = ALWAYS + ALSO.get(stage, tuple(base))
    return [f"{key} is \"{where.get(key)}\", not \"{base.get(key)}\"" for key in needs
            if key != "valgrind" and where.get(key) != base.get(key)]


def measured(program, stages):
    """Each at its two lengths, as many at once as there are cores: counts do not mind company."""
    jobs = [(stage, events) for stage in stages for events in (SHORT, LONG)]
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        counted = dict(zip(jobs, pool.map(lambda job: count(program, *job), jobs)))
    return {stage: round((counted[stage, LONG] - counted[stage, SHORT]) / (LONG - SHORT)) for stage in stages}


def compare(numbers, base, tolerance):
    """Prints the table; the stages that got slower, and those that got cheaper."""
    slower, cheaper = [], []
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
        elif change < -tolerance:
            cheaper.append(stage)
    return slower, cheaper


def comparable(path, where, stages):
    """The stages whose numbers in the file hold here, and the file's numbers."""
    with open(path, encoding="utf-8") as file:
        base = json.load(file)
    found, left_out = [], {}
    for stage in stages:
        other = others(stage, where, base["about"])
        if other:
            left_out.setdefault("; ".join(other), []).append(stage)
        else:
            found.append(stage)
    if not found:
        skip(f"the numbers in {path} are another machine's: {'; '.join(left_out)}")
    for why, names in left_out.items():
        print(f"skipped: {', '.join(names)}: {why}")
    return found, base["instructions"]


def options():
    parser = argparse.ArgumentParser(prog="script/bench --instructions", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default="build/release", help="build directory")
    parser.add_argument("--check", metavar="FILE", help="numbers to hold these against")
    parser.add_argument("--write", metavar="FILE", help="write the numbers, for a later --check")
    parser.add_argument("--tolerance", type=float, default=2, help="per cent (default 2)")
    parser.add_argument("--stage", action="append", help="only this one (repeat for several)")
    o = parser.parse_args()
    if o.write and (o.check or o.stage):
        parser.error("--write writes the whole file: without --check and --stage")
    return o


def main():
    o = options()
    if not shutil.which("valgrind"):
        skip("no valgrind")
    program = os.path.join(o.bin, "tests/bench/bench_instructions")
    stages = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.splitlines()
    unknown = set(o.stage or []) - set(stages)
    if unknown:
        sys.exit(f"no such stage: {', '.join(sorted(unknown))}; there are: {', '.join(stages)}")
    where, chosen, base = about(program), o.stage or stages, {}
    if o.check:
        chosen, base = comparable(o.check, where, chosen)
    numbers = measured(program, chosen)
    slower, cheaper = compare(numbers, base, o.tolerance)
    if o.write:
        with open(o.write, "w", encoding="utf-8") as file:
            json.dump({"about": where, "instructions": numbers}, file, indent=1)
            file.write("\n")
    if cheaper:
        print(f"more than {o.tolerance:g} % below {o.check}, and not guarded until it is written anew: "
              f"{', '.join(cheaper)}")
    if slower:
        print(f"more than {o.tolerance:g} % above {o.check}: {', '.join(slower)}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
