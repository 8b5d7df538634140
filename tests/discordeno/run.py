#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A bot process on @discordeno/bot 21 from npm (bot.mjs) behind a real daemon, against the simulator:
it gets events in each of the three envelopes and answers them, and sends presences, voice states and
member requests back in the messages of its own; then the example in docs/examples/discordeno.

SHARDGATE_BIN and SHARDGATE_SIM_BIN name the programs; SHARDGATE_DISCORDENO a directory whose
node_modules has the package. Else npm installs it from package-lock.json into SHARDGATE_NPM_DIR (a
directory that goes away again without one). Exit code 77 = skipped, and why.
"""

import os
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), folder) for folder in ("e2e", "support")]
sys.dont_write_bytecode = True

import harness  # noqa: E402
import npm  # noqa: E402
import test_examples  # noqa: E402
from harness import check, equal, wait_until  # noqa: E402
from sessions import error_lines  # noqa: E402
from streams import labelled  # noqa: E402

SKIPPED = 77
PACKAGE = "@discordeno/bot"
SHARDS, GUILDS, MEMBERS = 3, 12, 2500
BOT_TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.simulated"  # its first part is the bot's id
EVENT_SECRET, GATEWAY_SECRET = "3vents-to-the-bot", "0ps-to-the-gateway"
# (handler.envelope, whose messages to the gateway process)
BOTS = (("payload", "bigbot"), ("message", "template"), ("data", "guide"))


class Bot(harness.Program):
    """bot.mjs beside the package's modules."""

    def __init__(self, case, sim, modules, envelope, style):
        directory = os.path.join(case.directory, "bot")
        os.mkdir(directory)
        shutil.copy(os.path.join(HERE, "bot.mjs"), directory)
        os.symlink(os.path.join(modules, "node_modules"), os.path.join(directory, "node_modules"))
        super().__init__(case, "bot", ["node", "bot.mjs"], directory=directory, environment={
            "TOKEN": BOT_TOKEN, "REST_URL": sim.ready["rest"] + "/api", "ENVELOPE": envelope,
            "STYLE": style, "EVENT_SECRET": EVENT_SECRET, "GATEWAY_SECRET": GATEWAY_SECRET})
        self.expected_exit = -15  # it has no orderly stop
        ports = self.wait_log(r"the bot listens: (\d+) (\d+)\n")
        self.events = f"http://127.0.0.1:{ports.group(1)}/"
        self._control = harness.Endpoint(f"http://127.0.0.1:{ports.group(2)}")

    def call(self, name, *arguments):
        answer = self._control.ask("POST", "/", {"call": name, "args": arguments}, timeout=60)
        check(answer.status == 200, f"{name}{arguments}: {answer}")
        return answer.json()["result"]

    def seen(self):
        return self.call("seen")

    def wait_seen(self, what, count):
        wait_until(lambda: len(self.seen()[what]) >= count, 30, f"the bot to see {count} {what}")
        equal(len(self.seen()[what]), count, what)
        return self.seen()[what]


class Stage:
    def __init__(self, case, modules, envelope, style):
        self.envelope, self.style = envelope, style
        self.sim = case.simulator(guilds=GUILDS, guild_bytes=3000, shards=SHARDS, max_concurrency=SHARDS,
                                  identify_interval=100, identify_tolerance=50, members=MEMBERS,
                                  token=BOT_TOKEN)
        self.bot = Bot(case, self.sim, modules, envelope, style)
        self.daemon = case.daemon(self.sim, {
            "handler": {"urls": [self.bot.events], "secret": EVENT_SECRET, "envelope": envelope},
            "sharding": {"identify_interval": "150ms"},
            "admin": {"listen": "127.0.0.1:0", "token": GATEWAY_SECRET}}).wait_ready()
        self.bot.call("gateway", self.daemon.address)
        self.guilds = {int(g["id"]) >> 22: g["id"] for g in self.sim.get("/guilds")}
        equal(len(self.guilds), GUILDS, "guilds")

    def guild_on(self, shard):
        return next(id for made, id in self.guilds.items() if made % SHARDS == shard)

    def commands(self, op):
        return [c for c in self.sim.get("/commands") if c["op"] == op]

    def wait_commands(self, op, count):
        """The newest `count` of an op, when there are no more than `count` in all so far."""
        wait_until(lambda: len(self.commands(op)) >= count, 30, f"{count} of op {op} on the wire")
        equal(len(self.commands(op)), count, f"of op {op} on the wire")
        return self.commands(op)


def guilds_load(stage):
    ready = stage.bot.wait_seen("ready", SHARDS)
    equal(sorted(r["shardId"] for r in ready), list(range(SHARDS)), "shards of READY")
    equal(sum(r["guilds"] for r in ready), GUILDS, "guilds of READY")
    name = "GUILD_LOADED_DD" if stage.envelope == "data" else "GUILD_CREATE"
    wait_until(lambda: stage.bot.seen()["counts"].get(name, 0) >= GUILDS, 30, f"{GUILDS} {name}")
    guilds = stage.bot.seen()["guilds"]
    equal(sorted(g["id"] for g in guilds), [] if stage.envelope == "data" else
          sorted(stage.guilds.values()), "guilds the bot made objects of")
    check(all(g["name"] and g["channels"] for g in guilds), guilds)


def messages_are_answered(stage):
    stage.sim.emit(what="message", count=8)
    got = stage.bot.wait_seen("messages", 8)
    answers = stage.bot.wait_seen("answers", 8)
    written = stage.sim.get("/messages")
    equal(sorted((m["channel_id"], m["content"]) for m in written),
          sorted((m["channelId"], f"you said {m['id']}") for m in got), "what the bot wrote")
    equal(sorted(m["id"] for m in written), sorted(a["id"] for a in answers), "ids of its messages")
    check(all(m["guildId"] in stage.guilds.values() and int(m["author"]) for m in got), got)


def interactions_are_answered(stage):
    kinds = {2: "command", 3: "component", 4: "autocomplete", 5: "modal"}
    ids = [id for kind in kinds for id in stage.sim.emit(what="interaction", type=kind, count=3)["ids"]]
    got = stage.bot.wait_seen("interactions", len(ids))
    equal(sorted(i["id"] for i in got), sorted(ids), "interactions")
    wait_until(lambda: sum(k["in_time"] for k in stage.sim.report()["interactions"]["kinds"].values()) ==
               len(ids), 10, "all interactions to be answered")
    report = stage.sim.report()["interactions"]
    for kind in kinds.values():
        equal(report["kinds"][kind], {"created": 3, "in_time": 3, "late": 0, "twice": 0, "illegal": 0,
                                      "malformed": 0, "unanswered": 0, "open": 0}, kind)
    # A command and a modal with a message (4), a component with an edit to come (6), choices (8).
    equal(report["answers_by_type"], {"4": 6, "6": 3, "8": 3}, "kinds of answers")
    outcomes = labelled(stage.daemon, "shardgate_interactions_total", "outcome")
    equal({k: n for k, n in outcomes.items() if n}, {"taken": len(ids)}, "what the daemon says of them")


def presences(stage):
    status = {"status": "dnd", "activities": [{"name": "chess", "type": 0}]}
    stage.bot.call("editBotStatus", status)
    on_all = stage.wait_commands(3, SHARDS)
    equal(sorted(c["shard"] for c in on_all), list(range(SHARDS)), "shards with the presence")
    for c in on_all:
        equal(c["d"], {"since": None, "afk": False, **status}, "presence")
    stage.bot.call("editShardStatus", 1, {**status, "status": "idle"})
    newest = stage.wait_commands(3, SHARDS + 1)[-1]
    equal((newest["shard"], newest["d"]["status"]), (1, "idle"), "presence of one shard")


def voice(stage):
    for turn, shard in enumerate(range(SHARDS)):
        guild = stage.guild_on(shard)
        channel = str(int(guild) + 1)
        stage.bot.call("joinVoice", guild, channel, {"selfDeaf": False})
        joined = stage.wait_commands(4, 2 * turn + 1)[-1]
        equal(joined["shard"], shard, "the shard that joined")
        equal(joined["d"], {"guild_id": guild, "channel_id": channel, "self_mute": False,
                            "self_deaf": False}, "voice state")
        equal(stage.bot.wait_seen("servers", turn + 1)[-1]["guildId"], guild, "voice server")
        stage.bot.call("leaveVoice", guild)
        left = stage.wait_commands(4, 2 * turn + 2)[-1]
        equal((left["shard"], left["d"]["channel_id"]), (shard, None), "leaving")
        states = stage.bot.wait_seen("voice", 2 * turn + 2)[-2:]
        equal([(s["guildId"], s["channelId"]) for s in states], [(guild, channel), (guild, None)],
              "voice states the bot saw")


def members(stage):
    guild = stage.guild_on(1)

    def ask(count, **options):
        got = stage.bot.call("requestMembers", guild, options)
        newest = stage.wait_commands(8, count)[-1]
        equal((newest["shard"], newest["d"]["guild_id"]), (1, guild), "where members were asked for")
        check(0 < len(newest["d"]["nonce"]) <= 32, newest)
        return got
    all_of_them = ask(1)
    equal(len({m["user"]["id"] for m in all_of_them}), MEMBERS, "members")
    check("joinedAt" in all_of_them[0], all_of_them[0])
    equal([m["user"]["username"] for m in ask(2, query="member12", limit=3)],
          ["member12", "member120", "member121"], "by a prefix")
    some = [all_of_them[n]["user"]["id"] for n in (7, 700)]
    equal([m["user"]["id"] for m in ask(3, userIds=some)], some, "by id")
    equal(len(ask(4, limit=10)), 10, "the first ten")
    equal(stage.sim.report()["bot_ops"]["unanswered"], 0, "commands nobody answers")


def the_rest_of_the_door(stage):
    guild = stage.guild_on(2)
    info = stage.bot.call("ask", {"type": "ShardInfoFromGuild", "guildId": guild})
    equal((info["status"], info["body"]["shardId"]), (200, 2), "shard of a guild")
    check(isinstance(info["body"]["rtt"], (int, float)), info)
    equal(stage.bot.call("ask", {"type": "ShardInfoFromGuild"})["body"]["shardId"], 0, "shard of none")
    shards = stage.bot.call("ask", {"type": "GET_SHARD_INFO"})["body"]
    equal([(s["shardId"], s["state"]) for s in shards], [(n, 0) for n in range(SHARDS)], "shards")
    told = stage.bot.call("ask", None, {"method": "GET", "path": "/timecheck"})
    check(abs(told["body"]["message"] - time.time() * 1000) < 60000, told)
    stage.bot.call("sounds", [guild])
    equal(stage.wait_commands(31, 1)[0]["shard"], 2, "where sounds were asked for")
    wait_until(lambda: stage.bot.seen()["counts"].get("SOUNDBOARD_SOUNDS"), 10, "the sounds")
    before = len(stage.sim.get("/commands"))
    for secret in ("", "wrong", EVENT_SECRET):
        refused = stage.bot.call("ask", {"type": "EditShardsPresence", "payload": {}}, {"secret": secret})
        equal((refused["status"], list(refused["body"])), (401, ["message"]), refused)
    equal(len(stage.sim.get("/commands")), before, "commands of strangers")


def nobody_complains(stage):
    seen = stage.bot.seen()
    equal(seen["errors"], [], "errors in the bot")
    equal(seen["refused"], 0, "events the bot refused")
    equal(len(set(seen["keys"])), len(seen["keys"]), "events, each once")
    gateway = stage.sim.report()["gateway"]
    equal((gateway["rate_limited"], gateway["protocol_errors"]), (0, {}), "what Discord complains about")
    equal(error_lines(stage.daemon), [], "errors in the daemon's log")
    for outcome in ("refused", "failed", "timeout"):
        equal(stage.daemon.metric("shardgate_handler_requests_total", outcome=outcome), 0, outcome)
    stage.daemon.stop()


def behind_the_daemon(case, modules, envelope, style):
    stage = Stage(case, modules, envelope, style)
    for step in (guilds_load, messages_are_answered, interactions_are_answered, presences, voice,
                 members, the_rest_of_the_door, nobody_complains):
        step(stage)


def run(name, test):
    """Whether it passed; prints what was wrong."""
    case, wrong = harness.Case(name), []
    started = time.monotonic()
    try:
        test(case)
    except BaseException as error:  # nothing that was started may stay behind
        wrong.append(f"{type(error).__name__}: {error}")
    wrong += case.finish()
    print(f"{'not ok' if wrong else 'ok'}: {name}  {time.monotonic() - started:.1f} s", flush=True)
    if wrong:
        print("\n".join(wrong))
        case.print_logs(sys.stdout)
    case.clean(bool(wrong))
    return not wrong


def main():
    why = npm.no_node()
    keep = os.environ.get("SHARDGATE_NPM_DIR")
    with tempfile.TemporaryDirectory(prefix="sg-npm-") as gone:
        modules = os.environ.get("SHARDGATE_DISCORDENO")
        if not why and not modules:
            modules, why = npm.directory_with(PACKAGE, HERE, keep or os.path.join(gone, "npm"))
        if why:
            print(f"skipped: discordeno: {why}")
            return SKIPPED
        modules = os.path.abspath(modules)
        tests = [(f"discordeno, {style}, envelope {envelope}",
                  lambda case, e=envelope, s=style: behind_the_daemon(case, modules, e, s))
                 for envelope, style in BOTS]
        os.environ["SHARDGATE_DISCORDENO"] = modules
        tests.append(("docs/examples/discordeno", test_examples.test_discordeno))
        return 0 if all([run(name, test) for name, test in tests]) else 1


if __name__ == "__main__":
    sys.exit(main())
