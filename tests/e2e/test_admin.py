# SPDX-License-Identifier: Apache-2.0
"""The admin API of a running daemon: every route, who may ask, and numbers that add up with what the
simulator knows."""

import re
import socket

from harness import Endpoint, check, equal, holds_for, wait_until
from streams import (SHARDING, failures, labelled, load_over, queue_empty, requests, settle,
                     start)

ROUTES = ("/healthz", "/readyz", "/metrics", "/v1/status", "/v1/shards", "/v1/shards/1", "/v1/queue")
QUICK = {"retry_initial": "50ms", "retry_max": "200ms"}
STATUS_KEYS = {"version", "uptime_s", "generation", "guilds", "shards", "session_start_limit",
               "handler", "queue", "plan"}
SHARD_KEYS = {"id", "total", "generation", "state", "session", "received", "safe", "latency_ms",
              "guilds", "guilds_loaded", "events", "last_close", "worker", "url"}
QUEUE_KEYS = {"events", "bytes", "spooled_events", "spooled_bytes", "oldest_age_s", "dead_letters",
              "shed"}


def test_every_route_answers(case):
    sim, daemon = start(case)
    for path in ROUTES:
        got, head = daemon.ask("GET", path), daemon.ask("HEAD", path)
        equal(got.status, 200, path)
        equal(head.status, 200, f"HEAD {path}")
        equal(head.body, b"", f"body of HEAD {path}")
        equal(daemon.ask("GET", path + "?unknown=1").status, 200, f"{path} with a query")
        for method in ("PUT", "DELETE", "BREW"):
            no = daemon.ask(method, path, body={})
            equal(no.status, 405, f"{method} {path}")
            equal(no.headers["Content-Type"], "application/problem+json", "Content-Type")
            check("GET" in no.headers["Allow"], f"Allow of {method} {path}")
    for path in ("/v1", "/v1/nothing", "/v1/shards/2", "/v1/shards/x", "/v1/shards/1/x",
                 "/v1/shards?generation=7", "/../etc/passwd"):
        no = daemon.ask("GET", path)
        equal(no.status, 404, path)
        equal(no.json()["status"], 404, f"{path}: the problem's status")
        check(len(no.json()["detail"]) > 10, f"{path}: {no}")
    equal(daemon.ask("GET", "/v1/shards?generation=x").status, 400, "generation=x")
    equal([s["id"] for s in daemon.get("/v1/shards?generation=1")], [0, 1], "generation=1")
    equal(sim.report()["pacing_violations"], 0, "pacing violations")


def test_the_numbers_are_those_of_the_world(case):
    sim, daemon = start(case, {"guilds": 40, "dms": 5, "unfurls": 0.5, "edits": 0.3, "scale": 10,
                               "identify_interval": 1000, "identify_tolerance": 500},
                        {"filter": {"drop": ["TYPING_START"]}})
    sim.expect(drop=["TYPING_START"])
    sim.handler(rules=[{"event": "MESSAGE_DELETE", "status": 422, "times": 1}])
    sim.emit(what="message", count=20)
    sim.emit(what="delete", count=1)
    wait_until(lambda: daemon.queue()["dead_letters"] == 1, what="the refused event")
    sim.load(mix="A", rate=500, seconds=2)
    load_over(sim)
    report = settle(sim, missing=1)
    queue_empty(daemon)
    truth, handler = report["truth"], report["handler"]

    status = daemon.status()
    check(STATUS_KEYS <= set(status), f"keys of /v1/status: {sorted(status)}")
    equal(status["guilds"], 40, "guilds")
    equal({k: status["shards"][k] for k in ("total", "first", "last", "ready")},
          {"total": 2, "first": 0, "last": 1, "ready": 2}, "shards")
    limit = report["session_starts"]
    equal(status["session_start_limit"]["total"], limit["total"], "session starts")
    equal(status["session_start_limit"]["remaining"], limit["remaining"], "session starts left")
    equal(status["plan"]["total"], 2, "plan")
    equal(status["plan"]["source"], "discord", "source of the plan")
    equal(status["handler"]["state"], "up", "handler")
    equal([u["in_flight"] for u in status["handler"]["urls"]], [0], "in flight")

    shards = daemon.shards()
    seqs = {s["shard"]: s["seq"] for s in sim.state()["sessions"]}
    for shard in shards:
        check(SHARD_KEYS <= set(shard), f"keys of a shard: {sorted(shard)}")
        equal(shard["received"], seqs[shard["id"]], f"received by shard {shard['id']}")
        equal(shard, {**daemon.get(f"/v1/shards/{shard['id']}"),
                      **{k: shard[k] for k in ("state_age_s", "latency_ms", "safe", "wire_bytes",
                                               "payload_bytes")}}, "the shard alone")
        full = next(s["session"] for s in sim.state()["sessions"] if s["shard"] == shard["id"])
        check(shard["session"].rstrip("\u2026") and full.startswith(shard["session"].rstrip("\u2026"))
              and len(shard["session"]) <= 9, f"session {shard['session']} of {full}")
    equal(sum(s["guilds"] for s in shards), 40, "guilds of the shards")

    got = labelled(daemon, "shardgate_gateway_events_total", "type")
    equal(sum(got.values()), truth["sent"] + 2, "gateway_events_total (with two READYs)")
    equal(sum(s["events"] for s in shards), sum(got.values()), "events of the shards")
    for name in ("MESSAGE_CREATE", "MESSAGE_UPDATE", "TYPING_START", "PRESENCE_UPDATE"):
        equal(got[name], report["events_by_name"][name], f"gateway_events_total of {name}")
    filtered = labelled(daemon, "shardgate_filtered_events_total", "reason")
    equal(filtered, {"event_name": report["events_by_name"]["TYPING_START"],
                     "unchanged_message": truth["unfurls_sent"], "loaded_guild": 0}, "filtered")
    equal(requests(daemon), {"accepted": handler["by_status"]["204"], "refused": 1, "failed": 0,
                             "timeout": 0}, "requests")
    equal(sum(requests(daemon).values()), handler["requests"], "requests in all")
    for name in ("shardgate_handler_request_seconds", "shardgate_delivery_lag_seconds"):
        equal(daemon.metric(name + "_count"),
              handler["requests"] - (0 if "request" in name else 1), name)
    equal(daemon.metric("shardgate_handler_connections"), handler["connections_open"], "connections")
    equal(daemon.metric("shardgate_identify_total", result="ready"), 2, "identify_total{ready}")
    equal(daemon.metric("shardgate_guilds"), 40, "guilds")
    equal(daemon.metric("shardgate_dead_letters"), 1, "dead letters")
    check(QUEUE_KEYS <= set(daemon.queue()), f"keys of /v1/queue: {daemon.queue()}")
    equal(daemon.queue()["events"], 0, "queue")
    sent = daemon.metric("shardgate_gateway_received_bytes_total", kind="payload")
    wire = daemon.metric("shardgate_gateway_received_bytes_total", kind="wire")
    check(0 < wire < sent, f"{wire} bytes on the wire, {sent} inflated")


def reasons(daemon):
    answer = daemon.ask("GET", "/readyz")
    return None if answer.status == 200 else " / ".join(answer.json()["reasons"])


def test_readyz_follows_shards_and_handler(case):
    # A slow world: its guilds trickle in.
    sim = case.simulator(guilds=30, guild_bytes=2000, shards=2, max_concurrency=1, guild_rate=15,
                         identify_interval=100, identify_tolerance=50)
    daemon = case.daemon(sim, {"sharding": SHARDING, "queue": QUICK, "admin": {
        "ready_grace": "1s", "listen": "unix:" + case.directory + "/admin.sock"}})
    why = wait_until(lambda: reasons(daemon), what="not being ready at start")
    check("shard" in why or "waiting" in why, f"why not ready at start: {why}")
    daemon.wait_shards("loading", 1)
    check("loading" in reasons(daemon) or "not ready" in reasons(daemon), "why: loading")
    equal(daemon.ask("GET", "/healthz").status, 200, "healthz while loading")
    wait_until(lambda: reasons(daemon) is None, 30, "being ready")
    settle(sim)

    sim.handler(down=True)
    sim.emit(what="message", count=10)
    equal(wait_until(lambda: reasons(daemon), what="the handler to count"), "the handler is down")
    equal(daemon.metric("shardgate_handler_state", state="down"), 1, "handler_state{down}")
    check(daemon.queue()["oldest_age_s"] >= 0 and daemon.queue()["events"] >= 10, "queue")
    check("refused" in daemon.status()["handler"]["urls"][0]["last_error"], "last_error")
    sim.handler(down=False)
    wait_until(lambda: reasons(daemon) is None, 30, "being ready again")
    settle(sim)
    check(failures(daemon) >= 1, "the failed requests are counted")
    equal(daemon.status()["handler"]["urls"][0]["last_error"], None, "last_error")


def test_a_short_resume_is_not_unreadiness(case):
    sim, daemon = start(case, config={"admin": {
        "ready_grace": "60s", "listen": "unix:" + case.directory + "/admin.sock"}})
    resumed = daemon.metric("shardgate_resume_total", result="resumed")
    equal(sim.fault(kind="close", shards=[1], code=4000)["met"], 1, "connections closed")
    holds_for(lambda: reasons(daemon) is None, 1, "ready while a shard resumes")
    wait_until(lambda: daemon.metric("shardgate_resume_total", result="resumed") == resumed + 1,
               what="the RESUME to be counted")
    equal(daemon.get("/v1/shards/1")["last_close"], 4000, "last_close")
    equal(daemon.metric("shardgate_closes_total", code="4000"), 1, "closes_total")


def over_tcp(case, sim, admin):
    """A daemon with a TCP listener: its endpoint without a token."""
    daemon = case.daemon(sim, {"sharding": SHARDING,
                               "admin": {"listen": "127.0.0.1:0", **admin}})
    port = int(daemon.wait_log(r"admin API address=127\.0\.0\.1:(\d+)").group(1))
    daemon.address = f"http://127.0.0.1:{port}"
    return daemon.wait_ready(), Endpoint(daemon.address)


def test_tokens(case):
    sim = case.simulator(guilds=4, shards=2, max_concurrency=2, identify_interval=100)
    daemon, anybody = over_tcp(case, sim, {"token": "adm1n-token", "metrics_token": "metr1cs-token"})
    for path in ROUTES:
        wanted = 200 if path in ("/healthz", "/readyz") else 401
        equal(anybody.ask("GET", path).status, wanted, f"{path} without a token")
        for wrong in ("Bearer wrong", "Bearer ", "Basic adm1n-token", "adm1n-token",
                      "Bearer adm1n-token2", "Bearer adm1n-toke"):
            equal(anybody.ask("GET", path, headers={"Authorization": wrong}).status, wanted,
                  f"{path} with {wrong!r}")
        if path != "/metrics":
            equal(daemon.ask("GET", path).status, 200, f"{path} with the admin token")
    equal(anybody.ask("GET", "/metrics", headers={"Authorization": "Bearer metr1cs-token"}).status,
          200, "metrics with their token")
    equal(anybody.ask("GET", "/v1/status", headers={"Authorization": "Bearer metr1cs-token"}).status,
          401, "status with the metrics token")
    equal(anybody.ask("GET", "/v1/nothing").status, 401, "what there is, is not told")


def test_no_web_page_gets_at_a_daemon_without_a_token(case):
    sim = case.simulator(guilds=4, shards=2, max_concurrency=2, identify_interval=100)
    daemon, local = over_tcp(case, sim, {})
    port = local.address.rsplit(":", 1)[1]
    for host in (f"127.0.0.1:{port}", "localhost", f"[::1]:{port}"):
        equal(local.ask("GET", "/v1/status", headers={"Host": host}).status, 200, f"Host: {host}")
    for path in ("/v1/status", "/metrics"):
        equal(local.ask("GET", path, headers={"Host": "evil.example"}).status, 403, "foreign Host")
        equal(local.ask("GET", path, headers={"Origin": "https://evil.example"}).status, 403,
              "foreign Origin")
    check(daemon.is_ready(), "ready")


def raw(address, data):
    """What a connection that sends `data` gets, until it is closed."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(address[5:])
        connection.sendall(data)
        got = b""
        while True:
            piece = connection.recv(65536)
            if not piece:
                return got
            got += piece


def test_bytes_that_are_no_requests(case):
    _, daemon = start(case)
    for data in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200) + b"\r\n\r\n",
                 b"GET / HTTP/9.9\r\n\r\n",
                 b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                 b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"):
        equal(raw(daemon.address, data)[:12], b"HTTP/1.1 400", f"the answer to {data[:40]!r}")
    long = raw(daemon.address, b"GET / HTTP/1.1\r\nX: " + b"y" * 20000 + b"\r\n\r\n")
    check(long.startswith(b"HTTP/1.1 431"), f"the answer to a long header: {long[:40]!r}")
    two = raw(daemon.address, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
                              b"GET /v1/queue HTTP/1.1\r\nHost: localhost\r\n"
                              b"Connection: close\r\n\r\n")
    equal(len(re.findall(rb"HTTP/1.1 200", two)), 2, "answers to two pipelined requests")
    equal(daemon.metric("shardgate_admin_bad_requests_total") >= 3, True, "bad requests are counted")
