#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A large bot on one core: 200,000 guilds on 208 shards. First the cold start: time, memory while it lasts and a
minute after it, heartbeats. Then its traffic, in two profiles: B (no presence, no typing: about 800 events a
second) and A (everything: about 11,000). The other core has the simulator, Discord and handler in one. IDENTIFYs
are paced as Discord wants them, 16 keys wide. About four minutes."""
import argparse
import json
import sys
import tempfile
import time

from reshard import Bench, Stretch, watch
from throughput import call

EVERYTHING = sum(1 << bit for bit in range(22) if bit not in (17, 18, 19))
# Events a second of 1,000 guilds without the edits that follow messages, by the simulator's mixes.
PROFILES = {"B": 3.7, "A": 55.7}
INTERVAL_MS = 41250


def options():
    p = argparse.ArgumentParser(prog="script/bench --scale", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bin", default="build/release", help="build directory")
    p.add_argument("--guilds", type=int, default=200000)
    p.add_argument("--shards", type=int, default=208)
    p.add_argument("--concurrency", type=int, default=16, help="max_concurrency")
    p.add_argument("--interval", type=int, default=5250, help="between IDENTIFYs of a key, ms")
    p.add_argument("--guild-bytes", type=int, default=15000, help="mean size of a GUILD_CREATE")
    p.add_argument("--seconds", type=float, default=30, help="of each profile")
    p.add_argument("--rest", type=float, default=60, help="seconds after the cold start until memory is looked at")
    p.add_argument("--json", help="file for the numbers")
    o = p.parse_args()
    o.shards, o.lag, o.intents = [o.shards], 0, EVERYTHING
    return o


def cold_start(b, o):
    began, most = time.monotonic(), 0.0
    while not b.ready():
        if time.monotonic() - began > 1200 or b.daemon.poll() is not None:
            sys.exit("not every shard became ready")
        most = max(most, b.use()[1])
        time.sleep(0.2)
    took, (cpu, at_end) = time.monotonic() - began, b.use()
    rest = Stretch(b)
    watch(rest, o.rest)
    gap = call(b.at["control"] + "/account")["longest_heartbeat_gap_ms"]
    return {"seconds": took, "cpu_s": cpu, "most_mib": most, "ready_mib": at_end, "rest_s": o.rest,
            "later_mib": b.use()[1], "heartbeat_late_ms": gap - INTERVAL_MS}


def traffic(b, o, profile):
    rate = PROFILES[profile] * o.guilds / 1000
    call(b.at["control"] + "/load", {"mix": profile, "rate": rate, "seconds": 1e6})
    time.sleep(5)
    now, before = Stretch(b), call(b.at["control"] + "/account")["received"]
    began = time.monotonic()
    watch(now, o.seconds)
    received, span = call(b.at["control"] + "/account")["received"] - before, time.monotonic() - began
    name, seconds, used, most, _, lag, handler, loop = now.row(profile)
    call(b.at["control"] + "/load", {"stop": True})
    b.settled()
    return {"profile": name, "events_s": received / span, "cores": used / seconds, "cpu_us": 1e6 * used / received,
            "most_mib": most, "lag_p99_s": lag, "handler_p99_s": handler, "loop_late_ms": loop}


def main():
    o = options()
    with tempfile.TemporaryDirectory() as directory:
        b = Bench(o, directory)
        start = cold_start(b, o)
        profiles = [traffic(b, o, name) for name in PROFILES]
        account = b.settled()
        for process in (b.daemon, b.sim):
            process.terminate()
            process.wait(60)
    print(f"{o.guilds} guilds of {o.guild_bytes} bytes, {o.shards[0]} shards, max_concurrency {o.concurrency}")
    print(f"cold start: {start['seconds']:.0f} s, {start['cpu_s']:.1f} CPU s, at most {start['most_mib']:.0f} MiB, "
          f"{start['ready_mib']:.0f} MiB when ready, {start['later_mib']:.0f} MiB {o.rest:g} s later; the latest "
          f"heartbeat {max(0, start['heartbeat_late_ms']):.0f} ms late")
    print("| profile | events/s | cores | CPU us an event | resident MiB | delivery lag p99 <= s | handler's part <= s |")
    print("|---|---|---|---|---|---|---|")
    for r in profiles:
        print(f"| {r['profile']} | {r['events_s']:.0f} | {r['cores']:.3f} | {r['cpu_us']:.1f} | {r['most_mib']:.0f} | "
              f"{r['lag_p99_s']} | {r['handler_p99_s']} |")
    faults = {k: account[k] for k in ("missing", "copies", "out_of_order", "pacing_violations")}
    print(f"{account['sent']} events sent; {faults}")
    if o.json:
        with open(o.json, "w", encoding="utf-8") as f:
            json.dump({"cold_start": start, "profiles": profiles, "account": faults, "options": vars(o)}, f, indent=1)
    return 1 if any(faults.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
