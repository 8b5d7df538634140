#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A large bot reshards: 200,000 guilds, 208 shards to 416, under load. Prints how long each state took,
the daemon's memory and CPU in each, and the account of every event. One core for the daemon, the other
for the simulator (Discord and handler). IDENTIFYs are paced as Discord wants them, 16 keys wide."""
import argparse
import json
import os
import sys
import tempfile
import time
import urllib.request

from throughput import TOKEN, call, cpu_seconds, pinned, rss_mib

import subprocess


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bin", required=True, help="build directory")
    p.add_argument("--guilds", type=int, default=200000)
    p.add_argument("--shards", type=int, nargs=2, default=[208, 416], metavar=("FROM", "TO"))
    p.add_argument("--concurrency", type=int, default=16, help="max_concurrency")
    p.add_argument("--interval", type=int, default=5250, help="between IDENTIFYs of a key, ms")
    p.add_argument("--rate", type=float, default=3000, help="events a second")
    p.add_argument("--lag", type=int, default=0, help="of the sessions, ms")
    p.add_argument("--guild-bytes", type=int, default=2000)
    p.add_argument("--json", help="file for the numbers")
    o = p.parse_args()
    o.intents = 33281 | 1 << 11
    return o


class Bench:
    def __init__(self, o, directory):
        ready = os.path.join(directory, "ready.json")
        self.sim = subprocess.Popen(
            pinned(1, [os.path.join(o.bin, "src/shardgate-sim"), "--ready-file", ready, "--ca-out",
                       os.path.join(directory, "ca.pem"), "--token", TOKEN, "--guilds", str(o.guilds),
                       "--shards", str(o.shards[0]), "--max-concurrency", str(o.concurrency),
                       "--guild-bytes", str(o.guild_bytes), "--identify-interval", str(o.interval - 250),
                       "--lag", str(o.lag), "--unfurls", "0"]),
            stdout=subprocess.DEVNULL)
        end = time.monotonic() + 60
        while not os.path.exists(ready):
            if time.monotonic() > end or self.sim.poll() is not None:
                sys.exit("the simulator did not start")
            time.sleep(0.05)
        with open(ready) as f:
            self.at = json.load(f)
        call(self.at["control"] + "/expect", {"loading_guilds": "filtered"})
        self.port = 17600 + os.getpid() % 1000
        self.api = f"http://127.0.0.1:{self.port}"
        config = os.path.join(directory, "bench.toml")
        with open(config, "w") as f:
            f.write(f"""\
[discord]
token = "{TOKEN}"
intents = {o.intents}
api_url = "{self.at['rest']}/api/v10"
ca_file = "{self.at['ca']}"
[sharding]
identify_interval = "{o.interval}ms"
[resharding]
identify_reserve = 0
check_interval = "24h"
[filter]
guild_create = "drop-loaded"
[handler]
urls = ["{self.at['handler'].rstrip('/')}/"]
[state]
directory = "{os.path.join(directory, 'state')}"
[admin]
listen = "127.0.0.1:{self.port}"
[log]
level = "warn"
""")
        self.daemon = subprocess.Popen(
            pinned(0, [os.path.join(o.bin, "src/shardgate"), "run", "-c", config]))

    def ready(self):
        try:
            with urllib.request.urlopen(self.api + "/readyz", timeout=10) as answer:
                return answer.status == 200
        except OSError:
            return False

    def wait(self, what, seconds, name):
        end = time.monotonic() + seconds
        while not what():
            if time.monotonic() > end or self.daemon.poll() is not None:
                sys.exit(f"waited in vain: {name}")
            time.sleep(0.2)

    def settled(self):
        """The account, once nothing follows the load any more and everything has arrived; or as it
        is after a minute."""
        end = time.monotonic() + 60
        while True:
            load = call(self.at["control"] + "/state")["load"]
            account = call(self.at["control"] + "/account")
            over = not load["running"] and load["follow_ups"] == 0 and account["missing"] == 0
            if over or time.monotonic() > end:
                return account
            time.sleep(0.5)

    def use(self):
        return cpu_seconds(self.daemon.pid), rss_mib(self.daemon.pid)

    def times(self):
        """Two histograms as {upper bound: count}: from an event's receipt to the handler's
        acceptance, and the part of it that the handler took; and how late the loop is, in seconds."""
        with urllib.request.urlopen(self.api + "/metrics", timeout=30) as answer:
            page = answer.read().decode()
        out, loop = ({}, {}), 0.0
        for line in page.splitlines():
            for i, name in enumerate(("delivery_lag", "handler_request")):
                if line.startswith(f"shardgate_{name}_seconds_bucket"):
                    out[i][line.split('le="')[1].split('"')[0]] = float(line.split()[-1])
            if line.startswith("shardgate_loop_lag_seconds{"):
                loop = float(line.split()[-1])
        return out[0], out[1], loop


class Stretch:
    """What happens in one state: its length, the daemon's CPU and memory, and who makes events late."""

    def __init__(self, bench):
        self.bench, self.began, self.looked = bench, time.monotonic(), time.monotonic()
        self.times, (self.cpu, self.most) = bench.times(), bench.use()
        self.loop = []

    def look(self):
        self.most = max(self.most, self.bench.use()[1])
        if time.monotonic() - self.looked >= 1:
            self.looked = time.monotonic()
            self.loop.append(self.bench.times()[2])

    def row(self, name):
        seconds, now, (cpu, rss) = time.monotonic() - self.began, self.bench.times(), self.bench.use()
        lags = [percentile(self.times[i], now[i], 0.99) for i in (0, 1)]
        loop = f"{1000 * max(self.loop):.1f}" if self.loop else ""
        return (name, seconds, cpu - self.cpu, max(self.most, rss), rss, *lags, loop)


def watch(stretch, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.2)
        stretch.look()


def percentile(before, after, share):
    counts = {le: after[le] - before.get(le, 0) for le in after}
    total = counts["+Inf"]
    for le, n in sorted(counts.items(), key=lambda b: float(b[0])):
        if n >= share * total:
            return le
    return "+Inf"


ROW = ("state", "seconds", "cpu_s", "most_mib", "end_mib", "lag_p99_s", "handler_p99_s", "loop_late_ms")


def main():
    o = options()
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        b = Bench(o, directory)
        began = time.monotonic()
        b.wait(b.ready, 1200, "every shard to be ready")
        cpu, memory = b.use()
        rows.append(("cold start", time.monotonic() - began, cpu, memory, memory, "", "", ""))
        call(b.at["control"] + "/load", {"mix": "realistic", "rate": o.rate, "seconds": 1e6})
        time.sleep(5)
        now = Stretch(b)
        watch(now, 20)
        rows.append(now.row("before"))
        plan = call(b.api + "/v1/reshard", {"shards": o.shards[1]})
        whole = time.monotonic()
        state, now = "starting", Stretch(b)
        while state not in ("done", "aborted", "failed"):
            time.sleep(0.2)
            now.look()
            progress = call(b.api + "/v1/reshard")
            if progress["state"] == state:
                continue
            rows.append(now.row(state))
            state, now = progress["state"], Stretch(b)
        took = time.monotonic() - whole
        watch(now, 20)
        rows.append(now.row("after"))
        call(b.at["control"] + "/load", {"stop": True})
        account = b.settled()
        b.daemon.terminate()
        b.daemon.wait(30)
        b.sim.terminate()
        b.sim.wait(30)
    print(f"{o.guilds} guilds, {o.shards[0]} -> {o.shards[1]} shards, {o.rate:.0f} events/s, sessions "
          f"{o.lag} ms apart at most: {state} after {took:.0f} s (planned {plan['estimated_s']} s)\n")
    print("| state | s | CPU s | of a core | resident MiB, most | at its end | delivery lag p99 <= s | "
          "handler's part <= s | loop late, worst of samples, ms |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, s, used, peak, end, p99, handler, loop in rows:
        print(f"| {name} | {s:.0f} | {used:.1f} | {used / s:.2f} | {peak:.0f} | {end:.0f} | {p99} | "
              f"{handler} | {loop} |")
    print(f"\n{account['sent']} events sent; missing {account['missing']}, copies {account['copies']}, "
          f"out of order {account['out_of_order']}, unwanted {account['unwanted']}, pacing violations "
          f"{account['pacing_violations']}; pairing: {progress['pairing']}")
    if account["missing"]:
        print(f"missing: {account['missing_first']}; lost: {account['lost_by']}")
    if o.json:
        faults = {key: account[key] for key in ("missing", "copies", "out_of_order", "unwanted", "pacing_violations")}
        with open(o.json, "w", encoding="utf-8") as f:
            json.dump({"states": [dict(zip(ROW, row)) for row in rows], "outcome": state, "reshard_s": took,
                       "planned_s": plan["estimated_s"], "sent": account["sent"], "account": faults,
                       "options": vars(o)}, f, indent=1)
    return 0 if state == "done" and not (account["missing"] or account["copies"]) else 1


if __name__ == "__main__":
    sys.exit(main())
