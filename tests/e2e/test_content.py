# SPDX-License-Identifier: Apache-2.0
"""What the intents leave: messages without their content are filtered as others are, and what needs
no intent arrives, the account's own affairs over shard 0 included."""

from harness import check, equal
from streams import labelled, load_over, queue_empty, settle, some_guild, start

WITHOUT_CONTENT = ["GUILDS", "GUILD_MESSAGES", "DIRECT_MESSAGES", "GUILD_VOICE_STATES"]
ALL, MESSAGE_CONTENT = 53608447, 1 << 15


def test_filter_without_message_content(case):
    sim, daemon = start(case, {"scale": 10, "unfurls": 0.4, "edits": 0.4, "unknown": 0,
                               "mentions": 0.2, "own_messages": 0.1,
                               "granted_intents": ALL & ~MESSAGE_CONTENT},
                        {"discord": {"intents": WITHOUT_CONTENT}})
    sim.load(mix="messages", rate=300, seconds=2, unknown=0)
    load_over(sim)
    report = settle(sim)
    queue_empty(daemon)
    truth = report["truth"]
    names = truth["by_name"]
    messages = names["MESSAGE_CREATE"]["sent"] + names["MESSAGE_UPDATE"]["sent"]
    bare = report["copies_without_content"]
    check(messages * 0.5 < bare < messages * 0.9, f"{bare} of {messages} without their content")
    check(truth["unfurls_sent"] > 20, f"too few unfurls: {truth['unfurls_sent']}")
    equal(names["MESSAGE_CREATE"]["received"], names["MESSAGE_CREATE"]["sent"], "messages")
    equal(labelled(daemon, "shardgate_filtered_events_total", "reason")["unchanged_message"],
          truth["unfurls_sent"], "unfurls filtered")
    updates = names["MESSAGE_UPDATE"]
    edits = updates["sent"] - truth["unfurls_sent"]
    check(edits > 20, f"too few edits: {edits}")
    equal(updates["received"], edits, "edits that arrive")


def test_always_sent(case):
    sim, daemon = start(case, {"unfurls": 0, "edits": 0, "unknown": 0},
                        {"discord": {"intents": ["GUILDS"]}})
    settle(sim)
    guild = some_guild(sim)
    names = {"entitlement": "ENTITLEMENT_CREATE", "subscription": "SUBSCRIPTION_CREATE",
             "user_update": "USER_UPDATE", "own_member_update": "GUILD_MEMBER_UPDATE",
             "command_permissions": "APPLICATION_COMMAND_PERMISSIONS_UPDATE",
             "interaction": "INTERACTION_CREATE"}
    for what in [*names, "message", "member_update", "typing", "voice", "auto_moderation"]:
        wanted = 20 if what in names else 0
        equal(sim.emit(what=what, count=20)["made"], wanted, what)
        equal(sim.emit(what=what, count=5, guild=guild)["made"], wanted // 4, f"{what}, one guild")
    report = settle(sim)
    queue_empty(daemon)
    for name in names.values():
        equal(report["truth"]["by_name"][name]["received"], 25, name)
    shards = {e["shard"].split("/")[0] for e in sim.handler_report()["last_events"]
              if e["name"] in ("ENTITLEMENT_CREATE", "SUBSCRIPTION_CREATE", "USER_UPDATE")}
    equal(shards, {"0"}, "the shards that the account's affairs come over")
