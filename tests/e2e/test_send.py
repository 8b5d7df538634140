# SPDX-License-Identifier: Apache-2.0
"""What the bot sends through its shards: limits, queues, refusals (Discord docs, Gateway, Rate Limiting).
The simulator closes with 4008 at the 121st payload of any 60 s; it has to have nothing to complain about."""

import concurrent.futures
import http.client
import json
import os
import time
import urllib.parse

from sessions import error_lines
from streams import labelled

from harness import Skip, check, equal, wait_until

QUEUE = 256  # commands that wait for a shard
VOICE = {"channel_id": None, "self_mute": False, "self_deaf": False}


def start(case, sim=None, config=None):
    options = {"guilds": 8, "guild_bytes": 1000, "shards": 2, "max_concurrency": 2,
               "identify_interval": 100, "identify_tolerance": 50, **(sim or {})}
    simulator = case.simulator(**options)
    daemon = case.daemon(simulator, {"sharding": {"identify_interval": "150ms"}, **(config or {})})
    daemon.wait_ready()
    return simulator, daemon


def guild_on(daemon, shard):
    """A guild of that shard."""
    return next(g for g in guilds(daemon) if (int(g) >> 22) % 2 == shard)


def guilds(daemon):
    answer = daemon.ask("GET", "/v1/guilds?ids=1")
    equal(answer.status, 200, answer)
    ids = [json.loads(line) for line in answer.text.splitlines() if line]
    return [str(i["id"] if isinstance(i, dict) else i) for i in ids]


def send(daemon, op, d, path="/v1/send"):
    return daemon.ask("POST", path, {"op": op, "d": d})


def ops(sim):
    return {int(op): n for op, n in sim.report()["gateway"]["client_ops"].items()}


def flood(daemon, path, body, count, clients=8):
    """`count` times the same, as fast as it goes; the statuses and the Retry-Afters."""
    url = urllib.parse.urlsplit(daemon.address)
    text = json.dumps(body)

    def one(n):
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
        out = []
        for _ in range(n):
            connection.request("POST", path, text, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            out.append((answer.status, answer.headers.get("Retry-After")))
        connection.close()
        return out
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        return [a for part in pool.map(one, [count // clients] * clients) for a in part]


def nobody_complains(sim, daemon):
    gateway = sim.report()["gateway"]
    equal(gateway["rate_limited"], 0, "closes with 4008")
    equal(gateway["protocol_errors"], {}, "protocol errors")
    equal(error_lines(daemon), [], "errors in the log")


def a_flood(case, seconds):
    interval = 5000
    sim, daemon = start(case, {"heartbeat_interval": interval},
                        {"admin": {"listen": "127.0.0.1:0"}})
    guild = guild_on(daemon, 1)
    began = time.monotonic()
    answers = flood(daemon, "/v1/shards/1/send", {"op": 4, "d": {"guild_id": guild, **VOICE}}, 1000)
    took = time.monotonic() - began
    taken = sum(1 for status, _ in answers if status == 202)
    refused = [wait for status, wait in answers if status == 429]
    equal(taken + len(refused), 1000, "answers are 202 or 429")
    # IDENTIFY was one; heartbeats have theirs, and one is kept for a beat that is asked for.
    window = 120 - (60500 // interval + 1) - 2
    equal(taken, window + QUEUE, f"taken of 1000 in {took:.1f} s")
    check(all(1 <= int(wait) <= 61 for wait in refused), f"Retry-After: {set(refused)}")
    wait_until(lambda: ops(sim).get(4, 0) == window, 10, "the first window to be sent")
    equal(daemon.metric("shardgate_commands_waiting"), QUEUE, "commands that wait")
    equal(daemon.get("/v1/shards/1")["commands_waiting"], QUEUE, "commands that wait for the shard")
    got = labelled(daemon, "shardgate_commands_total", "result")
    equal(got, {"sent": window, "refused": len(refused), "expired": 0, "replaced": 0}, "commands")
    # The other shard is free; a presence of the full one, which none waits for yet, is not.
    equal(send(daemon, 4, {"guild_id": guild_on(daemon, 0), **VOICE}).status, 202, "the other shard")
    wait_until(lambda: ops(sim).get(4, 0) == window + 1, 10, "the other shard's")

    def beats():
        return sim.report()["gateway"]["heartbeats"]
    before = beats()
    wait_until(lambda: beats() >= before + 4, 30, "heartbeats beside the queue")
    if seconds:
        wait_until(lambda: ops(sim)[4] == window + QUEUE + 1, seconds, "all that was taken to be sent")
        equal(daemon.metric("shardgate_commands_waiting"), 0, "commands that wait")
    gap = sim.report()["gateway"]["longest_heartbeat_gap_ms"]
    check(gap < interval + 1500, f"{gap} ms between two heartbeats")
    nobody_complains(sim, daemon)


def test_a_thousand_sends_in_a_second(case):
    a_flood(case, 0)


def test_every_command_taken_is_sent_within_the_limits(case):
    if not os.environ.get("SHARDGATE_E2E_LONG"):
        raise Skip("takes three minutes: SHARDGATE_E2E_LONG=1, as script/test-long does")
    a_flood(case, 300)


def test_commands_go_to_the_shard_of_their_guild(case):
    sim, daemon = start(case)
    for shard in (0, 1):
        guild = guild_on(daemon, shard)
        for path in ("/v1/send", f"/v1/shards/{shard}/send"):
            answer = send(daemon, 4, {"guild_id": guild, **VOICE}, path)
            equal(answer.status, 202, answer)
            equal(answer.json()["shard"], shard, "shard")
        other = send(daemon, 4, {"guild_id": guild, **VOICE}, f"/v1/shards/{1 - shard}/send")
        equal(other.status, 422, other)
        check(f"is on shard {shard} of 2" in other.json()["detail"], other)
    equal(send(daemon, 8, {"guild_id": guild, "query": "", "limit": 0}).status, 202, "members")
    equal(send(daemon, 31, {"guild_ids": [guild]}).status, 202, "sounds")
    equal(send(daemon, 43, {"guild_id": guild, "fields": ["status"]}).status, 202, "channel info")
    wait_until(lambda: {op: ops(sim).get(op, 0) for op in (4, 8, 31, 43)} == {4: 4, 8: 1, 31: 1, 43: 1},
               10, "what was taken to be sent")
    nobody_complains(sim, daemon)


def test_what_cannot_be_sent_is_refused_with_a_sentence(case):
    sim, daemon = start(case)
    guild = guild_on(daemon, 0)
    for status, path, op, d in (
            (404, "/v1/shards/7/send", 3, {"status": "idle"}),
            (404, "/v1/shards/x/send", 3, {"status": "idle"}),
            (404, "/v1/shards/0/send?generation=9", 3, {"status": "idle"}),
            (404, "/v1/send", 4, {"guild_id": "99", **VOICE}),
            (422, "/v1/send", 2, {"token": "x"}),
            (422, "/v1/send", 4, VOICE),
            (422, "/v1/send", 8, {"guild_id": guild, "query": "", "limit": 0, "nonce": "x" * 33}),
            (422, "/v1/send", 3, {"status": "dnd", "padding": "x" * 4096}),
            (422, "/v1/send", 3, {"status": "away"})):
        answer = send(daemon, op, d, path)
        equal(answer.status, status, answer)
        equal(answer.headers["Content-Type"], "application/problem+json", answer)
        check(len(answer.json()["detail"]) > 10, answer)
    equal({op: n for op, n in ops(sim).items() if op not in (1, 2)}, {}, "what was sent")
    nobody_complains(sim, daemon)


def test_a_presence_goes_to_every_shard_and_outlives_the_session(case):
    sim, daemon = start(case)
    answer = send(daemon, 3, {"status": "idle", "activities": [{"name": "{{shard}}", "type": 0}]})
    equal(answer.status, 202, answer)
    equal(answer.json()["shards"], 2, "shards")
    wait_until(lambda: ops(sim).get(3, 0) == 2, 10, "a presence on each shard")
    # Newer ones take the place of what waits: five in 20 s and no more.
    for n in range(20):
        equal(send(daemon, 3, {"status": "dnd", "since": n}, "/v1/shards/0/send").status, 202, n)
    wait_until(lambda: ops(sim)[3] == 6, 10, "five presences of one shard")
    equal(daemon.get("/v1/shards/0")["commands_waiting"], 1, "the newest waits")
    equal(labelled(daemon, "shardgate_commands_total", "result")["replaced"], 15, "replaced")
    # A new session says it in its IDENTIFY.
    answer = daemon.ask("POST", "/v1/shards/0/reconnect", {"identify": True})
    equal(answer.status, 202, answer)
    wait_until(lambda: daemon.get("/v1/shards/0")["identifies"] == 2, 30, "a new session")
    wait_until(lambda: daemon.get("/v1/shards/0")["state"] == "ready", 30, "the shard to be back")
    equal(daemon.get("/v1/shards/0")["commands_waiting"], 0, "what the IDENTIFY has said")
    equal(ops(sim)[3], 6, "presences")
    nobody_complains(sim, daemon)


def test_reconnect_resumes_and_loses_nothing(case):
    sim, daemon = start(case)
    before = sim.report()["session_starts"]["remaining"]
    for shard in (0, 1):
        equal(daemon.ask("POST", f"/v1/shards/{shard}/reconnect", {}).status, 202, f"shard {shard}")
    wait_until(lambda: [s["resumes"] for s in daemon.shards()] == [1, 1], 30, "both to resume")
    equal(sim.report()["session_starts"]["remaining"], before, "session starts")
    equal(daemon.ask("POST", "/v1/shards/2/reconnect", {}).status, 404, "no such shard")
    equal(daemon.ask("POST", "/v1/shards/0/reconnect", {"identfy": True}).status, 422, "misspelt")
    daemon.wait_ready()
    nobody_complains(sim, daemon)


def test_a_discordeno_bot_process_is_understood(case):
    sim, daemon = start(case, config={"admin": {"token": "admin-secret"}})
    guild = guild_on(daemon, 1)

    def ask(body, token="admin-secret"):
        return daemon.ask("POST", "/", body, {"Authorization": token})
    for body in ({"type": "ShardPayload", "shardId": 0,
                  "payload": {"op": 4, "d": {"guild_id": guild, **VOICE}}},
                 {"type": "SHARD_PAYLOAD", "shardId": 0, "data": {"op": 3, "d": {"status": "dnd"}}},
                 {"type": "EditShardsPresence", "payload": {"status": "idle", "activities": []}},
                 {"type": "REQUEST_MEMBERS", "guildId": guild, "options": {"query": "a", "limit": 1}}):
        answer = ask(body)
        equal((answer.status, answer.json()), (200, {"processing": True}), body)
    wait_until(lambda: {op: ops(sim).get(op, 0) for op in (3, 4, 8)} == {3: 3, 4: 1, 8: 1}, 10,
               "what was asked for to be sent")
    info = ask({"type": "ShardInfoFromGuild", "guildId": guild}).json()
    equal(info["shardId"], 1, "shard of the guild")
    equal([s["shardId"] for s in ask({"type": "GET_SHARD_INFO"}).json()], [0, 1], "shards")
    for answer in (ask({"type": "GET_SHARD_INFO"}, "wrong"), ask({"type": "IDENTIFY_SHARD"})):
        equal(list(answer.json()), ["message"], answer)
    clock = daemon.ask("GET", "/timecheck", headers={"Authorization": "admin-secret"}).json()["message"]
    check(abs(clock / 1000 - time.time()) < 60, clock)
    nobody_complains(sim, daemon)
