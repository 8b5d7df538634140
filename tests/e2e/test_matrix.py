# SPDX-License-Identifier: Apache-2.0
"""Sixteen shards in every combination of compression and envelope, each with another of the other
settings: every event arrives once, in its guild's order; what is dropped is accounted for."""

import os

from harness import check, equal
from streams import SHARDING, labelled, load_over, queue_empty, requests, settle

SHARDS = 16
DROPS = ["TYPING_START", "MESSAGE_CREATE"]
ONLY = ["MESSAGE_UPDATE", "MESSAGE_DELETE", "SIMULATED_NOVELTY_3"]


def matrix(case, compression, envelope, shared_key, strange, handler=None, filtering=None,
           expect=None, sim=None, urls=None, ordered=True):
    options = {"shards": SHARDS, "guilds": 64, "guild_bytes": 2000, "scale": 10,
               "identify_interval": 1000, "identify_tolerance": 500,
               "max_concurrency": 1 if shared_key else SHARDS,
               "unknown": 0.02, "unfurls": 0.4, "edits": 0.4, **(sim or {})}
    if strange:
        options.update(decoys=True, shuffle_keys=True)
    world = case.simulator(**options)
    wanted = {"loading_guilds": "arrives", **(expect or {})}
    world.expect(**wanted)
    posts = {"envelope": envelope, **(handler or {})}
    if urls:
        posts["urls"] = [world.ready["handler"] + path for path in urls]
    daemon = case.daemon(world, {"sharding": SHARDING, "discord": {"compression": compression},
                                 "handler": posts, "filter": filtering or {}})
    daemon.wait_ready()
    world.load(mix="A", rate=500, seconds=1, unknown=0.02)
    world.load(mix="messages", rate=200, seconds=1)
    load_over(world)
    report = settle(world, ordered=ordered)
    queue_empty(daemon)
    account(world, daemon, report, wanted, posts)
    daemon.stop()


def account(sim, daemon, report, wanted, posts):
    """The daemon's books against the simulator's, to the last event."""
    truth, handler, forwarded = report["truth"], report["handler"], report["truth"]["forwarded"]
    equal(report["pacing_violations"], 0, "pacing violations")
    check(truth["unfurls_sent"] > 10, f"too few unfurls: {truth['unfurls_sent']}")

    got = labelled(daemon, "shardgate_gateway_events_total", "type")
    sent = dict(report["events_by_name"])
    novel = sum(sent.pop(name) for name in list(sent) if name.startswith("SIMULATED_"))
    equal({n: v for n, v in got.items() if n not in ("READY", "RESUMED", "other")}, sent,
          "gateway_events_total")
    equal(got.get("other", 0), novel, "gateway_events_total{type=other}")
    readies = got["READY"]

    filtered = labelled(daemon, "shardgate_filtered_events_total", "reason")
    only = wanted.get("only")
    unlisted = readies if only else 0
    equal(sum(filtered.values()), truth["filtered_sent"] + unlisted, f"filtered {filtered}")
    equal(forwarded.get("READY", 0), readies - unlisted, "READYs forwarded")
    if not only:
        unfurls = 0 if wanted.get("unfurls") == "arrives" else truth["unfurls_sent"]
        equal(filtered["unchanged_message"], unfurls, "unfurls filtered")
        updates = truth["by_name"]["MESSAGE_UPDATE"]
        edits = updates["sent"] - truth["unfurls_sent"]
        check(edits > 10, f"too few edits: {edits}")
        equal(updates["received"], updates["sent"] - unfurls, "real edits arrive")
    equal(forwarded.get("SHARDGATE_GUILDS_LOADED", 0), SHARDS, "SHARDGATE_GUILDS_LOADED")
    equal(sum(got.values()) - sum(filtered.values()) + SHARDS, sum(forwarded.values()),
          "received - filtered + own = forwarded")
    equal(handler["accepted"], sum(forwarded.values()), "accepted by the handler")

    equal(requests(daemon), {"accepted": handler["by_status"]["204"], "refused": 0, "failed": 0,
                             "timeout": 0}, "requests")
    batches = handler["requests"] if posts.get("batch_events", 1) > 1 else 0
    equal(handler["batches"], batches, "requests whose body is an array")
    equal(daemon.queue()["dead_letters"], 0, "dead letters")


# compression x envelope; the other columns so that each of their values meets each of the others.

def test_zstd_data(case):
    matrix(case, "zstd-stream", "data", shared_key=True, strange=False)


def test_zstd_payload(case):
    matrix(case, "zstd-stream", "payload", shared_key=False, strange=True,
           handler={"batch_events": 16})


def test_zstd_message(case):
    matrix(case, "zstd-stream", "message", shared_key=True, strange=True,
           filtering={"drop": DROPS}, expect={"drop": DROPS}, handler={"ordering": "shard"})


def test_zstd_raw(case):
    path = os.path.join(case.directory, "handler.sock")
    matrix(case, "zstd-stream", "raw", shared_key=False, strange=False,
           sim={"handler_listen": "unix:" + path}, handler={"pipelining": 4})


def test_zlib_data(case):
    matrix(case, "zlib-stream", "data", shared_key=False, strange=True,
           handler={"ordering": "none", "batch_events": 16, "batch_linger": "5ms"}, ordered=False)


def test_zlib_payload(case):
    matrix(case, "zlib-stream", "payload", shared_key=True, strange=False, urls=["/a", "/b"],
           handler={"balance": "shard", "pipelining": 8, "connections": 4},
           filtering={"edited_messages": "off"}, expect={"unfurls": "arrives"},
           sim={"zlib_split": 0.5})


def test_zlib_message(case):
    matrix(case, "zlib-stream", "message", shared_key=False, strange=False, urls=["/a", "/b"],
           handler={"balance": "guild", "batch_events": 16, "batch_linger": "20ms"},
           filtering={"edited_messages": "content"})


def test_zlib_raw(case):
    matrix(case, "zlib-stream", "raw", shared_key=True, strange=True,
           filtering={"only": ONLY}, expect={"only": ONLY})


def test_none_data(case):
    matrix(case, "none", "data", shared_key=True, strange=True, urls=["/a", "/b"],
           handler={"balance": "failover", "ordering": "shard", "batch_events": 16})


def test_none_payload(case):
    secret = "Bearer s3cret of the handler"
    keys = case.write("keys", "the new key, which signs\nthe old key\n")
    case.secrets.update(("the new key, which signs", "the old key"))
    matrix(case, "none", "payload", shared_key=False, strange=False,
           sim={"handler_secret": secret, "handler_signing_key": "the old key"},
           handler={"secret": secret, "signing_key_file": keys, "ordering": "none",
                    "connections": 4}, ordered=False)


def test_none_message(case):
    matrix(case, "none", "message", shared_key=True, strange=False,
           handler={"connections": 1, "pipelining": 16},
           filtering={"guild_create": "drop-loaded"}, expect={"loading_guilds": "filtered"})


def test_none_raw(case):
    path = os.path.join(case.directory, "handler.sock")
    key = "a key"
    matrix(case, "none", "raw", shared_key=False, strange=True,
           sim={"handler_listen": "unix:" + path, "handler_signing_key": key},
           handler={"signing_key_file": case.write("keys", key), "batch_events": 16,
                    "ordering": "shard"}, filtering={"guild_create": "mark"})
