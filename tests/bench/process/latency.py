#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long an event takes from the simulator's making it to its handler's taking it, at several rates:
through the daemon, and through the direct path, bench_floor, which is the same two sockets with as little
between them as there can be. In turn; the difference is what the daemon adds. The simulator (Discord and
handler) has one core, what is measured the other one; the simulator's own time is in both paths and not in
the difference. Times are counted in steps of 16 us, in buckets within 6 %.
"""

import argparse
import sys

import floor
import rig
from rig import KEEPS_UP, faults, median

POINTS = (("p50", "p50_ms"), ("p90", "p90_ms"), ("p99", "p99_ms"), ("p99.9", "p999_ms"))


def run(o, who, directory):
    sim = floor.simulator(o, directory, tick=1)
    program = floor.floor(o, sim, "plain") if who == "direct" else rig.daemon(
        o, sim, directory, memory_only=o.memory_only, connections=o.connections)
    out = {}
    try:
        program.wait_ready(sim)
        for rate in o.rates:
            out[rate] = rig.measure(o, sim, program, rate)
    finally:
        program.stop()
        sim.stop()
    return out


def show(rate, rows):
    print(f"{rate} events/s asked for")
    points = {}
    for who, measured in rows.items():
        points[who] = [1000 * median([{"at": r["latency"][key]} for r in measured], "at") for _, key in POINTS]
        late = " ".join(f"{value:9.0f}" for value in points[who])
        print(f"  {who:10} {median(measured, 'events_s'):9.0f} {late} {median(measured, 'cpu'):6.2f} "
              f"{median(measured, 'sim_cpu'):9.2f}")
    if min(median(measured, "events_s") for measured in rows.values()) < KEEPS_UP * rate:
        print("  that rate was not reached: what waits grows, and nothing can be said of what is added")
        return
    added = " ".join(f"{b - a:9.0f}" for a, b in zip(points["direct"], points["shardgate"]))
    print(f"  {'added':10} {'':9} {added}")


def options():
    parser = argparse.ArgumentParser(prog="script/bench --latency", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    rig.add_options(parser)
    parser.add_argument("--rates", type=int, nargs="+", default=[1000, 10000, 50000], metavar="N",
                        help="events a second (default 1000 10000 50000)")
    parser.add_argument("--connections", type=int, default=64, help="to the handler")
    parser.add_argument("--zstd-level", type=int, default=-5, help="of the simulator (default -5: quick)")
    parser.add_argument("--memory-only", action="store_true", help="the daemon without a state directory")
    return parser.parse_args()


def main():
    o = options()
    measured = {rate: {"direct": [], "shardgate": []} for rate in o.rates}
    for turn in range(o.rounds):
        for who in ("direct", "shardgate") if turn % 2 == 0 else ("shardgate", "direct"):
            print(f"round {turn + 1} of {o.rounds}: {who}", file=sys.stderr)
            for rate, row in rig.with_directory(run, o, who).items():
                measured[rate][who].append(row)
    print(f"{o.shards} shards, zstd-stream, realistic mix, {o.connections} connections; medians of {o.rounds} "
          f"rounds of {o.seconds:g} s, microseconds")
    print(f"  {'':10} {'events/s':>9} {' '.join(f'{name:>9}' for name, _ in POINTS)} {'core':>6} {'simulator':>9}")
    for rate, rows in measured.items():
        show(rate, rows)
    rig.write_json(o.json, {"measured": measured, "options": vars(o)})
    broken = [w for rows in measured.values() for r in rows["shardgate"] if (w := faults(r))]
    print("shardgate: nothing lost, nothing twice, order kept" if not broken else f"NOT as promised: {broken}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
