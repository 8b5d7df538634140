#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CPU per event of the daemon beside the floor: bench_floor reads the same simulator's stream and posts to
the same handler, doing only what nobody can avoid (TLS, zstd, one JSON pass, writing the request, reading
the answer). Both have one core, the simulator the other one, in turn, in four modes: plain (one request in
flight on a connection), pipelined 16 and 64, arrays of 64 events; at saturation and at a low rate.
"""

import argparse
import os
import subprocess
import sys

import rig
from rig import faults, median

# name: (bench_floor's mode and depth, lines of the daemon's [handler])
MODES = {"plain": ("plain", 1, ""),
         "pipelined-16": ("pipelined", 16, "pipelining = 16"),
         "pipelined-64": ("pipelined", 64, "pipelining = 64"),
         "batched-64": ("batched", 64, "batch_events = 64")}


def floor(o, sim, mode, intents=rig.INTENTS, compression="zstd-stream"):
    how, depth, _ = MODES[mode]
    process = subprocess.Popen(rig.pinned(o.core, [
        os.path.join(o.bin, "tests/bench/bench_floor"), sim.at["gateway"], sim.ca, rig.TOKEN, str(o.shards),
        str(intents), sim.handler, how, str(depth), str(o.connections), compression]))
    # READY of each shard, and every guild: it posts those as well.
    return rig.Program(f"floor, {mode}", process, lambda truth: truth["unnumbered"] >= o.shards and
                       truth["received_unique"] >= truth["sent"] >= o.guilds)


def simulator(o, directory, **more):
    # The floor sends no heartbeats: nobody is asked for one within a run.
    return rig.Simulator(o, directory, unfurls=0, zstd_level=o.zstd_level, heartbeat_interval=3600000,
                         replay_depth=rig.REPLAY_DEPTH, **more)


def run(o, mode, is_floor, directory):
    sim = simulator(o, directory)
    program = floor(o, sim, mode, compression=o.compression) if is_floor else rig.daemon(
        o, sim, directory, handler=MODES[mode][2], memory_only=o.memory_only, connections=o.connections,
        compression=o.compression)
    try:
        program.wait_ready(sim)
        # The low rate first: after saturation the edits of its messages still come.
        low = rig.measure(o, sim, program, o.rate)
        return {"saturated": rig.measure(o, sim, program), "low": low}
    finally:
        program.stop()
        sim.stop()


def show(mode, when, floors, daemons):
    floors, daemons = [r[when] for r in floors], [r[when] for r in daemons]
    costs = [1000 * median(rows, "cpu_us") for rows in (floors, daemons)]
    columns = "".join(f" {median(rows, 'events_s'):9.0f} {cost:7.0f} {median(rows, 'cpu'):5.2f}"
                      for rows, cost in zip((floors, daemons), costs))
    print(f"{mode:14} {when:10}{columns} {costs[1] / costs[0]:7.2f} {median(daemons, 'sim_cpu'):9.2f}")


def options():
    parser = argparse.ArgumentParser(prog="script/bench --floor", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    rig.add_options(parser, guilds=rig.MANY_GUILDS)
    parser.add_argument("--connections", type=int, default=64, help="to the handler")
    parser.add_argument("--mode", action="append", choices=list(MODES), help="only this one (repeat for several)")
    parser.add_argument("--compression", choices=["zstd-stream", "zlib-stream"], default="zstd-stream")
    parser.add_argument("--zstd-level", type=int, default=-5, help="of the simulator (default -5: quick)")
    parser.add_argument("--memory-only", action="store_true", help="the daemon without a state directory")
    return parser.parse_args()


def main():
    o = options()
    modes = o.mode or list(MODES)
    measured = {mode: {"floor": [], "shardgate": []} for mode in modes}
    for turn in range(o.rounds):
        for mode in modes:
            for who in ("floor", "shardgate") if turn % 2 == 0 else ("shardgate", "floor"):
                print(f"round {turn + 1} of {o.rounds}: {mode}, {who}", file=sys.stderr)
                measured[mode][who].append(rig.with_directory(run, o, mode, who == "floor"))
    print(f"{o.shards} shards, {o.compression}, realistic mix, {o.connections} connections, {o.ahead} events on their "
          f"way at saturation, {o.rate}/s at the low rate; medians of {o.rounds} rounds of {o.seconds:g} s")
    print(f"{'':25}{'floor':>24}{'shardgate':>24}")
    print(f"{'mode':14} {'':10} {'events/s':>9} {'ns':>7} {'core':>5} {'events/s':>9} {'ns':>7} {'core':>5} "
          f"{'ratio':>7} {'simulator':>9}")
    for mode in modes:
        for when in ("saturated", "low"):
            show(mode, when, measured[mode]["floor"], measured[mode]["shardgate"])
    rig.write_json(o.json, {"measured": measured, "options": vars(o)})
    # The floor keeps no order between connections and is not asked to.
    broken = [f"{mode}, {when}: {what}" for mode in modes for r in measured[mode]["shardgate"]
              for when, m in r.items() if (what := faults(m))]
    broken += [f"floor, {mode}, {when}: {what}" for mode in modes for r in measured[mode]["floor"]
               for when, m in r.items() if (what := faults(m, ("missing", "duplicates")))]
    print("shardgate: nothing lost, nothing twice, order kept" if not broken else f"NOT as promised: {broken}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
