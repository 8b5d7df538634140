# SPDX-License-Identifier: Apache-2.0
"""Shared by the tests of what survives: a daemon with a state directory under load, ends of every
kind, and the account of what became of every event. Moments are drawn from a seed that is printed;
SHARDGATE_E2E_SEED repeats one, SHARDGATE_E2E_LONG=1 makes the tests as long as their claims."""

import os
import random
import time

from harness import PATIENCE, Failure, check, equal, merged, wait_until

LONG = bool(os.environ.get("SHARDGATE_E2E_LONG"))
MIB = 1 << 20
PLAIN = {"unfurls": 0, "edits": 0, "unknown": 0}

# A rule that is milder than the daemon's pace by what two programs on a busy machine may be late.
IDENTIFY_MS = 300


def drawn():
    """Randomness whose seed is in the output."""
    seed = int(os.environ.get("SHARDGATE_E2E_SEED") or random.SystemRandom().randrange(1 << 31))
    print(f"  seed {seed}", flush=True)
    return random.Random(seed)


def say(text):
    print("  " + text, flush=True)


def let_pass(seconds):
    """A moment that was drawn. Not a way to wait for something."""
    until = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= until, seconds + 10, "the clock", interval=0.005)


def state_directory(case):
    return os.path.join(case.directory, "state")


def stateful(case, **more):
    """Configuration of a daemon that keeps everything."""
    base = {"state": {"directory": state_directory(case), "stop_flush": "3s"},
            "queue": {"overflow": "spill", "retry_initial": "100ms", "retry_max": "500ms"},
            "sharding": {"identify_interval": f"{IDENTIFY_MS}ms"},
            "handler": {"timeout": f"{int(2000 * PATIENCE)}ms", "connections": 64},
            "log": {"level": "info"}}
    return merged(base, more)


def rss(daemon):
    """Resident bytes; 0 under a sanitizer, whose allocator keeps what is freed."""
    return 0 if PATIENCE > 1 else daemon.metric("process_resident_memory_bytes")


class Stand:
    """A simulator, and a daemon that outlives its processes. `own`: how many of the shards are the
    daemon's; all."""

    def __init__(self, case, shards=16, sim=None, config=None, environment=None, own=None):
        self.case, self.shards, self.part = case, shards, (own or shards) / shards
        self.killed_at = None  # the last time
        world = {"guilds": (250 if shards > 8 else 100) * shards, "guild_bytes": 1000, "shards": shards,
                 "max_concurrency": shards, "identify_interval": IDENTIFY_MS - 100,
                 "identify_tolerance": 50, "heartbeat_interval": int(2000 * PATIENCE),
                 "replay_depth": 3500, "replay_lifetime": 180000, **PLAIN, **(sim or {})}
        self.sim = case.simulator(**world)
        # The loading guilds must come; an unfurl whose message went with the cache may.
        self.sim.expect(loading_guilds="arrives", unfurls="may_arrive")
        self.config = merged(stateful(case), config)
        self.daemon = case.daemon(self.sim, self.config, environment=environment)
        self.daemon.wait_ready()
        self.first = self.sim.account()
        equal(self.first["identifies"], self.own, "IDENTIFYs of the first start")
        self.settled()

    @property
    def own(self):
        return round(self.shards * self.part)

    def load(self, rate, mix="realistic", **more):
        self.sim.load(rate=rate / PATIENCE, mix=mix, **more)

    def made(self):
        return self.sim.state()["load"]["made"]

    def grows(self, events, seconds=120):
        """Until the world has made so many events more."""
        wanted = self.made() + events

        def look():
            load = self.sim.state()["load"]
            check(load["running"] or load["made"] >= wanted, "the load ended before it made enough")
            return load["made"] >= wanted
        wait_until(look, seconds, f"{events} more events")

    def connected(self):
        """Whether every shard's session has a connection that has had its replay."""
        there = {s["shard"] for s in self.sim.state()["sessions"]
                 if s["connected"] and not s["replaying"]}
        return len(there) == self.own

    def wait_connected(self, seconds=30):
        def look():
            check(self.daemon.running, f"the daemon ended with {self.daemon.process.returncode}")
            return self.connected()
        wait_until(look, seconds, "every shard to be connected again")

    def wait_gone(self):
        wait_until(lambda: not any(s["connected"] for s in self.sim.state()["sessions"]), 10,
                   "the simulator to notice that the daemon is gone")

    def all_safe(self):
        """Whether no event hangs on this process: all are settled or on disk."""
        return all(s["safe"] == s["received"] for s in self.daemon.shards())

    def wait_safe(self, seconds=30):
        wait_until(self.all_safe, seconds, "every safe mark to reach the received one")

    def wait_received(self, seconds=60):
        """Until the daemon has read whatever was sent."""
        def look():
            sent = {s["shard"]: s["seq"] for s in self.sim.state()["sessions"]}
            return all(s["received"] >= sent.get(s["id"], 0) for s in self.daemon.shards())
        wait_until(look, seconds, "the daemon to have received everything")

    def queued(self):
        """Events that wait, in memory or in the spool alone."""
        queue = self.daemon.queue()
        return queue["events"] + queue["spooled_events"]

    def stored(self):
        """Events on disk, whether or not they are in memory as well."""
        queue = self.daemon.queue()
        return queue["stored_events"] + queue["spooled_events"]

    def load_over(self, seconds=120):
        """Until a load that ends by itself has ended, and what follows it."""
        def look():
            load = self.sim.state()["load"]
            return not load["running"] and load["follow_ups"] == 0
        wait_until(look, seconds, "the load to end")

    def end_load(self):
        self.sim.stop_load()
        self.load_over()

    def sound(self, account):
        """What must hold at any moment: no event under two keys, none behind a later one of its
        lane, none out of nowhere, no seq above what was sent."""
        equal(account["doubles"], 0, f"events under two keys {account['doubles_first']}")
        equal(account["out_of_order"], 0, f"out of order {account['out_of_order_first']}")
        equal(account["unwanted"], 0, f"unwanted events {account['unwanted_first']}")
        equal(account["never_sent"], 0, "events nobody sent")
        equal(account["heartbeats_above_sent"] + account["resumes_above_sent"], 0, "seqs above sent")
        equal(account["pacing_violations"], 0, "pacing violations")
        equal(account["beyond_budget"], 0, "IDENTIFYs beyond the budget")

    def settled(self, missing=0, copies=True, identifies=0, lost=(), seconds=120):
        """Until all but `missing` events have arrived, with `identifies` IDENTIFYs since the first
        start. The account."""
        def look():
            account = self.sim.account()
            self.sound(account)
            check(account["missing"] >= missing, f"only {account['missing']} missing: {account}")
            # What no session can replay any more has to be in the queue, but for an interaction
            # that was answered while nobody took it: it is dropped, rightly.
            gone = set(account["lost_by"]) - {"answered for the handler", *lost}
            return account if account["missing"] == missing and not gone else None
        try:
            account = wait_until(look, seconds, f"all but {missing} events to arrive", interval=0.1)
        except Failure as why:
            now = self.sim.account()
            raise Failure(f"{why}\nmissing {now['missing']}: {now['missing_first']}\n"
                          f"lost: {now['lost_by']}") from None
        if not copies:
            equal(account["copies"], 0, "copies")
        equal(account["identifies"] + account["identifies_refused"] - self.first["identifies"],
              identifies, "IDENTIFYs after the first start")
        handler = self.sim.report()["handler"]
        equal(handler["malformed"], 0, f"malformed bodies {handler['problems']}")
        return account

    # ---- ends and starts

    def kill(self):
        self.daemon.kill()
        self.killed_at = time.monotonic()

    def start_again(self, config=None, connected=True):
        """How long the shards were away, in seconds."""
        self.daemon.start_again(config)
        if not connected:
            return None
        self.wait_connected(30)
        return time.monotonic() - self.killed_at


def gaps(account, reason):
    """{"events", "total", "counts", "shards", ...} of that reason; zeros without one."""
    none = {"events": 0, "copies": 0, "total": 0, "unknown": 0, "counts": {}, "shards": {}}
    return account["gaps"].get(reason, none)
