# SPDX-License-Identifier: Apache-2.0
"""The handler goes away in every way: nothing is lost but what the queue's bound says, and that is
told."""

from crashes import LONG

from harness import PATIENCE, check, equal, measured, wait_until
from streams import (failures, gap_counts, labelled, load_over, patient_ms, queue_empty, requests,
                     settle, shed, start)

PLAIN = {"unfurls": 0, "edits": 0, "unknown": 0}
QUICK = {"retry_initial": "100ms", "retry_max": "500ms"}
MIB = 1 << 20
MAX_BYTES = (256 if LONG else 64) * MIB
CONNECTIONS = 32


def rss(daemon):
    if PATIENCE > 1:  # a sanitizer's allocator keeps what is freed: its size says nothing of ours
        return 0
    return daemon.metric("process_resident_memory_bytes")


def check_slow_start(record):
    """`record`: requests in flight as each began, since the handler was back. The first is alone;
    from then on as many as 2^(answered - 1) may be in flight: 1, 2, 4, ..."""
    in_flight = [n for _, n in record]
    equal(in_flight[:2], [1, 1], "requests in flight after the recovery")
    for k, n in enumerate(in_flight):
        answered = k + 1 - n
        allowed = min(CONNECTIONS, 2 ** max(0, min(answered - 1, 20)))
        check(n <= allowed, f"request {k} after the recovery: {n} in flight, {answered} answered")
    check(max(in_flight) >= CONNECTIONS // 2, f"it never came up to speed: {max(in_flight)}")


class Outage:
    """2,000 events a second, and one kind of trouble after the other."""

    def __init__(self, case):
        self.sim, self.daemon = start(case, {**PLAIN, "guilds": 200, "guild_bytes": 1000}, {
            "queue": {**QUICK, "max_bytes": f"{MAX_BYTES // MIB}MiB"},
            "handler": {"timeout": patient_ms(1000), "connections": CONNECTIONS}, "log": {"level": "info"}})
        settle(self.sim)
        self.rss, self.most_bytes = rss(self.daemon), 0
        self.sim.load(mix="messages", rate=2000, unknown=0)
        self.grows(500)

    def grows(self, events):
        """Until so many events more have come from Discord."""
        first = self.sim.state()["load"]["made"]
        wait_until(lambda: self.sim.state()["load"]["made"] >= first + events, 60, "the load")

    def is_down(self):
        wait_until(lambda: self.daemon.status()["handler"]["state"] == "down", 20,
                   "the handler to count as down")

    def lasts(self, events):
        """The trouble goes on; the queue grows within its bound, and the memory with it."""
        self.is_down()
        before = self.daemon.queue()["events"]
        self.grows(events)
        queue = self.daemon.queue()
        check(queue["events"] >= before + events // 2, f"the queue does not grow: {queue}")
        check(queue["bytes"] <= MAX_BYTES, f"over max_bytes: {queue}")
        # What a longer outage before took, the allocator may keep for the next.
        self.most_bytes = max(self.most_bytes, queue["bytes"])
        allowed = self.rss + 2 * self.most_bytes + 48 * MIB
        check(rss(self.daemon) <= allowed, f"{rss(self.daemon)} bytes resident, queue: {queue}")

    def recovers(self, **command):
        """The handler is back, but takes its time at first: so requests overlap."""
        self.sim.handler(rules=[{"delay_ms": 10}], **command)
        record = wait_until(lambda: self.sim.handler_report()["in_flight_record"][300:] and
                            self.sim.handler_report()["in_flight_record"], 30, "the recovery")
        check_slow_start(record)
        equal(self.daemon.status()["handler"]["state"], "up", "handler")
        self.sim.handler(clear=True)
        queue_empty(self.daemon)


@measured
def test_down_then_errors_then_hanging(case):
    outage = Outage(case)
    sim, daemon = outage.sim, outage.daemon
    sim.handler(down=True)
    outage.lasts(60000 if LONG else 8000)  # 30 seconds, or 4
    outage.recovers(down=False)
    for trouble in ({"status": 500}, {"do": "hang"}, {"status": 503, "retry_after": 1}):
        sim.handler(rules=[trouble])
        outage.lasts(4000)
        outage.recovers()
    sim.stop_load()
    load_over(sim)
    report = settle(sim)
    equal(report["truth"]["lost"], 0, "events lost")
    check(report["truth"]["received"] > 20000, "too few events for this test")
    equal(shed(daemon), {}, "shed")
    equal(daemon.queue()["dead_letters"], 0, "dead letters: nobody dies of an outage")


@measured
def test_down_from_the_start(case):
    sim = case.simulator(**PLAIN, guilds=40, guild_bytes=2000, shards=2, max_concurrency=2,
                         identify_interval=100, identify_tolerance=50)
    sim.expect(loading_guilds="arrives")
    sim.handler(down=True)
    daemon = case.daemon(sim, {"sharding": {"identify_interval": "150ms"}, "queue": QUICK})
    daemon.wait_shards("ready", 2)
    sim.load(mix="messages", rate=500, count=500, unknown=0)
    load_over(sim)
    sim.handler(down=False)
    report = settle(sim)
    equal(report["truth"]["forwarded"]["READY"], 2, "READYs")
    equal(report["truth"]["forwarded"]["GUILD_LOADED_DD"], 40, "guilds")
    check(daemon.wait_ready(), "ready")


def strange_answers(case, rule, counted_as):
    sim, daemon = start(case, PLAIN, {"queue": QUICK, "log": {"level": "info"},
                                      "handler": {"timeout": patient_ms(500), "connections": 8}})
    settle(sim)
    before = rss(daemon)
    sim.handler(rules=[{**rule, "times": 12}])
    sim.load(mix="messages", rate=400, count=400, unknown=0)
    load_over(sim)
    report = settle(sim)
    queue_empty(daemon)
    stale = int(daemon.metric("shardgate_handler_stale_retries_total"))
    counts = requests(daemon)
    equal(counts[counted_as] + stale, 12, f"counted as {counted_as} or resent: {counts}, {stale}")
    equal(failures(daemon) + stale, 12, f"all failures: {counts}, {stale}")
    check(stale == 0 or rule["do"] == "drop", f"{stale} resent although an answer had begun")
    check(rss(daemon) < before + 32 * MIB, f"from {before} to {rss(daemon)} bytes resident")
    equal(report["truth"]["lost"], 0, "events lost")
    equal(daemon.queue()["dead_letters"], 0, "dead letters")
    wait_until(lambda: daemon.status()["handler"]["state"] == "up", 20, "the recovery")


def test_answers_that_are_no_http(case):
    strange_answers(case, {"do": "nonsense"}, "failed")


def test_half_an_answer(case):
    strange_answers(case, {"do": "half_header"}, "timeout")


def test_no_answer(case):
    strange_answers(case, {"do": "hang"}, "timeout")


def test_connections_dropped_under_the_request(case):
    strange_answers(case, {"do": "drop"}, "failed")


def test_an_error_with_a_body_of_a_gigabyte(case):
    strange_answers(case, {"do": "huge_body", "status": 500}, "failed")


@measured
def test_an_acceptance_with_a_body_of_a_gigabyte(case):
    sim, daemon = start(case, PLAIN, {"queue": QUICK})
    settle(sim)
    before = rss(daemon)
    sim.handler(rules=[{"do": "huge_body", "status": 200, "times": 5}])
    sim.load(mix="messages", rate=300, count=300, unknown=0)
    load_over(sim)
    # What the handler took is taken, whatever it goes on to say.
    settle(sim)
    equal(failures(daemon), 0, "failed requests")
    check(rss(daemon) < before + 32 * MIB, f"from {before} to {rss(daemon)} bytes resident")


def overflow(case, policy, talk):
    """More than the queue holds while the handler is away. `talk` more messages than fit when all
    that is cheaper has gone. What arrived in the end, by name: {name: (sent, received)}."""
    sim, daemon = start(case, {**PLAIN, "edits": 0.5, "scale": 10, "identify_interval": 1000,
                               "identify_tolerance": 500, "guild_bytes": 1000},
                        {"queue": {**QUICK, "max_events": 600, "overflow": policy},
                         "interactions": {"auto_defer": False}})
    settle(sim)
    queue_empty(daemon)  # the loading guilds too: they may arrive, so settle() does not wait
    sim.handler(down=True)
    sim.emit(what="interaction", type=2, count=20)
    sim.emit(what="guild_join", count=3)
    sim.emit(what="guild_leave", count=2)
    sim.load(kinds={"TYPING_START": 1, "PRESENCE_UPDATE": 1}, rate=1000, count=500, unknown=0)
    load_over(sim)
    sim.load(mix="messages", rate=800, count=250 + talk, unknown=0)
    load_over(sim)
    sim.emit(what="member_remove", count=5)
    sim.emit(what="interaction", type=2, count=20)
    sent = sim.report()["truth"]["sent"]

    def all_come():
        got = labelled(daemon, "shardgate_gateway_events_total", "type")
        return sum(got.values()) - got["READY"] == sent
    wait_until(all_come, what="the daemon to have received everything")
    check(daemon.queue()["events"] <= 600, f"over the bound: {daemon.queue()}")
    return sim, daemon


def told_exactly(sim, daemon, gone):
    """The handler is back: `gone` {class: n} is what is missing and what the gap events say."""
    sim.handler(down=False)
    report = settle(sim, missing=sum(gone.values()))
    queue_empty(daemon)
    wait_until(lambda: sum(gap_counts(sim).values()) == sum(gone.values()), what="the gap events")
    missing = {name: n["sent"] - n["received"]
               for name, n in report["truth"]["by_name"].items() if n["sent"] != n["received"]}
    equal(gap_counts(sim), missing, "what the gap events say")
    equal(shed(daemon), gone, "queue_dropped_total")
    equal(daemon.queue()["shed"], {"vital": 0, "other": 0, "message_updates": 0, "ephemeral": 0,
                                   **gone}, "/v1/queue")
    gaps = [own for own in sim.handler_report()["own_events"] if own["name"] == "SHARDGATE_GAP"]
    check(len(gaps) <= 2, f"{len(gaps)} gap events for one outage of two shards")
    return missing


def ephemeral_goes_first(case, policy):
    sim, daemon = overflow(case, policy, talk=0)
    gone = shed(daemon)
    equal(list(gone), ["ephemeral"], "classes shed")
    missing = told_exactly(sim, daemon, gone)
    check(set(missing) <= {"TYPING_START", "PRESENCE_UPDATE"}, f"shed: {missing}")


def test_overflow_gives_up_presences_and_typing_first(case):
    ephemeral_goes_first(case, "drop-oldest")


def test_overflow_with_drop_newest_too(case):
    ephemeral_goes_first(case, "drop-newest")


def test_overflow_drops_messages_when_nothing_cheaper_is_left(case):
    sim, daemon = overflow(case, "drop-oldest", talk=600)
    gone = shed(daemon)
    check(set(gone) == {"ephemeral", "message_updates", "other"}, f"classes shed: {gone}")
    missing = told_exactly(sim, daemon, gone)
    equal(missing["TYPING_START"] + missing["PRESENCE_UPDATE"], gone["ephemeral"], "ephemeral")
    names = sim.report()["truth"]["by_name"]
    kept = sum(names[n]["received"] for n in ("TYPING_START", "PRESENCE_UPDATE"))
    check(kept <= CONNECTIONS * 2, f"{kept} presences were kept while messages went")
    equal(missing["MESSAGE_CREATE"], gone["other"], "messages")
    # The last that were sent are there: the oldest went.
    taken = [e["n"] for e in sim.handler_report()["last_events"] if e["name"] == "MESSAGE_CREATE"]
    lost = min(sim.report()["truth"]["missing_first"], key=lambda e: e["n"])["n"]
    check(sum(n > lost for n in taken) > sum(n < lost for n in taken), "the newest were dropped")


@measured
def test_overflow_by_bytes(case):
    sim, daemon = start(case, PLAIN, {"queue": {**QUICK, "max_bytes": "256KiB",
                                                "overflow": "drop-newest"}})
    settle(sim)
    before = rss(daemon)
    sim.handler(down=True)
    sim.load(mix="messages", rate=1500, count=3000, unknown=0)
    load_over(sim)
    wait_until(lambda: sum(shed(daemon).values()) + daemon.queue()["events"] >= 3000,
               what="the daemon to have received everything")
    check(daemon.queue()["bytes"] <= 256 * 1024, f"over the bound: {daemon.queue()}")
    check(rss(daemon) < before + 16 * MIB * PATIENCE, f"from {before} to {rss(daemon)} bytes")
    told_exactly(sim, daemon, shed(daemon))
