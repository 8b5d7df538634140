#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Resident memory of the daemon with many shards: idle when all are ready, under load, and a while after
the load. A shard's share is the growth from the smallest number of shards to each larger one. With zstd a
shard may have what the library needs for the stream's window beside its own memory; the table names it.
"""

import argparse
import ctypes
import sys
import time

import rig
from rig import faults, median, rss_mib

WINDOW_LOG = 18  # the simulator's


def zstd_kib():
    """What libzstd says a stream with that window takes; None where it does not say."""
    try:
        estimate = ctypes.CDLL("libzstd.so.1").ZSTD_estimateDStreamSize
    except (OSError, AttributeError):
        return None
    estimate.restype, estimate.argtypes = ctypes.c_size_t, [ctypes.c_size_t]
    return estimate(1 << WINDOW_LOG) / 1024


def run(o, compression, shards, directory):
    o.shards, o.guilds = shards, shards * o.guilds_per_shard
    sim = rig.Simulator(o, directory, unfurls=0, zstd_level=-5, zlib_level=1, zstd_window_log=WINDOW_LOG,
                        replay_depth=700, starts_total=1000 + shards)
    began = time.monotonic()
    program = rig.daemon(o, sim, directory, compression=compression)
    try:
        program.wait_ready(sim)
        row = {"ready_s": time.monotonic() - began}
        time.sleep(o.rest)
        row["idle_mib"] = rss_mib(program.pid)
        load = rig.measure(o, sim, program, o.rate)
        row["load_mib"] = load["rss_mib"]
        time.sleep(o.rest)
        row["after_mib"] = rss_mib(program.pid)
        row["faults"] = faults(load)
    finally:
        program.stop()
        sim.stop()
    return row


def show(compression, measured, counts):
    base = counts[0]
    for shards in counts:
        rows = measured[shards]
        share = ""
        if shards != base:
            grown = median(rows, "idle_mib") - median(measured[base], "idle_mib")
            share = f"{1024 * grown / (shards - base):.0f}"
        print(f"{compression:12} {shards:7} {median(rows, 'ready_s'):8.1f} {median(rows, 'idle_mib'):9.1f} "
              f"{share:>10} {median(rows, 'load_mib'):9.1f} {median(rows, 'after_mib'):9.1f}")


def options():
    parser = argparse.ArgumentParser(prog="script/bench --memory", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    rig.add_options(parser, rounds=1)
    parser.add_argument("--counts", type=int, nargs="+", default=[16, 208, 1024], metavar="N", help="shards")
    parser.add_argument("--guilds-per-shard", type=int, default=2,
                        help="few, as a guild's own memory is not a shard's (default 2)")
    parser.add_argument("--rest", type=float, default=5, help="seconds before idle memory is read (default 5)")
    parser.add_argument("--compression", action="append", choices=["zstd-stream", "zlib-stream", "none"],
                        help="default zstd-stream and zlib-stream")
    return parser.parse_args()


def main():
    o = options()
    o.counts = sorted(set(o.counts))
    kinds = o.compression or ["zstd-stream", "zlib-stream"]
    measured = {kind: {n: [] for n in o.counts} for kind in kinds}
    for turn in range(o.rounds):
        for kind in kinds:
            for shards in o.counts:
                print(f"round {turn + 1} of {o.rounds}: {kind}, {shards} shards", file=sys.stderr)
                measured[kind][shards].append(rig.with_directory(run, o, kind, shards))
    print(f"MiB; medians of {o.rounds} rounds; load: {o.rate} events/s for {o.seconds:g} s")
    print(f"{'':12} {'shards':>7} {'ready s':>8} {'idle':>9} {'KiB/shard':>10} {'load':>9} {'after':>9}")
    for kind in kinds:
        show(kind, measured[kind], o.counts)
    library = zstd_kib()
    if library and "zstd-stream" in kinds:
        print(f"libzstd: {library:.0f} KiB for a stream with a window of 2^{WINDOW_LOG}")
    rig.write_json(o.json, {"measured": measured, "zstd_kib": library, "options": vars(o)})
    broken = [r["faults"] for counts in measured.values() for rows in counts.values() for r in rows if r["faults"]]
    print("nothing lost, nothing twice, order kept" if not broken else f"NOT as promised: {broken}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
