# SPDX-License-Identifier: Apache-2.0
"""`shardgate check --online` against an API that the test plays, and the simulator's handler."""

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import check, equal
from toml_text import to_toml

MESSAGE_CONTENT = 1 << 19


class Api:
    """GET /gateway/bot and /applications/@me, as the test says."""

    def __init__(self):
        self.token, self.remaining, self.flags = "MTIz.good.token", 1000, MESSAGE_CONTENT
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                status, body = api.answer(self.path, self.headers.get("Authorization"))
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/api/v10"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path, authorization):
        if authorization != "Bot " + self.token:
            return 401, {"message": "401: Unauthorized", "code": 0}
        if path == "/api/v10/gateway/bot":
            return 200, {"url": "wss://gateway.discord.gg", "shards": 8, "session_start_limit": {
                "total": 1000, "remaining": self.remaining, "reset_after": 3600000,
                "max_concurrency": 1}}
        if path == "/api/v10/applications/@me":
            return 200, {"id": "123", "flags": self.flags}
        return 404, {}


def test_online(case):
    api = Api()
    sim = case.simulator(guilds=1, guild_bytes=1000, handler_secret="right-secret")
    settings = {
        "discord": {"token": api.token, "intents": ["GUILDS", "MESSAGE_CONTENT"], "api_url": api.url},
        "handler": {"urls": [sim.handler_url()], "secret": "right-secret"},
        "queue": {"overflow": "drop-oldest"}, "state": {"directory": ""}}

    def online(*more):
        file = case.write("bot.toml", to_toml(settings))
        code, out, err = case.run([case.daemon_binary, "check", "--online", "-c", file, *more])
        check("right-secret" not in out + err and api.token not in out + err, "a secret was printed")
        return code, out, err

    def bad():
        code, out, _ = online("--json")
        equal(code, 69, out)
        said = json.loads(out)
        equal(said["ok"], False, out)
        return [one["name"] for one in said["checks"] if one["state"] == "bad"]

    code, out, err = online()
    equal(code, 0, out + err)
    for name in ("token", "shards", "budget", "start", "intents", "handler", "descriptors"):
        check(f"ok    {name}: " in out, f"no {name} in {out}")
    check("8 of 8 run here" in out and "1000 of 1000" in out, out)
    equal(json.loads(online("--json")[1])["ok"], True, "--json")

    api.flags = 0
    equal(bad(), ["intents"], "without the application's flag")
    api.flags, api.remaining = MESSAGE_CONTENT, 3
    equal(bad(), ["budget"], "with too few session starts")
    api.remaining = 1000
    settings["handler"]["secret"] = "wrong-secret"
    equal(bad(), ["handler"], "with the wrong secret")
    settings["handler"] = {"urls": ["http://127.0.0.1:1/"]}
    equal(bad(), ["handler"], "with nobody there")
    api.token = "MTIz.another.token"
    check("token" in bad(), "with a token the API refuses")
    api.server.shutdown()


def test_json_of_problems(case):
    file = case.write("bad.toml", "[handler]\ntimeout = 5\n")
    code, out, _ = case.run([case.daemon_binary, "check", "--json", "-c", file],
                            environment={"SHARDGATE_TOKEN": "MTIz.a.b"})
    equal(code, 78, out)
    said = json.loads(out)
    equal(said["ok"], False, out)
    places = {(p["key"], p["line"]) for p in said["problems"]}
    check(("handler.timeout", 2) in places and any(k == "discord.intents" for k, _ in places), out)
    equal(os.path.basename(said["problems"][0]["file"]), "bad.toml", "the file")
