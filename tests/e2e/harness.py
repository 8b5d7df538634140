# SPDX-License-Identifier: Apache-2.0
"""End-to-end tests: the real programs, their real ports, nothing but Python's standard library.

A test is a function `test_...(case)` in tests/e2e/test_*.py. Everything it starts through `case` is
stopped, checked and cleaned up behind it; logs are printed when it fails. There are no sleeps: a test
waits for a condition, with a deadline (`wait_until`).
"""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from endpoint import Answer, Endpoint, parse_metrics  # noqa: F401  (tests import from here)
from toml_text import merged, to_toml
from waiting import (PATIENCE, Failure, Skip, check, equal, holds_for,  # noqa: F401
                     measured, wait_until)

# Exit codes of the daemon (sysexits).
EXIT_OK, EXIT_USAGE, EXIT_UNAVAILABLE, EXIT_CONFIG = 0, 64, 69, 78

# ---------------------------------------------------------------------------------------------
# Programs

_FAULTS = re.compile(r"(ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:|"
                     r"LeakSanitizer|terminate called|Assertion .* failed)")


class Program:
    """A running program whose output goes to one file, in the order it was written."""

    keeps_secrets = True

    def __init__(self, case, name, arguments, environment=None, directory=None):
        self.case, self.name = case, name
        self.log_path = os.path.join(case.directory, f"{name}.log")
        self.expected_exit = EXIT_OK
        self.stop_seconds = 20
        self.launches = 0
        self._log = open(self.log_path, "ab")
        self._command = [str(a) for a in arguments]
        self._directory = directory or case.directory
        self.environment = dict(environment or {})
        self._launch()
        case.own(self)

    def _launch(self):
        self.launches += 1
        self._log_start = os.path.getsize(self.log_path)
        self.launched_at = time.monotonic()
        self.process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT,
            cwd=self._directory, env={**os.environ, **self.environment}, start_new_session=True)

    def launch_again(self):
        """Once more, with the same command; its log goes on in the same file."""
        check(not self.running, f"{self.name} still runs")
        equal(self.process.returncode, self.expected_exit, f"exit code of {self.name}")
        self.expected_exit = EXIT_OK
        self._launch()

    @property
    def running(self):
        return self.process.poll() is None

    def log(self):
        with open(self.log_path, "r", encoding="utf-8", errors="replace") as file:
            return file.read()

    def log_now(self):
        """What it wrote since it was last launched."""
        with open(self.log_path, "rb") as file:
            file.seek(self._log_start)
            return file.read().decode("utf-8", "replace")

    def wait_log(self, pattern, seconds=30):
        """The match of a regular expression in the log since the last launch, once it is there."""
        def look():
            found = re.search(pattern, self.log_now())
            if not found and not self.running:
                raise Failure(f"{self.name} ended with {self.process.returncode} "
                              f"before its log had {pattern!r}")
            return found
        return wait_until(look, seconds, f"{pattern!r} in the log of {self.name}")

    def signal(self, number):
        self.process.send_signal(number)

    def wait_exit(self, seconds=30):
        """Its exit code; negative for a signal."""
        try:
            return self.process.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} still runs after {seconds * PATIENCE:g} s") from None

    def expect_exit(self, code, seconds=30):
        equal(self.wait_exit(seconds), code, f"exit code of {self.name}")
        self.expected_exit = code

    def stop(self, seconds=None):
        """An orderly stop, which has to end with exit code 0."""
        if self.running:
            self.signal(signal.SIGTERM)
        self.expect_exit(EXIT_OK, seconds or self.stop_seconds)

    def kill(self):
        """As kill -9 does it."""
        if self.running:
            self.signal(signal.SIGKILL)
        self.expected_exit = self.wait_exit()

    def finish(self):
        """Behind the test: what still runs is stopped; what is wrong with it, as a list."""
        wrong = []
        if self.running:
            self.signal(signal.SIGTERM)
            try:
                self.process.wait(self.stop_seconds * PATIENCE)
            except subprocess.TimeoutExpired:
                wrong.append(f"{self.name} did not stop within {self.stop_seconds} s of SIGTERM")
                self.process.kill()
                self.process.wait()
                self.expected_exit = self.process.returncode
        if self.process.returncode != self.expected_exit:
            wrong.append(f"{self.name} ended with {self.process.returncode}, "
                         f"not {self.expected_exit}")
        self._log.close()
        log = self.log()
        fault = _FAULTS.search(log)
        if fault:
            wrong.append(f"{self.name}: {fault.group(0)}")
        for secret in self.case.secrets if self.keeps_secrets else ():
            if secret and secret in log:
                wrong.append(f"{self.name} wrote a secret to its log")
        return wrong


class Simulator(Program, Endpoint):
    """shardgate-sim. Options become its flags: guilds=100 is "--guilds 100", decoys=True
    "--decoys", decoys=False "--no-decoys"."""

    keeps_secrets = False  # its ready line says the token

    def __init__(self, case, name="sim", **options):
        ready_file = os.path.join(case.directory, f"{name}.ready")
        if os.path.exists(ready_file):  # of an earlier one with the same name
            os.remove(ready_file)
        options.setdefault("ca_out", os.path.join(case.directory, f"{name}.ca.pem"))
        arguments = [case.sim_binary, "--ready-file", ready_file]
        for key, value in options.items():
            flag = "--" + key.replace("_", "-")
            if value is True:
                arguments.append(flag)
            elif value is False:
                arguments.append("--no-" + key.replace("_", "-"))
            else:
                arguments += [flag, value]
        Program.__init__(self, case, name, arguments)
        self.ready = wait_until(lambda: self._read_ready(ready_file), 30, f"{name} to be ready")
        Endpoint.__init__(self, self.ready["control"])
        case.secrets.add(self.ready["token"])

    def _read_ready(self, path):
        if not self.running:
            raise Failure(f"{self.name} ended with {self.process.returncode} at start")
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        except FileNotFoundError:
            return None
        return json.loads(text) if text.endswith("\n") else None

    def state(self):
        return self.get("/state")

    def report(self):
        return self.get("/report")

    def account(self):
        return self.get("/account")

    def load(self, **plan):
        return self.post("/load", plan)

    def stop_load(self):
        return self.post("/load", {"stop": True})

    def emit(self, **what):
        return self.post("/emit", what)

    def fault(self, **fault):
        return self.post("/fault", fault)

    def settings(self, **values):
        return self.post("/settings", values)

    def expect(self, **values):
        return self.post("/expect", values)

    def handler(self, **command):
        return self.post("/handler", command)

    def handler_report(self):
        return self.get("/handler")

    def handler_url(self):
        """As handler.urls wants it: with a path."""
        return self.ready["handler"] + "/"

    def wait_load_done(self, seconds=60):
        return wait_until(lambda: not self.state()["load"]["running"], seconds, "the load to end")

    def wait_flawless(self, seconds=60):
        """Until all that was sent has arrived; then: nothing twice, per-guild order kept."""
        def arrived():
            report = self.report()
            check(report["duplicates"] == 0, f"{report['duplicates']} events arrived twice")
            check(report["out_of_order"] == 0, f"{report['out_of_order']} out of order")
            return report if report["missing"] == 0 else None
        report = wait_until(arrived, seconds, "every event to arrive", interval=0.1)
        check(report["flawless"], f"the truth book is not content: {report['truth']}")
        return report


class Daemon(Program, Endpoint):
    """`shardgate run` against a simulator. `config` is laid over the tests' defaults."""

    def __init__(self, case, sim, config=None, name="shardgate", arguments=(), environment=None):
        self.sim = sim
        self.config = merged(self.defaults(case, sim, name), config)
        self.config_path = os.path.join(case.directory, f"{name}.toml")
        self.write_config()
        for section in self.config.values():
            for key, value in section.items():
                if isinstance(value, str) and (key in ("token", "secret") or
                                               key.endswith(("_token", "_authorization"))):
                    case.secrets.add(value)
        Program.__init__(self, case, name,
                         [case.daemon_binary, "run", "-c", self.config_path, *arguments],
                         environment)
        self._find_admin()

    def _find_admin(self):
        headers = {}
        if self.config["admin"].get("token"):
            headers["Authorization"] = "Bearer " + self.config["admin"]["token"]
        listen = self.config["admin"]["listen"]
        if listen.endswith(":0"):  # any free port, and another one after each start
            listen = self.wait_log(r"admin API address=\"?([^\s\"]+)").group(1)
        Endpoint.__init__(self, listen if listen.startswith("unix:") else "http://" + listen, headers)

    def start_again(self, config=None):
        """A new process on the same state, with the same configuration but for `config`."""
        if config:
            self.write_config(config)
        self.launch_again()
        self._find_admin()
        return self

    @staticmethod
    def defaults(case, sim, name):
        """A quick, memory-only daemon whose admin socket needs no port."""
        return {
            "discord": {
                "token": sim.ready["token"],
                "intents": ["GUILDS", "GUILD_MEMBERS", "GUILD_MESSAGES", "GUILD_MESSAGE_REACTIONS",
                            "GUILD_MESSAGE_TYPING", "GUILD_PRESENCES", "GUILD_VOICE_STATES",
                            "DIRECT_MESSAGES", "MESSAGE_CONTENT"],
                "api_url": sim.ready["rest"] + "/api/v10",
                "ca_file": sim.ready["ca"],
            },
            "handler": {"urls": [sim.handler_url()]},
            "queue": {"overflow": "drop-oldest"},
            "state": {"directory": ""},
            "admin": {"listen": "unix:" + os.path.join(case.directory, f"{name}.sock")},
            "log": {"level": "debug", "format": "text"},
        }

    def write_config(self, over=None):
        """(Re)writes the file, for a reload or a restart."""
        self.config = merged(self.config, over)
        with open(self.config_path, "w", encoding="utf-8") as file:
            file.write(to_toml(self.config))

    def status(self):
        return self.get("/v1/status")

    def shards(self, query=""):
        return self.get("/v1/shards" + query)

    def queue(self):
        return self.get("/v1/queue")

    def metrics(self):
        answer = self.ask("GET", "/metrics")
        equal(answer.status, 200, "GET /metrics")
        return parse_metrics(answer.text)

    def metric(self, name, **labels):
        """One sample; 0 for one that has not been counted yet."""
        return self.metrics().get((name, tuple(sorted(labels.items()))), 0)

    def is_ready(self):
        if not self.running:
            raise Failure(f"{self.name} ended with {self.process.returncode}")
        return self.ask("GET", "/readyz").status == 200

    def reasons(self):
        """Why it is not ready, by /readyz; empty when it is."""
        answer = self.ask("GET", "/readyz")
        return [] if answer.status == 200 else answer.json()["reasons"]

    def says(self, pattern):
        """The first reason or warning of /readyz that has a regular expression; None without one."""
        answer = self.ask("GET", "/readyz").json()
        said = answer.get("reasons", []) + answer.get("warnings", [])
        return next((text for text in said if re.search(pattern, text)), None)

    def dead_letters(self, query=""):
        return self.get("/v1/dead-letters" + query)

    def wait_ready(self, seconds=60):
        wait_until(self.is_ready, seconds, f"{self.name} to be ready")
        return self

    def wait_shards(self, state, count=None, seconds=60):
        """Until `count` shards (all of them by default) are in a state."""
        def look():
            shards = self.shards()
            n = sum(1 for s in shards if s["state"] == state)
            return shards and n >= (len(shards) if count is None else count)
        return wait_until(look, seconds, f"shards {state}")


# ---------------------------------------------------------------------------------------------
# One test


class Case:
    """What a test starts through and what cleans up behind it."""

    def __init__(self, name):
        self.name = name
        # Short: a unix socket's path has room for 107 bytes.
        self.directory = tempfile.mkdtemp(prefix="sg-e2e-")
        self.secrets = set()
        self._programs = []
        self._lock = threading.Lock()

    @property
    def daemon_binary(self):
        return self._binary("SHARDGATE_BIN")

    @property
    def sim_binary(self):
        return self._binary("SHARDGATE_SIM_BIN")

    @staticmethod
    def _binary(variable):
        path = os.environ.get(variable)
        if not path:
            raise Failure(f"{variable} is not set; it names the program to test")
        return os.path.abspath(path)

    def own(self, program):
        with self._lock:
            self._programs.append(program)

    def simulator(self, **options):
        return Simulator(self, **options)

    def daemon(self, sim, config=None, **more):
        return Daemon(self, sim, config, **more)

    def run(self, arguments, seconds=30, environment=None):
        """A program that ends by itself: (exit code, standard output, standard error)."""
        try:
            done = subprocess.run(
                [str(a) for a in arguments], stdin=subprocess.DEVNULL, capture_output=True,
                timeout=seconds * PATIENCE, cwd=self.directory, env={**os.environ, **(environment or {})},
                check=False)
        except subprocess.TimeoutExpired:
            raise Failure(f"{arguments} did not end within {seconds} s") from None
        return (done.returncode, done.stdout.decode("utf-8", "replace"),
                done.stderr.decode("utf-8", "replace"))

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def finish(self):
        """Stops everything, last started first; what was wrong, as a list."""
        wrong = []
        for program in reversed(self._programs):
            wrong += program.finish()
        return wrong

    def print_logs(self, out, lines=200):
        for program in self._programs:
            log = program.log().splitlines()
            left_out = max(0, len(log) - lines)
            print(f"---- {program.name}: exit code {program.process.returncode}, "
                  f"last {len(log) - left_out} of {len(log)} lines", file=out)
            for line in log[left_out:]:
                print("    " + line, file=out)

    def clean(self, failed):
        if failed and os.environ.get("SHARDGATE_E2E_KEEP"):
            return self.directory
        shutil.rmtree(self.directory, ignore_errors=True)
        return None
