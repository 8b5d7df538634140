# SPDX-License-Identifier: Apache-2.0
"""The handlers of docs/examples behind the daemon: they take events, know copies, and refuse who
does not know the secret. An example whose language is not installed is skipped by name."""

import hashlib
import hmac
import http.client
import os
import re
import shutil
import socket
import time

from harness import Program, Skip, check, equal, wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXAMPLES = os.path.join(ROOT, "docs", "examples")
SECRET, KEY = "example-secret", "example-signing-key"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def post(port, body, stamp=None, key=KEY, secret=SECRET, idempotency="example-1"):
    stamp = str(int(time.time())) if stamp is None else stamp
    mac = hmac.new(key.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", "/", body, {
            "Content-Type": "application/json", "Authorization": secret, "Idempotency-Key": idempotency,
            "X-Shardgate-Attempt": "1", "X-Shardgate-Timestamp": stamp,
            "X-Shardgate-Signature": f"v1={'0' * 64}, v1={mac}"})
        return connection.getresponse().status
    finally:
        connection.close()


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def try_example(case, name, command, directory=None, shows=("typing", "TYPING_START")):
    """`shows`: what to emit, and the event's name, which the example prints. An example that prints
    typing prints whatever comes."""
    port = free_port()
    handler = Program(case, name, command, directory=directory or EXAMPLES, environment={
        "PORT": str(port), "HANDLER_SECRET": SECRET, "SIGNING_KEY": KEY, "DISCORD_TOKEN": "MTIz.a.b",
        "PYTHONUNBUFFERED": "1"})
    handler.expected_exit = -15  # it has no orderly stop
    wait_until(lambda: listens(port), 60, f"{name} to listen")

    body = b'{"shardId":3,"data":{"op":0,"t":"EXAMPLE_EVENT","s":41,"d":{}}}'
    equal(post(port, body), 204, "a genuine event")
    equal(post(port, body), 204, "its copy")
    equal(post(port, body, secret="wrong", idempotency="b"), 401, "a wrong secret")
    equal(post(port, body, key="wrong", idempotency="c"), 401, "a wrong signature")
    equal(post(port, body, stamp=str(int(time.time()) - 3600), idempotency="d"), 401, "an old one")
    if shows[0] == "typing":
        wait_until(lambda: "EXAMPLE_EVENT" in handler.log(), 10, "the example to print its event")
        equal(handler.log().count("EXAMPLE_EVENT"), 1, "how often the event was handled")

    sim = case.simulator(guilds=10, guild_bytes=1000, shards=2, max_concurrency=2,
                         identify_interval=100, identify_tolerance=50)
    keys = case.write("keys", KEY + "\n")
    daemon = case.daemon(sim, {"sharding": {"identify_interval": "150ms"}, "handler": {
        "urls": [f"http://127.0.0.1:{port}/"], "secret": SECRET, "signing_key_file": keys}}).wait_ready()
    accepted = lambda: daemon.metric("shardgate_handler_requests_total", outcome="accepted")  # noqa: E731
    before = accepted()
    sim.emit(what=shows[0], count=50)
    wait_until(lambda: accepted() >= before + 50, 30, "the example to take 50 events")
    for outcome in ("refused", "failed", "timeout"):
        equal(daemon.metric("shardgate_handler_requests_total", outcome=outcome), 0, outcome)
    wait_until(lambda: handler.log().count(shows[1]) >= 50, 10, f"50 {shows[1]}")
    equal(handler.log().count(shows[1]), 50, "events, each once")
    daemon.stop()


def need(program):
    if not shutil.which(program):
        raise Skip(f"no {program}")
    return program


def test_python(case):
    try_example(case, "python", [need("python3"), "handler.py"])


def test_node(case):
    try_example(case, "node", [need("node"), "handler.mjs"])


def test_go(case):
    need("go")
    for name in ("go.mod", "handler.go"):
        shutil.copy(os.path.join(EXAMPLES, "go", name), case.directory)
    built = os.path.join(case.directory, "handler")
    code, _, err = case.run(["go", "build", "-o", built, "."], seconds=300,
                            environment={"GOCACHE": os.path.join(case.directory, "go"), "GOFLAGS": ""})
    equal(code, 0, f"go build: {err}")
    code, out, _ = case.run(["go", "vet", "."], seconds=120,
                            environment={"GOCACHE": os.path.join(case.directory, "go")})
    equal(code, 0, f"go vet: {out}")
    try_example(case, "go", [built])


def test_discordeno(case):
    """With node_modules beside it: "npm install" in docs/examples/discordeno, or in another place
    that SHARDGATE_DISCORDENO names."""
    need("node")
    modules = os.environ.get("SHARDGATE_DISCORDENO", os.path.join(EXAMPLES, "discordeno"))
    if not os.path.isdir(os.path.join(modules, "node_modules", "@discordeno", "bot")):
        raise Skip("no @discordeno/bot")
    directory = os.path.join(case.directory, "discordeno")
    shutil.copytree(os.path.join(EXAMPLES, "discordeno"), directory,
                    ignore=shutil.ignore_patterns("node_modules"))
    os.symlink(os.path.join(os.path.abspath(modules), "node_modules"),
               os.path.join(directory, "node_modules"))
    try_example(case, "discordeno", ["node", "handler.mjs"], directory,
                ("message", "MESSAGE_CREATE"))


def test_the_ones_in_the_docs_are_the_same(case):
    with open(os.path.join(ROOT, "docs", "handlers.md"), encoding="utf-8") as file:
        blocks = re.findall(r"<!-- example: (\S+) -->\n```\w+\n(.*?)```", file.read(), re.DOTALL)
    equal([name for name, _ in blocks], ["handler.py", "handler.mjs"], "examples in docs/handlers.md")
    for name, text in blocks:
        with open(os.path.join(EXAMPLES, name), encoding="utf-8") as file:
            check(file.read() == text, f"docs/examples/{name} is not what docs/handlers.md prints")
