# SPDX-License-Identifier: Apache-2.0
"""What an operator does to a running daemon: pausing and switching the handler, asking for the
guilds, watching events go by; and what clients do that mean no good."""

import concurrent.futures
import json
import socket

from crashes import rss
from streams import load_over, queue_empty, settle, start

from harness import check, equal, holds_for, measured, wait_until

PLAIN = {"unfurls": 0, "edits": 0, "unknown": 0}
QUICK = {"retry_initial": "50ms", "retry_max": "200ms"}


def change(daemon, **what):
    return daemon.post("/v1/handler", what)


def test_a_paused_handler_gets_nothing_and_then_everything(case):
    sim, daemon = start(case, PLAIN)
    settle(sim)
    queue_empty(daemon)
    equal(change(daemon, paused=True)["state"], "paused", "the answer's state")
    equal(daemon.status()["handler"]["state"], "paused", "status")
    equal(daemon.reasons(), ["the handler is paused"], "why it is not ready")
    before = sim.handler_report()["requests"]
    sim.load(mix="A", rate=400, seconds=2)
    load_over(sim)
    queue = daemon.queue()
    check(queue["events"] > 100 and "handler_paused" in queue["causes"], f"the queue: {queue}")
    holds_for(lambda: sim.handler_report()["requests"] == before, 0.5, "silence while paused")
    equal(change(daemon, paused=False)["state"], "up", "the answer's state")
    settle(sim)
    wait_until(daemon.is_ready, what="being ready again")


def test_blue_green_under_load_loses_and_repeats_nothing(case):
    """Back and forth while events flow; what was under way finishes where it was."""
    sim, daemon = start(case, {**PLAIN, "shards": 4, "max_concurrency": 4}, {"queue": QUICK})
    settle(sim)
    blue, green = (sim.ready["handler"] + path for path in ("/blue", "/green"))
    for path in ("/blue", "/green"):
        sim.handler(rules=[{"path": path, "delay_ms": 3}])
    sim.load(mix="A", rate=500, seconds=4)
    wait_until(lambda: sim.state()["load"]["running"], what="the load to begin")
    for n in range(12):
        url = (blue, green)[n % 2]
        answer = change(daemon, urls=[url])
        equal([u["url"] for u in answer["urls"]], [url], "URLs in force")
        if n % 4 == 3:
            change(daemon, paused=True)
            change(daemon, paused=False, urls=[blue, green])
    change(daemon, urls=[green])
    load_over(sim)
    report = settle(sim)
    equal(report["truth"]["duplicates"], 0, "events that arrived twice")
    equal(daemon.queue()["dead_letters"], 0, "dead letters")
    queue_empty(daemon)
    # The URL that was left is not asked any more.
    sim.handler(clear=True)
    sim.handler(rules=[{"path": "/blue", "status": 500}])
    sim.emit(what="message", count=50)
    settle(sim)
    equal(daemon.status()["handler"]["state"], "up", "the handler's state")


def test_a_switch_away_from_a_dead_handler(case):
    sim, daemon = start(case, PLAIN, {"queue": QUICK})
    settle(sim)
    queue_empty(daemon)
    sim.handler(rules=[{"path": "/dead", "status": 503}])
    change(daemon, urls=[sim.ready["handler"] + "/dead"])
    sim.emit(what="message", count=100)
    wait_until(lambda: daemon.status()["handler"]["state"] == "down", what="the handler to count as down")
    change(daemon, urls=[sim.handler_url()])
    settle(sim)
    for bad in ({"urls": []}, {"urls": ["ftp://x/"]}, {"paused": 1}, {"x": 1}, {}, []):
        equal(daemon.ask("POST", "/v1/handler", body=bad).status, 422, f"{bad}")
    equal(daemon.status()["handler"]["state"], "up", "after what was refused")


def test_the_guilds(case):
    sim, daemon = start(case, {"guilds": 150})
    settle(sim)
    wait_until(lambda: daemon.get("/v1/guilds")["complete"], what="every guild to be known")
    count = daemon.get("/v1/guilds")
    equal((count["count"], count["unavailable"]), (150, 0), "count")
    answer = daemon.ask("GET", "/v1/guilds?ids=1")
    ids = [json.loads(line) for line in answer.text.splitlines()]
    equal(sorted(ids, key=int), sorted((g["id"] for g in sim.get("/guilds")), key=int), "ids")


class Tail:
    """A client of GET /v1/events or /v1/stats on the daemon's unix socket."""

    def __init__(self, daemon, target, buffer=None):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.connect(daemon.address[5:])
        self.socket.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        self.text = ""

    def read_more(self):
        piece = self.socket.recv(1 << 20)
        self.text += piece.decode("utf-8", "replace")
        return piece

    def read_until(self, text):
        while text not in self.text:
            check(self.read_more(), f"the stream ended before {text!r}")
        return self.text

    def events(self):
        """Those of whole lines; chunks' sizes stand on lines of their own."""
        out = []
        for line in self.text.split("\n")[:-1]:
            if line.startswith('data: {"t"'):
                out.append(json.loads(line[6:]))
        return out

    def told_to_come_back(self):
        try:
            return self.socket.recv(12) == b"HTTP/1.1 503"
        except ConnectionResetError:  # let in, and dropped
            return False

    def close(self):
        self.socket.close()


def test_a_live_tail(case):
    sim, daemon = start(case, PLAIN)
    settle(sim)
    guild = sim.get("/guilds")[0]["id"]
    every = Tail(daemon, "/v1/events?payload=1")
    one = Tail(daemon, f"/v1/events?type=MESSAGE_CREATE&guild={guild}")
    every.read_until("retry")
    one.read_until("retry")
    sim.emit(what="message", guild=guild, count=5)
    sim.emit(what="interaction", count=1)
    sim.emit(what="message", guild=sim.get("/guilds")[1]["id"], count=5)
    settle(sim)
    wait_until(lambda: every.read_more() and len([e for e in every.events()
               if e["t"] == "MESSAGE_CREATE"]) == 10, what="ten messages in the tail")
    seen = every.events()
    check(all(e["d"]["guild_id"] == e["guild"] for e in seen if e["t"] == "MESSAGE_CREATE"),
          "payloads are those of their events")
    hidden = [e for e in seen if e["t"] == "INTERACTION_CREATE"]
    equal([(e["d"], e["withheld"]) for e in hidden], [(None, True)], "interactions keep their token")
    wait_until(lambda: len(one.events()) == 5 or (one.read_more() and False), what="five messages")
    equal({(e["t"], e["guild"]) for e in one.events()}, {("MESSAGE_CREATE", guild)}, "filtered")
    equal(daemon.metric("shardgate_admin_streams"), 2, "open streams")
    every.close()
    one.close()
    wait_until(lambda: daemon.metric("shardgate_admin_streams") == 0, what="nobody to watch")


def test_figures_for_the_dashboard(case):
    sim, daemon = start(case, PLAIN)
    settle(sim)
    feed = Tail(daemon, "/v1/stats")
    feed.read_until("}\n\n\r\n")
    first = json.loads(next(x for x in feed.text.split("\n") if x.startswith("data:"))[5:])
    equal(first["status"]["shards"]["ready"], 2, "ready shards")
    equal([len(s["shards"]) for s in first["sets"]], [2], "shards of the set")
    equal({first["states"][row[1]] for row in first["sets"][0]["shards"]}, {"ready"}, "states")
    check(first["totals"]["received"] > 0, f"totals: {first['totals']}")


@measured
def test_fifty_deaf_tails_do_no_harm(case):
    """They never read: of each no more than a buffer waits, and after ten seconds it is dropped.
    Events arrive as if nobody were there."""
    sim, daemon = start(case, {**PLAIN, "shards": 4, "max_concurrency": 4})
    settle(sim)
    deaf = [Tail(daemon, "/v1/events?payload=1", buffer=4096) for _ in range(50)]
    wait_until(lambda: daemon.metric("shardgate_admin_streams") == 16, what="16 to be let in")
    memory = rss(daemon)
    sim.load(mix="A", rate=400, seconds=16)
    wait_until(lambda: daemon.metric("shardgate_admin_tail_dropped_events_total") > 0, 30,
               "events that a tail left out")
    worst = 0

    def dropped():
        nonlocal worst
        worst = max(worst, daemon.queue()["events"])
        return daemon.metric("shardgate_admin_slow_readers_total") >= 16
    wait_until(dropped, 40, "all sixteen to be dropped")
    grown = rss(daemon) - memory
    check(grown < 64 << 20, f"memory grew by {grown / 2**20:.0f} MiB")
    check(worst < 2000, f"{worst} events were waiting: the handler's way was held up")
    load_over(sim)
    settle(sim)
    wait_until(lambda: daemon.metric("shardgate_admin_streams") == 0, what="nobody to watch")
    equal(sum(t.told_to_come_back() for t in deaf), 34, "clients that were told to come back later")
    for tail in deaf:
        tail.close()
    again = Tail(daemon, "/v1/events")
    again.read_until("retry")


def test_bodies_that_are_no_changes(case):
    """Every call that changes something, with every kind of body: a problem or a clean close, and
    nothing happens."""
    sim, daemon = start(case, PLAIN)
    settle(sim)
    deep = b"[" * 5000
    bodies = [b"", b"{", b"null", b"[]", b"{}x", b"\xff\xfe", b'"' + b"a" * 60000 + b'"', deep,
              b'{"paused":"' + b"\\u0000" * 1000 + b'"}', b'{"shards":1e999}', b'{"urls":{}}',
              b'{"keys":[[[]]]}', b"{\"paused\":true}" * 2]
    calls = ["/v1/handler", "/v1/reshard"]
    for call in calls:
        for body in bodies:
            answer = daemon.ask("POST", call, body=body,
                                headers={"Content-Type": "application/json"})
            check(answer.status in (400, 422), f"{call} {body[:20]!r}: {answer.status}")
            check(len(answer.text) < 2000 and answer.json()["detail"], f"{call}: {answer.text[:99]}")
        for method in ("PUT", "PATCH", "OPTIONS", "TRACE", "BREW"):
            equal(daemon.ask(method, call).status, 405, f"{method} {call}")
        equal(daemon.ask("POST", call, body=b"x" * 70000,
                         headers={"Content-Type": "application/json"}).status, 413, f"huge {call}")
        equal(daemon.ask("POST", call, body=b"{}").status, 415, f"{call} without its type")
    equal(daemon.status()["handler"]["state"], "up", "the handler")
    equal(daemon.get("/v1/reshard")["state"], "idle", "resharding")


def exchange(daemon, data, seconds=30):
    """All that a connection answers until it is closed or silent."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(seconds)
        s.connect(daemon.address[5:])
        got = b""
        try:
            s.sendall(data)
            while True:
                piece = s.recv(65536)
                if not piece:
                    return got
                got += piece
        except (ConnectionResetError, BrokenPipeError):
            return got


def test_slow_and_pipelined_and_broken(case):
    sim, daemon = start(case, PLAIN)
    settle(sim)
    body = b'{"paused":true}'
    head = (b"POST /v1/handler HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
    for lengths in (b"Content-Length: 15\r\nContent-Length: 16\r\n",
                    b"Content-Length: 15\r\nTransfer-Encoding: chunked\r\n",
                    b"Transfer-Encoding: chunked, gzip\r\n", b"Content-Length: -1\r\n",
                    b"Content-Length: 99999999999999999999\r\n", b"Content-Length: 0x0f\r\n"):
        got = exchange(daemon, head + lengths + b"\r\n" + body)
        check(got[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 413", b"HTTP/1.1 501"), f"{lengths}: {got[:80]}")
        equal(got.count(b"HTTP/1.1 "), 1, "answers to one request")
    # A header section and a body that never end are given up in time, the connection is not kept.
    halves = (b"GET /healthz HTT", head + b"Content-Length: 15\r\n\r\n{")
    with concurrent.futures.ThreadPoolExecutor(2) as both:
        for got in both.map(lambda half: exchange(daemon, half), halves):
            check(got.startswith(b"HTTP/1.1 408"), f"half a request: {got[:80]}")
    many = b"GET /v1/queue HTTP/1.1\r\nHost: localhost\r\n\r\n" * 500
    got = exchange(daemon, many + b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    equal(got.count(b"HTTP/1.1 200"), 501, "answers to pipelined requests")
    equal(daemon.status()["handler"]["state"], "up", "nothing was changed")
