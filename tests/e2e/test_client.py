# SPDX-License-Identifier: Apache-2.0
"""send, tail, reload and status --watch of the command line against a running daemon."""

import json
import signal

from harness import Program, check, equal, wait_until
from streams import settle, start


def client(case, daemon, *words):
    return case.run([case.daemon_binary, *words],
                    environment={"SHARDGATE_ADMIN_URL": daemon.address})


def test_send_and_reload(case):
    sim, daemon = start(case)
    settle(sim)
    sent = lambda op: sim.report()["gateway"]["client_ops"].get(str(op), 0)  # noqa: E731
    presence = json.dumps({"op": 3, "d": {"since": None, "activities": [], "status": "idle",
                                          "afk": False}})
    equal(client(case, daemon, "send", presence)[:2], (0, "accepted\n"), "send a presence")
    wait_until(lambda: sent(3) == 2, 20, "the presence on both shards")
    guild = sim.get("/guilds")[0]["id"]
    code, out, err = client(case, daemon, "send", "--json", json.dumps({"op": 4, "d": {
        "guild_id": guild, "channel_id": None, "self_mute": False, "self_deaf": False}}))
    equal(code, 0, err)
    check("shard" in json.loads(out), out)
    wait_until(lambda: sent(4) == 1, 20, "the voice state")
    code, _, err = client(case, daemon, "send", '{"op":9,"d":{}}')
    equal(code, 69, err)
    check("422" in err, err)

    daemon.write_config({"handler": {"timeout": "4s"}})
    code, out, err = client(case, daemon, "reload")
    equal(code, 0, err)
    check("applied: handler.timeout\n" in out, out)
    daemon.write_config({"handler": {"timeout": "x"}})
    code, out, err = client(case, daemon, "reload")
    equal((code, out), (69, ""), err)
    check("handler.timeout: " in err, err)


def test_tail_and_watch(case):
    sim, daemon = start(case)
    settle(sim)

    def run(name, *words, ends):
        program = Program(case, name, [case.daemon_binary, *words],
                          {"SHARDGATE_ADMIN_URL": daemon.address})
        program.expected_exit = ends
        return program

    def streams(count):
        wait_until(lambda: daemon.metric("shardgate_admin_streams") == count, 20, f"{count} tails")

    narrow = run("narrow", "tail", "--json", "--type", "TYPING_START", ends=-signal.SIGTERM)
    wide = run("wide", "tail", ends=0)
    streams(2)
    sim.emit(what="presence", count=3)
    sim.emit(what="typing", count=3)
    wait_until(lambda: narrow.log().count("\n") == 3, 20, "three lines of the narrow tail")
    equal({json.loads(line)["t"] for line in narrow.log().splitlines()}, {"TYPING_START"}, "tail")
    wide.wait_log(r"TYPING_START  shard \d/2  guild \d+", 20)
    wide.wait_log(r"PRESENCE_UPDATE  shard ", 20)
    narrow.signal(signal.SIGTERM)
    streams(1)
    watch = run("watch", "status", "--watch", ends=-signal.SIGTERM)
    wait_until(lambda: watch.log().count("daemon ") >= 2, 20, "a second look")
    watch.signal(signal.SIGTERM)
    watch.wait_exit()
    daemon.stop()  # tail ends with the daemon
    equal(wide.wait_exit(20), 0, wide.log()[-300:])
