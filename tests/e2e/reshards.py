# SPDX-License-Identifier: Apache-2.0
"""Shared by the tests of resharding: a daemon that reshards under load while its sessions lag behind
each other, are cut and lost, and the account of what became of every event."""

import contextlib
import os
import threading
import time

from crashes import IDENTIFY_MS, LONG, Stand, say

from harness import PATIENCE, Failure, check, equal, merged, wait_until

# What the sets may be apart, and what they are; the rest is for a busy machine.
OVERLAP = 10 if LONG else 1.5 if PATIENCE == 1 else 3
LAG_MS = 3000 if LONG else 300
# Everything that can be told apart by nature, by content, and not at all.
KINDS = {"TYPING_START": 2, "PRESENCE_UPDATE": 3, "MESSAGE_REACTION_ADD": 2, "MESSAGE_CREATE": 3,
         "VOICE_STATE_UPDATE": 1, "GUILD_MEMBER_UPDATE": 1, "MESSAGE_DELETE": 0.5,
         "CHANNEL_UPDATE": 0.2}
MOST_LOST = 4  # sessions, a resharding
ENDED = ("done", "aborted", "failed")


class Reshards(Stand):
    """A stand whose shard total changes. `shards` is the total of the set in force."""

    def __init__(self, case, shards=4, sim=None, config=None, expect=None, own=None):
        # A milder rule of pace than the others': here two sets and the load share the machine.
        world = {"trim": "heartbeat", "dms": 50, "identify_interval": IDENTIFY_MS - 200,
                 # The busiest shards get a thousand events a second then.
                 **({"replay_depth": 20000} if LONG else {}), **(sim or {})}
        self.done = 0  # reshardings
        super().__init__(case, shards, world,
                         merged({"resharding": {"overlap": f"{OVERLAP * 1000:.0f}ms"}}, config), own=own)
        self.sim.expect(**(expect or {"resharding": "filtered"}))

    def everything(self, rate, dm=0.05):
        """A load of all that is paired in its own way."""
        self.load(rate, mix="A", kinds=KINDS, dm=dm)

    def end_load(self):
        self.sim.settings(repeats=0)  # or the last ones would go on and on
        super().end_load()

    # ---- what is asked

    def ask(self, shards, **more):
        return self.daemon.ask("POST", "/v1/reshard", body={"shards": shards, **more}, timeout=30)

    def reshard(self, shards):
        """The plan; it runs."""
        answer = self.ask(shards)
        check(answer.status == 202, f"resharding to {shards}: {answer}")
        plan = answer.json()
        equal((plan["from"], plan["to"]), (self.shards, shards), "the plan")
        return plan

    def abort(self):
        return self.daemon.ask("DELETE", "/v1/reshard", body={})

    def progress(self):
        return self.daemon.get("/v1/reshard")

    def wait_state(self, *states, seconds=60, interval=0.02):
        """The progress, once it is in one of the states."""
        def look():
            check(self.daemon.running, f"the daemon ended with {self.daemon.process.returncode}")
            now = self.progress()
            if now["state"] in states:
                return now
            check(now["state"] not in ENDED, f"the resharding ended: {now}")
            return None
        return wait_until(look, seconds, f"the resharding to be {' or '.join(states)}", interval)

    def wait_done(self, shards, seconds=60):
        """Until the set of so many is the only one, and the handler was told."""
        progress = self.wait_state("done", seconds=seconds + 6 * OVERLAP)
        before, self.shards = self.shards, shards
        self.done += 1
        equal(self.daemon.status()["shards"]["total"], shards, "shards in force")
        self.wait_connected()
        self.only(shards)
        told = wait_until(lambda: len(self.told()) >= self.done and self.told(), 30,
                          "SHARDGATE_RESHARDED")
        equal([(d["from"], d["to"]) for d in told][-1], (before, shards), "SHARDGATE_RESHARDED")
        return progress

    def told(self):
        """d of every SHARDGATE_RESHARDED the handler took; none twice, but after a kill, with its key."""
        own = [e for e in self.sim.handler_report()["own_events"]
               if e["name"] == "SHARDGATE_RESHARDED"]
        different = {e["key"]: e for e in own}
        if self.killed_at is None:
            equal(len(different), len(own), "different SHARDGATE_RESHARDED")
        return [e["event"]["data"]["d"] for e in different.values()]

    def only(self, shards):
        """Until no connection of another set is left."""
        def look():
            return [t for t, n in self.sim.account()["totals"].items()
                    if n["connected"]] == [str(shards)]
        wait_until(look, 30, f"only the set of {shards} to be connected")

    # ---- what is there

    def connected(self):
        there = {s["shard"] for s in self.sim.state()["sessions"]
                 if s["connected"] and not s["replaying"] and s["shards"] == self.shards}
        return len(there) == self.own

    def wait_received(self, seconds=60):
        def look():
            sent = {(s["shard"], s["shards"]): s["seq"] for s in self.sim.state()["sessions"]}
            return all(s["received"] >= sent.get((s["id"], s["total"]), 0)
                       for s in self.daemon.shards())
        wait_until(look, seconds, "the daemon to have received everything")

    def identifies(self):
        account = self.sim.account()
        return account["identifies"] + account["identifies_refused"] - self.first["identifies"]

    def settled(self, identifies=None, same_key=0, **more):
        """As a stand's; every equal event has come as well. Without a number of IDENTIFYs: as many
        as there were. `same_key` of the equal ones may have come under a key that was used."""
        if identifies is None:
            identifies = self.identifies()
        def look():
            account = self.sim.account()
            return account if account["repeats_missing"] == 0 and \
                account["repeats_same_key"] <= same_key else None
        super().settled(identifies=identifies, **more)
        try:
            account = wait_until(look, 60, "every equal event to arrive", interval=0.1)
        except Failure as why:
            now = self.sim.account()
            raise Failure(f"{why}\n{now['repeats_missing']} missing: {now['repeats_missing_first']}\n"
                          f"{now['repeats_same_key']} under used keys: "
                          f"{now['repeats_same_key_first']}") from None
        equal(len(self.told()), self.done, "SHARDGATE_RESHARDED")
        return account

    def count_guilds(self):
        """Until the daemon knows as many as there are."""
        def look():
            there = self.sim.state()["guilds"]
            return self.daemon.status()["guilds"] == there and there
        return wait_until(look, 10, "the guild count to be right")

    def summary(self, account):
        say(f"{account['sent']} events, {account['repeats_sent']} equal to another, "
            f"{account['resumes']} RESUMEs, {account['replayed']} replayed, {account['lost']} lost, "
            f"{account['copies']} copies; "
            + ", ".join(f"{k} {int(v)}" for k, v in sorted(self.pairing().items())))

    def pairing(self):
        """The daemon's own numbers of the last resharding."""
        page = self.daemon.metrics()
        out = {labels[0][1]: n for (name, labels), n in page.items()
               if name == "shardgate_reshard_events_total"}
        return {**out, "guessed": self.daemon.metric("shardgate_reshard_guessed_total")}


class Chaos:
    """Connections of both sets are cut at random; some sessions are lost. Never one on both sides
    of a guild within three overlaps: nobody could know what happened then."""

    CUTS = ({"kind": "reset"}, {"kind": "fin"}, {"kind": "close", "code": 4000},
            {"kind": "reconnect"}, {"kind": "invalid_session", "resumable": True})

    def __init__(self, stand, rng, every=2 if LONG else 1.5 * PATIENCE, lose=0.15):
        self.stand, self.rng, self.every, self.lose = stand, rng, every, lose
        self.cut, self.lost = 0, []  # (moment, total, shard)
        self._over = threading.Event()
        self._wrong = None

    @contextlib.contextmanager
    def running(self, old, new):
        self._over.clear()
        thread = threading.Thread(target=self._run, args=(old, new))
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()
        if self._wrong:
            raise Failure(f"the chaos failed: {self._wrong}") from self._wrong

    def _run(self, old, new):
        self._overlap_since = None
        try:
            while not self._over.wait(self.rng.uniform(0.5, 1.5) * self.every):
                self._once(old, new)
        except Exception as why:  # noqa: BLE001  (told in the test's own thread)
            self._wrong = why

    def _once(self, old, new):
        progress = self.stand.progress()
        state, percent = progress["state"], progress["percent"]
        now = time.monotonic()
        if state != "overlap":
            self._overlap_since = None
        elif self._overlap_since is None:
            self._overlap_since = now
        if state not in ("starting", "overlap"):
            return
        total = self.rng.choice((old, new))
        shard = self.rng.randrange(total)
        if self.rng.random() < self.lose and self._may_lose(total, shard, old, new, now):
            if self._meets(total, shard, {"kind": "invalid_session", "resumable": False}):
                self.lost.append((now, total, shard))
                say(f"shard {shard} of {total} lost its session at {percent} %")
        else:
            self.cut += self._meets(total, shard, self.rng.choice(self.CUTS))

    def _meets(self, total, shard, fault):
        return self.stand.sim.fault(shards=[shard], shard_count=total, **fault)["met"]

    def _may_lose(self, total, shard, old, new, now):
        # The new set's events are looked at from the windows on: before, it replaces nothing.
        if self._overlap_since is None or now - self._overlap_since < OVERLAP:
            return False
        common = _gcd(old, new)
        # The old set goes only when no new session has to be waited for.
        if sum(then > self._overlap_since for then, _, _ in self.lost) >= MOST_LOST:
            return False
        return not any(now - then < 3 * OVERLAP and other != total and
                       there % common == shard % common for then, other, there in self.lost)


def _gcd(a, b):
    while b:
        a, b = b, a % b
    return a


def idle():
    """Whether the machine has time for what a test measures."""
    return PATIENCE == 1 and os.getloadavg()[0] < 1.5 * (os.cpu_count() or 1)
