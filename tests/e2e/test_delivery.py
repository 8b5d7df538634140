# SPDX-License-Identifier: Apache-2.0
"""Which URL gets what, who is believed, and what a refused, a poisoned or a hanging event does to
the rest."""

from harness import PATIENCE, check, equal, holds_for, wait_until
from streams import (failures, last_n, load_over, patient_ms, queue_empty, requests, settle,
                     some_guild, start)

QUICK = {"retry_initial": "50ms", "retry_max": "200ms"}
STOP_AT_ONCE = {"directory": "", "stop_flush": "0ms"}  # nobody takes what is left
# Messages and nothing that follows from them: every event must arrive.
PLAIN = {"unfurls": 0, "edits": 0, "unknown": 0}


def two_urls(case, balance, sim=None):
    options = {**PLAIN, "shards": 4, "max_concurrency": 4, **(sim or {})}
    world = case.simulator(identify_interval=100, identify_tolerance=50, guilds=40,
                           guild_bytes=2000, **options)
    urls = [world.ready["handler"] + path for path in ("/a", "/b")]
    daemon = case.daemon(world, {"sharding": {"identify_interval": "150ms"}, "queue": QUICK,
                                 "handler": {"urls": urls, "balance": balance}})
    daemon.wait_ready()
    settle(world)
    queue_empty(daemon)  # the loading guilds too: they may arrive, so settle() does not wait for them
    return world, daemon


def states(daemon):
    return [url["state"] for url in daemon.status()["handler"]["urls"]]


def test_balance_shard(case):
    sim, daemon = two_urls(case, "shard")
    sim.handler(rules=[{"path": "/b", "status": 503}])
    first = last_n(sim)
    sim.load(mix="messages", rate=800, count=400, unknown=0, dm=0)
    load_over(sim)
    wait_until(lambda: states(daemon) == ["up", "down"], what="/b to count as down")
    even = [s["events"] for s in daemon.shards() if s["id"] % 2 == 0]
    check(all(even), "the even shards had events")

    def only_odd_wait():
        waiting = daemon.queue()["events"]
        return waiting and waiting == sim.report()["missing"]
    wait_until(only_odd_wait, what="/a to have taken all of its events")
    taken = [e for e in sim.handler_report()["last_events"] if e["n"] >= first]
    equal({int(e["shard"].split("/")[0]) % 2 for e in taken}, {0}, "shards that /a serves (mod 2)")
    equal(daemon.ask("GET", "/readyz").status, 503, "readyz while a share of the events waits")
    sim.handler(clear=True)
    settle(sim)


def test_balance_guild(case):
    sim, daemon = two_urls(case, "guild")
    used = {0: 0, 20: 0}
    for guild in sim.get("/guilds")[:12]:
        dead, missing = daemon.queue()["dead_letters"], sim.report()["missing"]
        sim.handler(rules=[{"path": "/b", "lane": guild["id"], "status": 422}])
        equal(sim.emit(what="message", guild=guild["id"], count=20)["made"], 20, "messages")
        wait_until(lambda: daemon.queue()["events"] == 0 and daemon.queue()["dead_letters"] - dead
                   == sim.report()["missing"] - missing and all_met(sim, daemon), what="20 events")
        refused = daemon.queue()["dead_letters"] - dead
        check(refused in used, f"{refused} of a guild's 20 events went to /b")
        used[refused] += 1
    check(used[0] and used[20], f"all guilds went to one URL: {used}")
    settle(sim, missing=daemon.queue()["dead_letters"])


def all_met(sim, daemon):
    """Whether everything that was sent has been received by the daemon and is settled."""
    return sim.report()["truth"]["received"] + daemon.queue()["dead_letters"] \
        == sim.report()["truth"]["sent"]


def test_balance_failover(case):
    sim, daemon = two_urls(case, "failover")
    sim.handler(rules=[{"path": "/a", "status": 503}])
    sim.load(mix="messages", rate=400, count=400, unknown=0)
    load_over(sim)
    settle(sim)  # through /b
    equal(states(daemon), ["down", "up"], "states")
    equal(daemon.ask("GET", "/readyz").status, 200, "readyz while one URL is up")
    sim.handler(rules=[])

    def back():
        sim.emit(what="message", count=5)
        return states(daemon) == ["up", "up"]
    wait_until(back, what="the first URL to be used again", interval=0.1)
    settle(sim)
    sim.handler(rules=[{"path": "/b", "status": 503}])
    before = failures(daemon)
    sim.load(mix="messages", rate=400, count=200, unknown=0)
    load_over(sim)
    settle(sim)
    equal(failures(daemon), before, "requests that went to the second URL while the first is up")


def test_a_wrong_secret_gets_nothing_and_loses_nothing(case):
    sim = case.simulator(guilds=5, shards=1, identify_interval=100, handler_secret="right")
    daemon = case.daemon(sim, {"sharding": {"identify_interval": "150ms"}, "state": STOP_AT_ONCE,
                               "handler": {"secret": "wr0ng-s3cret"}})
    wait_until(lambda: sim.report()["handler"]["unauthorized"] >= 2, what="two refusals")
    equal(sim.report()["handler"]["accepted"], 0, "events accepted")
    wait_until(lambda: daemon.status()["handler"]["state"] == "down", what="the handler to be down")
    check("401" in daemon.status()["handler"]["urls"][0]["last_error"], "last_error has no 401")
    check(daemon.queue()["events"] >= 5, "the guilds wait in the queue")
    equal(daemon.queue()["dead_letters"], 0, "dead letters: a 401 is the handler's fault")


def test_a_wrong_signature_gets_nothing(case):
    sim = case.simulator(guilds=5, shards=1, identify_interval=100, handler_signing_key="right")
    keys = case.write("key", "wr0ng-key\n")
    daemon = case.daemon(sim, {"sharding": {"identify_interval": "150ms"}, "state": STOP_AT_ONCE,
                               "handler": {"signing_key_file": keys}})
    case.secrets.add("wr0ng-key")
    wait_until(lambda: sim.report()["handler"]["bad_signature"] >= 2, what="two refusals")
    equal(sim.report()["handler"]["accepted"], 0, "events accepted")
    check(daemon.queue()["events"] >= 5, "the guilds wait in the queue")


def test_a_refused_and_a_poisoned_event_end_in_the_dead_letters(case):
    sim, daemon = start(case, PLAIN, {"queue": QUICK})
    first = last_n(sim)
    poison, refused = first + 150, first + 300
    sim.handler(rules=[{"n": poison, "status": 500}, {"n": refused, "status": 422}])
    sim.load(mix="messages", rate=300, unknown=0)
    wait_until(lambda: daemon.queue()["dead_letters"] == 2, 60, "two dead letters")
    sim.stop_load()
    report = settle(sim, missing=2)
    queue_empty(daemon)
    equal({e["n"] for e in report["truth"]["missing_first"]}, {poison, refused}, "missing")
    equal(report["handler"]["by_status"]["500"], 8, "attempts of the poisoned event")
    equal(report["handler"]["by_status"]["422"], 1, "attempts of the refused event")
    equal(requests(daemon)["refused"], 1, "requests_total{refused}")
    equal(daemon.metric("shardgate_dead_letters"), 2, "dead_letters")
    equal(daemon.status()["handler"]["state"], "up", "handler")


def test_a_poisoned_event_in_a_batch_takes_no_other_with_it(case):
    sim, daemon = start(case, PLAIN, {"queue": QUICK, "handler": {
        "batch_events": 16, "batch_linger": "50ms", "ordering": "shard"}})
    first = last_n(sim)
    refused = {first + 100, first + 101, first + 250}
    sim.handler(rules=[{"n": n, "status": 422} for n in sorted(refused)]
                + [{"n": first + 400, "status": 500}])
    # The poisoned one is found only while others are accepted: the load goes on.
    sim.load(mix="messages", rate=300, unknown=0)
    wait_until(lambda: daemon.queue()["dead_letters"] == 4, 60, "four dead letters")
    sim.stop_load()
    report = settle(sim, missing=4)
    equal({e["n"] for e in report["truth"]["missing_first"]}, refused | {first + 400}, "missing")


def test_a_hung_guild_stops_nobody_else(case):
    sim, daemon = start(case, {**PLAIN, "guilds": 60}, {
        "queue": QUICK, "handler": {"timeout": patient_ms(1000), "connections": 16}})
    settle(sim)
    hung = some_guild(sim)
    sim.handler(rules=[{"lane": hung, "do": "hang"}])
    sim.load(mix="messages", rate=300, unknown=0)
    sim.load(mix="messages", rate=20, unknown=0, guild=hung)
    wait_until(lambda: requests(daemon)["timeout"] >= 2, what="two time-outs")
    holds_for(lambda: daemon.status()["handler"]["state"] == "up", 2, "the handler counts as up")
    sim.stop_load()
    load_over(sim)
    wait_until(lambda: daemon.queue()["lanes"] == 1, what="all other guilds to be served")
    latency = sim.report()["truth"]["latency"]
    check(latency["count"] > 500, f"too few events: {latency}")
    check(latency["p99_ms"] < 250 * PATIENCE, f"the others had to wait: {latency}")
    check(daemon.queue()["events"] > 20, "the hung guild's events wait")
    sim.handler(clear=True)
    settle(sim)
    equal(daemon.queue()["dead_letters"], 0, "dead letters: a time-out is nobody's fault")


def test_idle_connections_that_the_handler_closes_are_no_failures(case):
    sim, daemon = start(case, PLAIN, {"handler": {"connections": 8}})
    sim.handler(idle_close_ms=100)
    opened = daemon.metric("shardgate_handler_connections_opened_total")
    # At these gaps the next request and the close meet on the way.
    for rate, count in ((10, 25), (9, 20), (60, 60)):
        sim.load(mix="messages", rate=rate, count=count, unknown=0)
        load_over(sim)
    settle(sim)
    equal(failures(daemon), 0, "failed requests")
    check(daemon.metric("shardgate_handler_connections_opened_total") > opened + 5,
          "connections were closed and opened")
    equal(daemon.status()["handler"]["state"], "up", "handler")


def test_a_connection_for_each_request_is_no_failure(case):
    sim, daemon = start(case, PLAIN)
    sim.handler(close_after_each=True)
    sim.load(mix="messages", rate=300, count=600, unknown=0)
    load_over(sim)
    settle(sim)
    equal(failures(daemon), 0, "failed requests")
    opened = daemon.metric("shardgate_handler_connections_opened_total")
    check(opened >= 600, f"only {opened} connections")
