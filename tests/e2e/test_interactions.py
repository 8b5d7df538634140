# SPDX-License-Identifier: Apache-2.0
"""Interactions that the handler does not take in time are answered in its stead, once, with what
their kind allows. Discord's three seconds are real ones here: the simulator runs at scale 1."""

import http.server
import json
import threading
import urllib.error
import urllib.request

from harness import PATIENCE, check, equal, wait_until
from streams import labelled, queue_empty, settle, start

QUICK = {"retry_initial": "50ms", "retry_max": "200ms"}
PLAIN = {"unfurls": 0, "edits": 0, "unknown": 0}
COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 2, 3, 4, 5


class Rest:
    """A REST proxy before the simulator that keeps the bodies of interaction callbacks."""

    def __init__(self, sim):
        self.bodies, proxied = [], sim.ready["rest"]
        rest = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def forward(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))) or None
                if self.path.endswith("/callback"):
                    rest.bodies.append(json.loads(body))
                headers = {k: v for k, v in self.headers.items()
                           if k.lower() in ("authorization", "content-type", "user-agent")}
                request = urllib.request.Request(proxied + self.path, body, headers,
                                                 method=self.command)
                try:
                    answer = urllib.request.urlopen(request, timeout=10)
                except urllib.error.HTTPError as error:
                    answer = error
                text = answer.read()
                self.send_response(answer.status)
                self.send_header("Content-Type", "application/json")
                if answer.status != 204:
                    self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = forward

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/api/v10"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def emit(sim, kind, count=4, **more):
    """Their ids."""
    return sim.emit(what="interaction", type=kind, count=count, **more)["ids"]


def answered(sim):
    """{callback type: n}, checked: all in time, none twice, none that its kind does not allow."""
    report = sim.report()["interactions"]
    for name, kind in report["kinds"].items():
        for wrong in ("late", "twice", "illegal", "malformed"):
            equal(kind[wrong], 0, f"{name} {wrong}")
    equal(report["unknown"], 0, "callbacks for interactions that do not exist")
    return {int(t): n for t, n in report["answers_by_type"].items()}


def outcomes(daemon):
    found = labelled(daemon, "shardgate_interactions_total", "outcome")
    return {name: n for name, n in found.items() if n}


def marks(sim):
    """{interaction's mark: n} of the INTERACTION_CREATEs that the handler took."""
    found = {}
    for event in sim.handler_report()["last_events"]:
        if event["name"] == "INTERACTION_CREATE":
            mark = event.get("interaction", "none")
            found[mark] = found.get(mark, 0) + 1
    return found


def follow_ups(sim):
    """{interaction id: how} of the SHARDGATE_INTERACTIONs that the handler took."""
    own = [o["event"]["data"]["d"] for o in sim.handler_report()["own_events"]
           if o["name"] == "SHARDGATE_INTERACTION"]
    found = {d["id"]: d["how"] for d in own}
    equal(len(found), len(own), "one SHARDGATE_INTERACTION for each")
    return found


def never_come(sim, count):
    """All but `count` interactions, which were answered for good, arrive. Some of these the
    simulator itself no longer waits for."""
    names = settle(sim, missing=count - sim.report()["truth"]["lost"])["truth"]["by_name"]
    left = {name: n["sent"] - n["received"] for name, n in names.items()}
    equal({name: n for name, n in left.items() if n}, {"INTERACTION_CREATE": count}, "not arrived")


def three_seconds_over(sim):
    wait_until(lambda: all(i["age_ms"] > 3100 for i in sim.get("/interactions")), 10,
               "three seconds to be over")


def all_kinds(sim):
    emit(sim, COMMAND)
    emit(sim, COMPONENT)
    emit(sim, AUTOCOMPLETE)
    emit(sim, MODAL)
    emit(sim, MODAL, from_component=True)
    emit(sim, COMMAND, count=2, dm=True)


def test_an_outage_defers_each_kind_as_it_must_be(case):
    sim, daemon = start(case, PLAIN, {"queue": QUICK})
    settle(sim)
    sim.handler(down=True)
    all_kinds(sim)
    wait_until(lambda: sum(answered(sim).values()) == 22, 10, "all answers")
    equal(answered(sim), {5: 14, 6: 4, 8: 4}, "answers by type")
    equal(outcomes(daemon), {"deferred": 18, "message": 4}, "interactions_total")
    slowest = sim.report()["interactions"]["slowest_ms"]
    check(slowest < 3000, f"the slowest answer took {slowest} ms")
    quickest = min(i["answered_after_ms"] for i in sim.get("/interactions"))
    check(quickest > 1900, f"answered after {quickest} ms, before the handler's time was over")
    sim.handler(down=False)
    never_come(sim, 4)
    queue_empty(daemon)
    equal(marks(sim), {"deferred": 14, "deferred-update": 4}, "X-Shardgate-Interaction")
    equal(follow_ups(sim), {}, "SHARDGATE_INTERACTION where the mark said it")


def test_a_handler_that_takes_them_is_left_to_answer(case):
    sim, daemon = start(case, PLAIN)
    settle(sim)
    all_kinds(sim)
    settle(sim)
    three_seconds_over(sim)
    equal(answered(sim), {}, "answers in the handler's stead")
    equal(sim.report()["rest"]["calls"], {"GET /gateway/bot": 1}, "REST calls")
    equal(outcomes(daemon), {"taken": 22}, "interactions_total")
    equal(marks(sim), {"none": 22}, "X-Shardgate-Interaction")


def test_modals_can_be_answered_with_a_message(case):
    world = case.simulator(**PLAIN, guilds=5, guild_bytes=2000, shards=1, identify_interval=100)
    rest = Rest(world)
    try:
        daemon = case.daemon(world, {
            "sharding": {"identify_interval": "150ms"}, "queue": QUICK,
            "discord": {"api_url": rest.url},
            "interactions": {"modal_submit": "message", "ephemeral": True, "deadline": "500ms",
                             "message": "Gone \"fishing\" \u2603", "support_url": "https://a.example/h"}})
        daemon.wait_ready()
        settle(world)
        world.handler(down=True)
        emit(world, MODAL, count=3)
        emit(world, COMMAND, count=2)
        emit(world, COMPONENT, count=1)
        wait_until(lambda: sum(answered(world).values()) == 6, 10, "all answers")
    finally:
        rest.stop()
    equal(answered(world), {4: 3, 5: 2, 6: 1}, "answers by type")
    by_type = {body["type"]: body for body in rest.bodies}
    equal(by_type[4], {"type": 4, "data": {"content": "Gone \"fishing\" \u2603 https://a.example/h",
                                           "flags": 64}}, "the message")
    equal(by_type[5], {"type": 5, "data": {"flags": 64}}, "the deferral")
    equal(by_type[6], {"type": 6}, "the deferred update")
    equal(outcomes(daemon), {"deferred": 3, "message": 3}, "interactions_total")
    world.handler(down=False)
    never_come(world, 3)
    equal(marks(world), {"deferred": 2, "deferred-update": 1}, "X-Shardgate-Interaction")


def test_without_auto_defer_nobody_answers(case):
    sim, daemon = start(case, PLAIN, {"queue": QUICK, "interactions": {"auto_defer": False}})
    settle(sim)
    sim.handler(down=True)
    all_kinds(sim)
    three_seconds_over(sim)
    equal(answered(sim), {}, "answers")
    wait_until(lambda: outcomes(daemon) == {"expired": 22}, 10, "all to be counted as expired")
    sim.handler(down=False)
    settle(sim)
    equal(marks(sim), {"expired": 22}, "X-Shardgate-Interaction")


def test_a_slow_handler_hears_of_the_deferral(case):
    sim, daemon = start(case, PLAIN, {"handler": {"timeout": f"{int(20 * PATIENCE)}s"}})
    settle(sim)
    sim.handler(rules=[{"event": "INTERACTION_CREATE", "delay_ms": 2500}])
    slow = emit(sim, COMMAND, count=3)
    slow_components = emit(sim, COMPONENT, count=2)
    settle(sim)
    wait_until(lambda: len(follow_ups(sim)) == 5, 10, "a SHARDGATE_INTERACTION for each")
    wanted = {**{i: "deferred" for i in slow}, **{i: "deferred-update" for i in slow_components}}
    equal(follow_ups(sim), wanted, "SHARDGATE_INTERACTION")
    equal(answered(sim), {5: 3, 6: 2}, "answers by type")
    # They left before anybody had answered.
    equal(marks(sim), {"none": 5}, "X-Shardgate-Interaction")
    equal(outcomes(daemon), {"deferred": 5}, "interactions_total")


def test_what_was_deferred_can_be_filled(case):
    """The daemon's deferral opens the interaction's token to whoever comes to answer it at last."""
    sim, daemon = start(case, PLAIN, {"queue": QUICK})
    settle(sim)
    sim.handler(down=True)
    emit(sim, COMMAND, 2)
    emit(sim, COMPONENT, 1)
    wait_until(lambda: sum(answered(sim).values()) == 3, 10, "all answers")
    equal(sorted((m["original"], m["loading"]) for m in sim.get("/replies")),
          [(True, False), (True, True), (True, True)], "originals and whether they load")
    for n, interaction in enumerate(sim.get("/interactions")):
        patch = urllib.request.Request(
            sim.ready["rest"] + "/api/v10" + interaction["webhook"] + "/messages/@original",
            json.dumps({"content": f"answer {n}"}).encode(), {"Content-Type": "application/json"},
            method="PATCH")
        with urllib.request.urlopen(patch, timeout=10) as answer:
            equal(answer.status, 200, "PATCH @original")
    equal(sorted((m["content"], m["loading"]) for m in sim.get("/replies")),
          [("answer 0", False), ("answer 1", False), ("answer 2", False)], "what they say now")
    sim.handler(down=False)
    queue_empty(daemon)


def test_a_retry_carries_the_mark(case):
    sim, daemon = start(case, PLAIN, {"queue": QUICK, "interactions": {"deadline": "300ms"}})
    settle(sim)
    sim.handler(rules=[{"event": "INTERACTION_CREATE", "status": 500, "delay_ms": 600,
                        "times": 4}])
    emit(sim, COMMAND, count=4)
    settle(sim)
    equal(marks(sim), {"deferred": 4}, "X-Shardgate-Interaction")
    equal(follow_ups(sim), {}, "SHARDGATE_INTERACTION where the mark said it")
    equal(answered(sim), {5: 4}, "answers by type")


def test_callbacks_that_discord_limits_are_tried_again(case):
    sim, daemon = start(case, PLAIN, {"queue": QUICK, "interactions": {"deadline": "1s"}})
    settle(sim)
    sim.handler(down=True)
    sim.fault(rest={"path": "/callback", "status": 429, "retry_after": 0.1, "next": 3})
    emit(sim, COMMAND, count=4)
    wait_until(lambda: answered(sim) == {5: 4}, 10, "all answers")
    equal(sim.report()["rest"]["answers"]["429"], 3, "callbacks that were limited")
    equal(outcomes(daemon), {"deferred": 4}, "interactions_total")
    sim.handler(down=False)
    settle(sim)
    equal(marks(sim), {"deferred": 4}, "X-Shardgate-Interaction")


def fate_not_known(case, fault):
    sim, daemon = start(case, PLAIN, {"queue": QUICK, "interactions": {"deadline": "500ms"}})
    settle(sim)
    sim.handler(down=True)
    sim.fault(rest={"path": "/callback", **fault, "next": 2})
    emit(sim, COMMAND, count=2)
    three_seconds_over(sim)
    equal(answered(sim), {}, "answers")
    equal(sim.report()["rest"]["calls"]["POST /interactions/\u2026/callback"], 2, "callbacks")
    wait_until(lambda: outcomes(daemon) == {"failed": 2}, 10, "both to be counted as failed")
    sim.handler(down=False)
    settle(sim)
    # The handler's best chance: an edit of the answer does no harm if there is none.
    equal(marks(sim), {"acknowledged": 2}, "X-Shardgate-Interaction")


def test_a_callback_that_discord_fails_on_is_not_repeated(case):
    fate_not_known(case, {"status": 500})


def test_a_callback_whose_answer_never_came_is_not_repeated(case):
    fate_not_known(case, {"status": 0})


def test_interactions_overtake_a_backlog(case):
    sim, daemon = start(case, PLAIN, {"handler": {"connections": 2}})
    settle(sim)
    sim.handler(rules=[{"event": "MESSAGE_CREATE", "delay_ms": 20}])
    sim.load(mix="messages", rate=500, count=500, unknown=0)
    wait_until(lambda: daemon.queue()["events"] > 200, what="a backlog")
    # A lane of its own each: within a guild nothing overtakes.
    emit(sim, COMMAND, count=5, dm=True)
    wait_until(lambda: sum(marks(sim).values()) == 5, 10, "the interactions")
    check(daemon.queue()["events"] > 50, "the backlog had gone before them")
    equal(outcomes(daemon), {"taken": 5}, "interactions_total")
    sim.handler(clear=True)
    settle(sim)
