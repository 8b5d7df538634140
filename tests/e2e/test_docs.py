# SPDX-License-Identifier: Apache-2.0
"""Every command in README.md and docs is run, as a reader would: blocks marked ```sh, and commands
in a line of text. What cannot be run here is marked in the document, in the line before the block:
<!-- not run: why -->."""

import os
import re
import shutil
import socket
import subprocess

from harness import PATIENCE, Program, Skip, check, equal, wait_until
from streams import settle, start

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DOCS = sorted(name for name in os.listdir(os.path.join(ROOT, "docs")) if name.endswith(".md"))
BLOCK = re.compile(r"(<!-- not run: (.+?) -->\n)?^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`(shardgate [a-z][^`\n]*)`")
# A number that a reader would have to replace, by what stands for it.
GUILDS = ("81384788765712384", "824014545646256138")


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def commands(block):
    """With prompts, only what follows one (and the lines it goes on in); else every line."""
    if not re.search(r"^\$ ", block, re.MULTILINE):
        return [block]
    found, open_line = [], False
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append(line[2:])
        elif open_line:
            found[-1] += "\n" + line
        else:
            continue
        open_line = line.endswith("\\")
    return found


def tools(case):
    """A directory for PATH: the programs under test, and a curl that fails on an error's status."""
    path = os.path.join(case.directory, "bin")
    os.mkdir(path)
    os.symlink(case.daemon_binary, os.path.join(path, "shardgate"))
    os.symlink(case.sim_binary, os.path.join(path, "shardgate-sim"))
    curl = shutil.which("curl")
    if not curl:
        raise Skip("no curl")
    for name, text in {"curl": f'exec {curl} --fail-with-body --max-time {int(2 * PATIENCE)} "$@"',
                       "jq": "cat"}.items():
        with open(os.path.join(path, name), "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\n{text}\n")
        os.chmod(os.path.join(path, name), 0o755)
    return path


def shell(case, text, environment):
    done = subprocess.run(["bash", "-c", "set -e\n" + text], cwd=case.directory, check=False,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=30 * PATIENCE, env={**os.environ, **environment})
    return done.returncode, done.stdout + done.stderr


def test_every_block_runs(case):
    sim, daemon = start(case, {"shards": 4, "guilds": 40},
                        {"admin": {"listen": "127.0.0.1:0"}, "log": {"level": "info"}})
    settle(sim)
    environment = {"PATH": tools(case) + ":" + os.environ["PATH"], "control": sim.address,
                   "SHARDGATE_ADMIN_URL": daemon.address}
    guild = sim.get("/guilds")[0]["id"]
    ran, wrong = 0, []
    for name in DOCS:
        for _, why, block in BLOCK.findall(read("docs", name)):
            if why:
                continue
            for command in commands(block):
                text = command.replace("http://127.0.0.1:7600", daemon.address)
                for number in GUILDS:
                    text = text.replace(number, guild)
                code, said = shell(case, text, environment)
                # A stream goes on until its reader leaves: curl's own time-out.
                ends_itself = not re.search(r"curl -\w*N", command)
                if code != 0 and (ends_itself or code != 28):
                    wrong.append(f"docs/{name}: exit code {code}\n{command}\n{said}")
                ran += 1
    check(not wrong, "\n".join(wrong))
    check(ran >= 20, f"only {ran} commands were found")


def run_span(case, span, daemon, environment, wrong):
    where, command = span
    if re.search(r"[\[\]…|]|\\|\b[A-Z]{3,}=|\bN\b", command):
        # A form, not a command: its verb and its options must be known.
        verb = re.match(r"shardgate ([a-z-]+(?: (?:retry|delete|dead-letters))?)", command).group(1)
        code, said = shell(case, f"shardgate {verb} --help", environment)
        missing = [o for o in re.findall(r"--[a-z-]+", command) if o not in said]
        if code != 0 or missing:
            wrong.append(f"{where}: `{command}`: exit code {code}, no {missing}")
        return
    text = re.sub(r"(?<=-c )\S+|\bFILE\b", daemon.config_path, command)
    if re.fullmatch(r"shardgate (run|check)( --online)?", command):
        text += " -c " + daemon.config_path
    if command.startswith("shardgate run") or command == "shardgate send":
        text += " --help"  # one runs already; names the command, nothing to send
    if command.startswith(("shardgate tail", "shardgate status --watch")):
        text = "timeout 2 " + text + " || [ $? = 124 ]"
    code, said = shell(case, text, environment)
    if code != 0:
        wrong.append(f"{where}: `{command}`: exit code {code}: {said.strip()}")


def test_every_command_in_the_text_runs(case):
    sim, daemon = start(case, {"shards": 2}, {"admin": {"listen": "127.0.0.1:0"},
                                               "sharding": {"total": 1}})
    settle(sim)
    environment = {"PATH": tools(case) + ":" + os.environ["PATH"],
                   "SHARDGATE_ADMIN_URL": daemon.address}
    spans = {}
    for path in ["README.md", "CHANGELOG.md"] + ["docs/" + name for name in DOCS]:
        for command in SPAN.findall(read(*path.split("/"))):
            spans.setdefault(command, path)
    wrong = []
    for command, where in spans.items():
        run_span(case, (where, command), daemon, environment, wrong)
    equal(wrong, [], "commands that do not run")
    check(len(spans) >= 12, f"only {len(spans)} commands were found")


def test_the_readme_leads_a_new_user_to_events(case):
    """Its configuration, check, run, and its handler, to the first event."""
    readme = read("README.md")
    for script in set(re.findall(r"^    (script/[a-z-]+)", readme, re.MULTILINE)):
        check(os.access(os.path.join(ROOT, script), os.X_OK), f"README.md: no {script}")
    config = re.search(r"^    # shardgate.toml\n((?:    .*\n|\n)+?)(?=    shardgate check)", readme,
                       re.MULTILINE).group(1)
    handler = re.search(r"((?:^    .*\n|^\n)+)(?<=serve_forever\(\)\n)", readme[readme.index(
        "    from http.server import"):], re.MULTILINE).group(1)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    sim = case.simulator(guilds=10, guild_bytes=1000, shards=1, identify_interval=100,
                         identify_tolerance=50)
    text = re.sub(r"^    ", "", config, flags=re.MULTILINE)
    for name, secret in (("token", sim.ready["token"]), ("handler-secret", "the-secret")):
        text = text.replace("/etc/shardgate/" + name, case.write(name, secret + "\n"))
    case.secrets.add("the-secret")
    file = case.write("shardgate.toml", text.replace("127.0.0.1:8080", f"127.0.0.1:{port}"))
    code, said, err = case.run([case.daemon_binary, "check", "-c", file])
    equal(code, 0, f"shardgate check: {said}{err}")

    bot = Program(case, "bot", ["python3", "-u", case.write(
        "bot.py", re.sub(r"^    ", "", handler, flags=re.MULTILINE).replace("8080", str(port)))])
    bot.expected_exit = -15
    socket_path = os.path.join(case.directory, "a.sock")
    daemon = Program(case, "shardgate", [
        case.daemon_binary, "run", "-c", file, "--set", f"discord.api_url={sim.ready['rest']}/api/v10",
        "--set", f"discord.ca_file={sim.ready['ca']}", "--set", "sharding.identify_interval=150ms",
        "--set", f"state.directory={case.directory}/state", "--admin-listen", "unix:" + socket_path])
    wait_until(lambda: "0/1 READY" in bot.log(), 60, "READY at the README's handler")
    wait_until(lambda: bot.log().count("GUILD_LOADED_DD") == 10, 30, "the guilds")
    code, said, _ = case.run([case.daemon_binary, "status", "--url", "unix:" + socket_path])
    equal(code, 0, said)
    check("1 of 1" in said or "1 ready" in said or "ready 1" in said, said)
    daemon.stop()
