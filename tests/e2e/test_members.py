# SPDX-License-Identifier: Apache-2.0
"""POST /v1/guilds/{id}/members: collected chunks, which the handler does not see, and what ends a request
(Discord docs, Gateway Events, Request Guild Members)."""

import json

from streams import labelled
from test_send import guild_on, nobody_complains, ops, send, start

from harness import check, equal, wait_until

INTENTS = {"discord": {"intents": ["GUILDS", "GUILD_MEMBERS", "GUILD_MESSAGES"]}}


def ask(daemon, guild, body=None):
    return daemon.ask("POST", f"/v1/guilds/{guild}/members", body if body is not None else {}, timeout=60)


def lines(answer):
    equal(answer.status, 200, answer)
    equal(answer.headers["Content-Type"], "application/x-ndjson", "content type")
    return [json.loads(line) for line in answer.text.splitlines()]


def test_members_are_collected_and_not_forwarded(case):
    sim, daemon = start(case, {"members": 3500}, INTENTS)
    guild = guild_on(daemon, 1)
    got = lines(ask(daemon, guild))
    equal([c["chunk_index"] for c in got], [0, 1, 2, 3], "chunks")
    equal(sum(len(c["members"]) for c in got), 3500, "members")
    equal({c["guild_id"] for c in got}, {guild}, "guild")
    equal(ops(sim)[8], 1, "requests")
    few = lines(ask(daemon, guild, {"query": "member12", "limit": 7}))
    equal([len(c["members"]) for c in few], [7], "by a prefix")
    wait_until(lambda: daemon.queue()["events"] == 0, 10, "the queue to be empty")
    forwarded = labelled(daemon, "shardgate_handler_requests_total", "outcome")["accepted"]
    # The bot's own request, with a nonce or without, is the handler's.
    equal(send(daemon, 8, {"guild_id": guild, "query": "member1", "limit": 1, "nonce": "mine"}).status,
          202, "the bot's own")
    wait_until(lambda: sim.report()["bot_ops"]["member_chunks"] == 6, 10, "its chunk")
    wait_until(lambda: daemon.queue()["events"] == 0, 10, "the queue to be empty")
    equal(labelled(daemon, "shardgate_handler_requests_total", "outcome")["accepted"] - forwarded, 1,
          "chunks at the handler")
    outcomes = labelled(daemon, "shardgate_member_requests_total", "outcome")
    equal({k: n for k, n in outcomes.items() if n}, {"complete": 2}, "outcomes")
    equal(daemon.metric("shardgate_member_unread_bytes"), 0, "unread")
    gateway = labelled(daemon, "shardgate_gateway_events_total", "type")
    equal(gateway["GUILD_MEMBERS_CHUNK"], 6, "chunks from Discord")
    nobody_complains(sim, daemon)


def test_what_cannot_be_asked_is_refused(case):
    sim, daemon = start(case, {}, INTENTS)
    guild = guild_on(daemon, 0)
    for status, where, body in ((404, "99", {}), (404, "x", {}), (422, guild, {"limit": "x"}),
                                (422, guild, {"nonce": "n"}), (422, guild, {"user_ids": []})):
        answer = ask(daemon, where, body)
        equal(answer.status, status, answer)
        check(len(answer.json()["detail"]) > 10, answer)
    equal(daemon.metric("shardgate_member_requests_waiting"), 0, "waiting")
    nobody_complains(sim, daemon)
