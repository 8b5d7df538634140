# SPDX-License-Identifier: Apache-2.0
"""Shared by the tests of delivery: a small world whose events flow, and the account of what became
of every one of them. What was sent and what arrived is counted in the simulator; the daemon's own
counts are held against that."""

from harness import PATIENCE, Failure, check, equal, wait_until

# The daemon's pace is slower than the simulator's rule by what two programs on a busy machine may
# be late.
IDENTIFY = {"identify_interval": 100, "identify_tolerance": 50}
SHARDING = {"identify_interval": "150ms"}


def patient_ms(ms):
    """A time-out of the daemon that must not strike by itself on a slow machine."""
    return f"{int(ms * PATIENCE)}ms"


def start(case, sim=None, config=None):
    """(simulator, daemon), every shard ready."""
    world = {"guilds": 40, "guild_bytes": 2000, "shards": 2, "max_concurrency": 2, **IDENTIFY,
             **(sim or {})}
    simulator = case.simulator(**world)
    settings = dict(config or {})
    settings["sharding"] = {**SHARDING, **settings.get("sharding", {})}
    return simulator, case.daemon(simulator, settings).wait_ready()


def load_over(sim, seconds=60):
    """Until the load has ended, and what follows its messages (unfurls, edits) has too."""
    def over():
        load = sim.state()["load"]
        return not load["running"] and load["follow_ups"] == 0
    wait_until(over, seconds, "the load and its follow-ups to end")


def settle(sim, missing=0, ordered=True, seconds=60):
    """Until all but `missing` that had to arrive did; nothing twice, nothing unwanted, in order.
    The report."""
    def arrived():
        report = sim.report()
        truth = report["truth"]
        equal(truth["duplicates"], 0, f"events that arrived twice {truth['duplicates_first']}")
        if ordered:
            equal(truth["out_of_order"], 0, f"out of order {truth['out_of_order_first']}")
        check(truth["missing"] >= missing, f"only {truth['missing']} are missing, not {missing}")
        return report if truth["missing"] == missing else None
    try:
        report = wait_until(arrived, seconds, f"all but {missing} events to arrive", interval=0.1)
    except Failure as why:
        raise Failure(f"{why}\nmissing: {sim.report()['truth']['missing_first']}") from None
    truth, handler = report["truth"], report["handler"]
    equal(truth["filtered_received"], 0, f"unwanted events {truth['filtered_first']}")
    equal(truth["unknown"], 0, "events nobody sent")
    equal(handler["malformed"], 0, f"malformed bodies {handler['problems']}")
    equal(handler["broken"], 0, "requests that are not HTTP")
    return report


def requests(daemon):
    """{outcome: requests to the handler}."""
    return {outcome: int(daemon.metric("shardgate_handler_requests_total", outcome=outcome))
            for outcome in ("accepted", "refused", "failed", "timeout")}


def failures(daemon):
    done = requests(daemon)
    return done["failed"] + done["timeout"]


def labelled(daemon, name, label):
    """{label's value: number} of a metric's samples."""
    return {labels[0][1]: int(value) for (metric, labels), value in daemon.metrics().items()
            if metric == name and labels and labels[0][0] == label}


def shed(daemon):
    """{class: events shed}, those that are not 0."""
    dropped = labelled(daemon, "shardgate_queue_dropped_total", "class")
    return {name: n for name, n in dropped.items() if n}


def gap_counts(sim, reason="shed"):
    """{event name: n} over all gap events that the handler took; each arrived once."""
    counts, keys = {}, set()
    for own in sim.handler_report()["own_events"]:
        if own["name"] != "SHARDGATE_GAP":
            continue
        check(own["key"] not in keys, f"the gap {own['key']} arrived twice")
        keys.add(own["key"])
        d = own["event"]["data"]["d"]
        equal(d["reason"], reason, "the gap's reason")
        check(0 < d["from"] <= d["to"], f"the gap's times: {d}")
        for name, n in d["counts"].items():
            counts[name] = counts.get(name, 0) + n
    return counts


def queue_empty(daemon, seconds=60):
    wait_until(lambda: daemon.queue()["events"] == 0, seconds, "the queue to empty")


def last_n(sim):
    """The number of the next event the world will make."""
    return sim.emit(what="typing", count=0)["next_n"]


def some_guild(sim, index=0):
    return sim.get("/guilds")[index]["id"]
