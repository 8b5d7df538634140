#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two builds of the daemon in turn, beside the same simulator (the second build's): events a second and CPU
per event, at a low rate and at saturation, in the modes of the handler; and the ratio of the second build
to the first. What is less than the spread of the rounds is no difference.
"""

import argparse
import os
import sys

import floor
import rig
from rig import faults, median


def run(o, build, mode, directory):
    sim = floor.simulator(o, directory)
    of_build = argparse.Namespace(**(vars(o) | {"bin": build}))
    program = rig.daemon(of_build, sim, directory, handler=floor.MODES[mode][2], memory_only=o.memory_only,
                         connections=o.connections)
    try:
        program.wait_ready(sim)
        low = rig.measure(o, sim, program, o.rate)  # first: after saturation edits still come
        return {"saturated": rig.measure(o, sim, program), "low": low}
    finally:
        program.stop()
        sim.stop()


def spread(rows, key):
    """Of the rounds around their median, as a share of it."""
    values = [r[key] for r in rows]
    return (max(values) - min(values)) / median(rows, key)


def show(mode, when, before, after):
    before, after = [r[when] for r in before], [r[when] for r in after]
    print(f"{mode:14} {when:10}", end="")
    for key, form in (("events_s", "9.0f"), ("cpu_us", "9.2f")):
        a, b = median(before, key), median(after, key)
        wide = max(spread(before, key), spread(after, key))
        print(f" {a:{form}} {b:{form}} {b / a:6.3f} {100 * wide:5.0f}%", end="")
    print()


def options():
    parser = argparse.ArgumentParser(prog="script/bench --compare", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    rig.add_options(parser, guilds=rig.MANY_GUILDS)
    parser.add_argument("--before", required=True, metavar="DIR", help="build directory of the first build")
    parser.add_argument("--connections", type=int, default=64, help="to the handler")
    parser.add_argument("--mode", action="append", choices=list(floor.MODES),
                        help="only this one (repeat for several)")
    parser.add_argument("--zstd-level", type=int, default=-5, help="of the simulator (default -5: quick)")
    parser.add_argument("--memory-only", action="store_true", help="without a state directory")
    return parser.parse_args()


def main():
    o = options()
    if not os.path.exists(os.path.join(o.before, "src/shardgate")):
        sys.exit(f"{o.before} is no build directory: it has no src/shardgate")
    builds = {"before": o.before, "after": o.bin}
    modes = o.mode or list(floor.MODES)
    measured = {mode: {name: [] for name in builds} for mode in modes}
    for turn in range(o.rounds):
        for mode in modes:
            for name in builds if turn % 2 == 0 else reversed(builds):
                print(f"round {turn + 1} of {o.rounds}: {mode}, {name}", file=sys.stderr)
                measured[mode][name].append(rig.with_directory(run, o, builds[name], mode))
    print(f"before: {o.before}, after: {o.bin}; medians of {o.rounds} rounds of {o.seconds:g} s")
    print(f"{'':25} {'events/s':>33} {'CPU us an event':>33}")
    print(f"{'mode':14} {'':10}" + f" {'before':>9} {'after':>9} {'ratio':>6} {'spread':>6}" * 2)
    for mode in modes:
        for when in ("saturated", "low"):
            show(mode, when, measured[mode]["before"], measured[mode]["after"])
    rig.write_json(o.json, {"measured": measured, "options": vars(o)})
    broken = [f"{mode}, {name}, {when}: {what}" for mode in modes for name in builds
              for r in measured[mode][name] for when, m in r.items() if (what := faults(m))]
    print("nothing lost, nothing twice, order kept" if not broken else f"NOT as promised: {broken}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
