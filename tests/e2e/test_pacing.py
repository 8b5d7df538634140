# SPDX-License-Identifier: Apache-2.0
"""IDENTIFY: one per rate-limit key (shard_id % max_concurrency) and interval, keys side by side, no
time wasted, nobody held up by a neighbour's trouble (Discord docs, Gateway, Rate Limiting)."""

import math

from sessions import error_lines

from harness import PATIENCE, check, equal, wait_until


def _start(case, shards, concurrency, interval_ms, **sim):
    """A fleet about to start. The simulator's interval is shorter than the daemon's, as Discord's 5 s
    are shorter than 5.25 s, but by enough for two programs on one busy machine."""
    simulator = case.simulator(guilds=shards, guild_bytes=1000, shards=shards,
                               max_concurrency=concurrency, identify_tolerance=0,
                               identify_interval=interval_ms * 4 // 5, **sim)
    return simulator, {"sharding": {"identify_interval": f"{interval_ms}ms"}}


def _timeline(sim, shards):
    """Once every shard has its session: the simulator's list of IDENTIFYs."""
    def all_there():
        sessions = {s["shard"] for s in sim.state()["sessions"] if s["connected"]}
        return len(sessions) == shards
    wait_until(all_there, 90, f"{shards} sessions")
    return sim.get("/identifies")


def _by_the_rules(sim, daemon, identifies, refusals=None):
    report = sim.report()
    equal(report["pacing_violations"], 0, "pacing violations")
    equal(report["gateway"]["protocol_errors"], refusals or {}, "protocol errors")
    equal(report["session_starts"]["total"] - report["session_starts"]["remaining"], identifies,
          "session starts spent")
    equal(error_lines(daemon), [], "errors in the log")


def _no_time_wasted(timeline, shards, concurrency, interval_ms):
    waves = math.ceil(shards / concurrency)
    expected = (waves - 1) * interval_ms
    took = timeline[-1]["ms"] - timeline[0]["ms"]
    check(took >= 0.98 * expected, f"too quick: {took:.0f} of {expected} ms")
    check(took <= (1 + 0.02 * PATIENCE) * expected, f"too slow: {took:.0f} of {expected} ms")


def _nobody_waits_connected(timeline, interval_ms):
    # Told two intervals ahead at most; the rest is what a busy machine may be late.
    longest = max(timeline, key=lambda i: i["waited_ms"])
    check(longest["waited_ms"] <= 2 * interval_ms + 250 * PATIENCE,
          f"connected long before its turn: {longest}")


def _whole_start(case, shards, concurrency, interval_ms):
    sim, config = _start(case, shards, concurrency, interval_ms)
    daemon = case.daemon(sim, config)
    timeline = _timeline(sim, shards)
    equal(sorted(i["shard"] for i in timeline), list(range(shards)), "who identified")
    _no_time_wasted(timeline, shards, concurrency, interval_ms)
    _nobody_waits_connected(timeline, interval_ms)
    for key in range(concurrency):
        mine = [i["shard"] for i in timeline if i["key"] == key]
        equal(mine, sorted(mine), f"order within key {key}")
    daemon.wait_ready()
    _by_the_rules(sim, daemon, shards)


def test_64_shards_16_keys(case):
    _whole_start(case, 64, 16, 1000)


def test_40_shards_one_key(case):
    _whole_start(case, 40, 1, 250)


def test_odd_number_of_shards_over_keys(case):
    _whole_start(case, 10, 4, 1000)


def test_connections_that_fail_hold_nobody_up(case):
    shards, concurrency, interval = 24, 4, 500
    sim, config = _start(case, shards, concurrency, interval)
    # Some of the first connections: whoever they belong to comes later, the others on time.
    sim.fault(kind="upgrade", phase="connect", status=503, next=3)
    sim.fault(kind="reset", phase="connect", next=3)
    daemon = case.daemon(sim, config)
    timeline = _timeline(sim, shards)
    equal(sorted(i["shard"] for i in timeline), list(range(shards)), "who identified")
    # 6 failed: their keys may end one interval late each for what could not be filled; not more.
    took = timeline[-1]["ms"] - timeline[0]["ms"]
    waves = math.ceil(shards / concurrency)
    check(took <= (waves - 1 + 3) * interval * (1 + 0.02 * PATIENCE), f"held up: {took:.0f} ms")
    # No key stood idle for longer than it takes a shard that failed to come back.
    for key in range(concurrency):
        mine = [i["ms"] for i in timeline if i["key"] == key]
        gaps = [b - a for a, b in zip(mine, mine[1:])]
        check(max(gaps) <= 4 * interval, f"key {key} stood still: {gaps}")
    daemon.wait_ready()
    _by_the_rules(sim, daemon, shards)


def test_identifies_that_fail_hold_nobody_up(case):
    shards, concurrency, interval = 16, 2, 400
    failing = [2, 3]  # one of each key, each refused twice
    sim, config = _start(case, shards, concurrency, interval)
    sim.fault(kind="close", code=4000, phase="ready", shards=failing, next=4)
    daemon = case.daemon(sim, config)
    timeline = _timeline(sim, shards)
    others = [i for i in timeline if i["shard"] not in failing]
    equal(len(others), shards - len(failing), "IDENTIFYs of the others")
    # A refused IDENTIFY costs its key one interval, and no more: nobody waits for the back-off.
    for key in range(concurrency):
        mine = [i for i in others if i["key"] == key]
        attempts = [i for i in timeline if i["key"] == key and i["ms"] <= mine[-1]["ms"]]
        took = mine[-1]["ms"] - attempts[0]["ms"]
        check(took <= (len(attempts) - 1) * interval * (1 + 0.02 * PATIENCE) + 100,
              f"key {key} held up: {took:.0f} ms for {len(attempts)} IDENTIFYs")
    daemon.wait_ready()
    _by_the_rules(sim, daemon, shards + 4)


def test_refused_for_pacing_recovers(case):
    # The simulator's interval is longer than the daemon's: the daemon breaks the rule, is told op 9,
    # and must come through without spending starts for nothing or giving up.
    sim = case.simulator(guilds=6, guild_bytes=1000, shards=6, max_concurrency=1,
                         identify_interval=300, identify_tolerance=0)
    daemon = case.daemon(sim, {"sharding": {"identify_interval": "200ms"}})
    _timeline(sim, 6)
    daemon.wait_ready()
    report = sim.report()
    check(report["pacing_violations"] > 0, "the rule was not broken")
    equal(report["session_starts"]["total"] - report["session_starts"]["remaining"], 6,
          "session starts spent")
