#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whole-process throughput: one daemon on one core, one POST per event to a keep-alive handler.

The simulator (Discord and handler) runs on the other core and sends as fast as the daemon reads. Run in
turn with bench_drain, which only reads and inflates the same stream: the ratio of CPU per event is what
forwarding costs. Prints a table and, with --json, the numbers.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import rig
from rig import TOKEN, call, cpu_seconds, pinned, rss_mib  # noqa: F401 (for reshard.py too)

INTENTS = 33281 | 1 << 11  # GUILDS, GUILD_MESSAGES, MESSAGE_CONTENT, typing


def simulator(o, directory):
    return rig.Simulator(o, directory, zstd_level=o.zstd_level, unfurls=o.unfurls)


def run_drain(o, directory):
    sim = simulator(o, directory)
    drain = subprocess.Popen(
        pinned(o.core, [os.path.join(o.bin, "tests/bench/bench_drain"), sim.at["gateway"], sim.ca, TOKEN,
                        str(o.shards), o.compression, str(o.seconds)]), stdout=subprocess.PIPE, text=True)
    time.sleep(1)
    sim.control("/load", {"mix": "realistic", "saturate": True, "seconds": 1e6})
    answer = json.loads(drain.communicate(timeout=o.seconds + 60)[0])
    sim.stop()
    return {"events_s": answer["events"] / answer["seconds"],
            "cpu_us": answer["cpu_s"] * 1e6 / answer["events"],
            "bytes": answer["bytes"] / answer["events"]}


def run_daemon(o, directory):
    sim = simulator(o, directory)
    program = rig.daemon(o, sim, directory, memory_only=o.memory_only, compression=o.compression,
                         intents=INTENTS, connections=o.connections)
    program.wait_ready(sim)
    daemon = program.process
    sim.control("/load", {"mix": "realistic", "rate": o.rate, "seconds": 1e6, "saturate": o.rate == 0})
    time.sleep(2)
    before, cpu, sim_cpu, began = sim.control("/report")["truth"], cpu_seconds(daemon.pid), \
        cpu_seconds(sim.process.pid), time.monotonic()
    time.sleep(o.seconds)
    after, span = sim.control("/report")["truth"], time.monotonic() - began
    used, sim_used = cpu_seconds(daemon.pid) - cpu, cpu_seconds(sim.process.pid) - sim_cpu
    memory = rss_mib(daemon.pid)
    sim.control("/load", {"stop": True})
    end = time.monotonic() + 120
    while (report := sim.control("/report")["truth"])["missing"] and time.monotonic() < end:
        time.sleep(0.2)
    daemon.terminate()
    daemon.wait(20)
    sim.stop()
    sent, forwarded = after["sent"] - before["sent"], after["received"] - before["received"]
    filtered = after["unfurls_sent"] - before["unfurls_sent"]
    return {"events_s": (forwarded + filtered) / span, "posts_s": forwarded / span, "sent_s": sent / span,
            "cpu_us": used * 1e6 / (forwarded + filtered), "cpu": used / span, "sim_cpu": sim_used / span,
            "rss_mib": memory, "missing": report["missing"], "duplicates": report["duplicates"],
            "out_of_order": report["out_of_order"], "latency": report["latency"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default="build/release", help="build directory")
    parser.add_argument("--runs", type=int, default=3, help="of each, in turn; medians are shown (default 3)")
    parser.add_argument("--seconds", type=float, default=6, help="measured time of a run")
    parser.add_argument("--shards", type=int, default=16)
    parser.add_argument("--guilds", type=int, default=38000, help="at most 2,500 a shard (default 38000)")
    parser.add_argument("--connections", type=int, default=64, help="to the handler")
    parser.add_argument("--compression", default="zstd-stream", choices=["zstd-stream", "zlib-stream", "none"])
    parser.add_argument("--rate", type=int, default=68000,
                        help="of the load generator, which yields about two thirds of it as events; 0 = as fast as "
                             "the daemon reads, which then queues more than it can forward (default 68000)")
    parser.add_argument("--unfurls", type=float, default=0,
                        help="share of messages followed by a link unfurl, which is filtered (default 0: every event "
                             "is a POST)")
    parser.add_argument("--memory-only", action="store_true", help="without a state directory")
    parser.add_argument("--zstd-level", type=int, default=-5, help="of the simulator (default -5: quick)")
    parser.add_argument("--core", type=int, default=0, help="the daemon's core")
    parser.add_argument("--sim-core", type=int, default=1, help="the simulator's core")
    parser.add_argument("--json", help="file for the numbers")
    o = parser.parse_args()
    drains, daemons = [], []
    for _ in range(o.runs):
        with tempfile.TemporaryDirectory() as directory:
            drains.append(run_drain(o, directory))
        with tempfile.TemporaryDirectory() as directory:
            daemons.append(run_daemon(o, directory))

    def median(rows, key):
        return statistics.median(r[key] for r in rows)

    print(f"{o.shards} shards, {o.compression}, {o.connections} connections, realistic mix, "
          f"{median(drains, 'bytes'):.0f} bytes an event; medians of {o.runs} runs of {o.seconds:g} s")
    print(f"{'':18} {'events/s':>10} {'POSTs/s':>10} {'CPU us/event':>13} {'core used':>10} {'simulator':>10}")
    print(f"{'raw drain':18} {median(drains, 'events_s'):10.0f} {'-':>10} {median(drains, 'cpu_us'):13.2f}")
    print(f"{'shardgate':18} {median(daemons, 'events_s'):10.0f} {median(daemons, 'posts_s'):10.0f} "
          f"{median(daemons, 'cpu_us'):13.2f} {median(daemons, 'cpu'):10.2f} {median(daemons, 'sim_cpu'):10.2f}")
    print(f"CPU per event, shardgate / drain: {median(daemons, 'cpu_us') / median(drains, 'cpu_us'):.2f}")
    print(f"resident memory: {median(daemons, 'rss_mib'):.0f} MiB")
    bad = [r for r in daemons if r["missing"] or r["duplicates"] or r["out_of_order"]]
    print("nothing lost, nothing twice, order kept" if not bad else f"NOT what was promised: {bad}")
    if o.json:
        with open(o.json, "w") as f:
            json.dump({"drain": drains, "shardgate": daemons, "options": vars(o)}, f, indent=1)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
