# SPDX-License-Identifier: Apache-2.0
"""Shared by the tests of sessions: a fleet under load, something that happens to one of its shards,
and the account of what every shard did about it. Interruptions are counted in the simulator, which
knows what was sent; not in the daemon, which might be wrong."""

from harness import check, equal, wait_until

SHARDS = 4
VICTIM = 1

# The daemon's interval keeps the tests short; the simulator's rule is milder by what two programs
# on one busy machine may be late.
IDENTIFY_INTERVAL_MS = 250


def error_lines(daemon):
    return [line for line in daemon.log().splitlines() if " error " in line]


class Fleet:
    """A simulator and a daemon with every shard ready, and what they had done by then."""

    def __init__(self, case, shards=SHARDS, sim=None, config=None):
        options = {"guilds": 10 * shards, "guild_bytes": 2000, "shards": shards,
                   "max_concurrency": shards, "identify_interval": IDENTIFY_INTERVAL_MS - 50,
                   "identify_tolerance": 50, "replay_depth": 20000, **(sim or {})}
        self.shards = shards
        self.sim = case.simulator(**options)
        settings = {"sharding": {"identify_interval": f"{IDENTIFY_INTERVAL_MS}ms"}, **(config or {})}
        self.daemon = case.daemon(self.sim, settings)
        self.daemon.wait_ready()
        self.before = self.counts()
        self.starts_before = self.sim.report()["session_starts"]["remaining"]
        equal([c["identifies"] for c in self.before.values()], [1] * shards, "IDENTIFYs at start")

    def counts(self):
        """{shard: what the simulator counted}."""
        return {s["shard"]: s for s in self.sim.state()["shards"] if s["shards"] == self.shards}

    def done(self, shard, what):
        return self.counts()[shard][what] - self.before[shard][what]

    def load(self, rate=600, **more):
        """Starts the load, and waits until it flows."""
        self.sim.load(rate=rate, **more)
        self.flows()

    def flows(self, events=30):
        """Waits until every shard that runs has had so many more events."""
        def had():
            return {s["id"]: s["events"] for s in self.daemon.shards() if s["state"] != "parked"}
        first = had()
        wait_until(lambda: all(n >= first.get(i, 0) + events for i, n in had().items()), 30,
                   "events on every shard")

    def hit(self, shards=(VICTIM,), **fault):
        """A fault for connections that are live; all of them have to be met."""
        met = self.sim.fault(shards=list(shards), **fault)["met"]
        equal(met, len(shards), f"connections that met {fault}")

    def is_up(self, shard):
        state = self.daemon.get(f"/v1/shards/{shard}")["state"]
        return state in ("ready", "loading") and any(
            s["shard"] == shard and s["connected"] and not s.get("replaying")
            for s in self.sim.state()["sessions"])

    def wait_back(self, shard, resumes, identifies, seconds=30):
        """Until the shard has resumed and identified so often and is up."""
        wait_until(lambda: self.done(shard, "resumes") >= resumes
                   and self.done(shard, "identifies") >= identifies and self.is_up(shard),
                   seconds, f"shard {shard}: {resumes} RESUME, {identifies} IDENTIFY and up again")

    def gaps(self):
        """{shard: number of SHARDGATE_GAP with reason session_lost} the handler was told."""
        out = {}
        for own in self.sim.handler_report()["own_events"]:
            if own["name"] != "SHARDGATE_GAP":
                continue
            d = own["event"]["data"]["d"]
            equal(d["reason"], "session_lost", "the gap's reason")
            check(0 < d["from"] <= d["to"], f"the gap's times: {d}")
            equal(d["shards"], self.shards, "the gap's shards")
            out[d["shard"]] = out.get(d["shard"], 0) + 1
        return out

    def account(self, resumes, identifies, gaps=None, lossless=True, seconds=60, errors=None):
        """Ends the load and settles: everything arrived, once and in order; `resumes` and
        `identifies` ({shard: n}) happened and nothing else."""
        self.sim.stop_load()
        report = self.sim.wait_flawless(seconds)
        if lossless:
            # An interaction that was answered while its shard was away is dropped, rightly.
            lost = {why: n for why, n in report["truth"]["lost_by"].items()
                    if why != "answered for the handler"}
            equal(lost, {}, "events that Discord no longer replayed")
        for shard in range(self.shards):
            equal(self.done(shard, "identifies"), identifies.get(shard, 0),
                  f"IDENTIFYs of shard {shard}")
            equal(self.done(shard, "resumes"), resumes.get(shard, 0), f"RESUMEs of shard {shard}")
            if shard not in resumes and shard not in identifies:
                equal(self.done(shard, "connections"), 0, f"new connections of shard {shard}")
        equal(self.starts_before - report["session_starts"]["remaining"],
              sum(identifies.values()), "session starts spent")
        equal(report["pacing_violations"], 0, "pacing violations")
        gateway = report["gateway"]
        equal(gateway["protocol_errors"], errors or {}, "protocol errors")
        for code in ("1000", "1001"):
            check(code not in gateway["client_closes"], f"the daemon closed with {code}")
        equal(gateway["heartbeats_above_sent"] + gateway["resumes_above_sent"], 0, "seqs above sent")
        equal(self.gaps(), gaps or {}, "gaps announced")
        equal(error_lines(self.daemon), [], "errors in the daemon's log")
        return report


def interrupted(case, *armed, hit=None, resumes=0, identifies=0, gap=False, sim=None, config=None,
                rate=600, seconds=40):
    """One shard of a fleet under load meets `hit`, after the faults `armed` were put in its way.
    It has to be back after exactly so many RESUMEs and IDENTIFYs (counted once the simulator took
    them up), with one gap announced if the session is gone and not an event missing if it is not;
    the other shards must not have noticed."""
    fleet = Fleet(case, sim=sim, config=config)
    fleet.load(rate)
    for fault in armed:
        fleet.sim.fault(**fault)
    fleet.hit(**hit)
    fleet.wait_back(VICTIM, resumes, identifies, seconds)
    equal(fleet.sim.report()["faults_armed"], [], "faults that met nobody")
    fleet.flows()
    fleet.account({VICTIM: resumes} if resumes else {}, {VICTIM: identifies} if identifies else {},
                  {VICTIM: 1} if gap else {}, lossless=not gap)
    return fleet
