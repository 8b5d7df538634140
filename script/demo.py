#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The demo: shardgate-sim plays Discord and the bot's event handler, shardgate stands between them.

What happens: every shard identifies, traffic begins, the handler goes away for a while and comes back,
every connection is asked to reconnect. At the end the simulator holds what it sent against what the
handler got.
"""
import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

TOKEN = "a.demo.token"


class Stop(Exception):
    """Somebody pressed Ctrl-C, or asked us to end."""


def call(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read() or b"null")


def wait_for(what, condition, seconds, program, log=None):
    """What `condition` answers once it is not None; gives up when the program has ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = condition()
        if answer is not None:
            return answer
        if program.poll() is not None:
            break
        time.sleep(0.05)
    sys.exit(f"demo: {what} did not happen{log_tail(log)}")


def log_tail(path):
    if path is None:
        return ""
    with open(path) as f:
        return "; the end of the daemon's log:\n" + "".join(f.readlines()[-20:])


def free_port(wanted):
    """`wanted` if nobody listens there, else any."""
    for port in (wanted, 0):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
                return s.getsockname()[1]
            except OSError:
                continue
    raise OSError("no free port")


class Demo:
    def __init__(self, options, directory):
        self.options = options
        self.directory = directory
        self.log = open(os.path.join(directory, "shardgate.log"), "w")
        self.sim = self.start_simulator()
        self.daemon = self.start_daemon()

    def start_simulator(self):
        ready = os.path.join(self.directory, "ready.json")
        o = self.options
        program = subprocess.Popen(
            [os.path.join(o.bin, "shardgate-sim"), "--ready-file", ready, "--ca-out",
             os.path.join(self.directory, "ca.pem"), "--token", TOKEN, "--guilds", str(o.guilds),
             "--shards", str(o.shards), "--max-concurrency", str(o.shards), "--guild-bytes", "8000",
             "--identify-interval", "1000"],
            stdout=subprocess.DEVNULL)

        def address():
            try:
                with open(ready) as f:
                    return json.load(f)
            except (OSError, ValueError):
                return None

        self.at = wait_for("the simulator's start", address, 20, program)
        return program

    def start_daemon(self):
        port = free_port(7600)
        self.admin = f"http://127.0.0.1:{port}"
        config = os.path.join(self.directory, "shardgate.toml")
        with open(config, "w") as f:
            f.write(f"""\
[discord]
token = "{TOKEN}"
intents = ["GUILDS", "GUILD_MESSAGES", "GUILD_MESSAGE_TYPING", "MESSAGE_CONTENT"]
api_url = "{self.at['rest']}/api/v10"
ca_file = "{self.at['ca']}"

[sharding]
identify_interval = "1050ms"   # the simulator's clock is faster than Discord's

[handler]
urls = ["{self.at['handler'].rstrip('/')}/"]

[queue]
overflow = "drop-oldest"

[state]
directory = ""

[admin]
listen = "127.0.0.1:{port}"
""")
        program = subprocess.Popen([os.path.join(self.options.bin, "shardgate"), "run", "-c", config],
                                   stdout=self.log, stderr=self.log)

        def ready():
            try:
                return call(self.admin + "/readyz")
            except OSError:
                return None

        print(f"simulated Discord: {self.options.guilds} guilds on {self.options.shards} shards")
        print(f"admin API:         {self.admin}/v1/status  (also /readyz, /metrics, /v1/shards)")
        print(f"log and config:    {self.directory}")
        wait_for("every shard's READY", ready, 30, program, self.log.name)
        print("every shard is ready\n")
        return program

    def control(self, path, body=None):
        return call(self.at["control"] + path, body)

    def say(self, text):
        print(f"  --- {text}", flush=True)

    def row(self, before, seconds):
        """One line a second: what Discord sent, what the handler got, what waits."""
        truth = self.control("/report")["truth"]
        status = call(self.admin + "/v1/status")
        print(f"{time.monotonic() - self.began:6.0f} s   sent {(truth['sent'] - before['sent']) / seconds:7.0f}/s"
              f"   handler got {(truth['received'] - before['received']) / seconds:7.0f}/s"
              f"   waiting {status['queue']['events']:7d}"
              f"   handler {status['handler']['state']:6s}"
              f"   shards ready {status['shards']['ready']}/{status['shards']['total']}", flush=True)
        return truth

    def watch(self, seconds):
        end = min(time.monotonic() + seconds, self.ends)
        truth, last = self.control("/report")["truth"], time.monotonic()
        while time.monotonic() < end:
            time.sleep(max(0.0, min(1.0, end - time.monotonic())))
            if self.daemon.poll() is not None:
                sys.exit(f"demo: the daemon ended with {self.daemon.returncode}; see {self.directory}")
            now = time.monotonic()
            if now - last > 0.2:
                truth, last = self.row(truth, now - last), now
        if time.monotonic() >= self.ends:
            raise Stop

    def run(self):
        # A signal may come at any time: what was begun is still compared at the end.
        self.began = time.monotonic()
        self.ends = self.began + self.options.seconds if self.options.seconds else float("inf")
        part = (self.options.seconds or 25) / 5
        self.control("/load", {"rate": self.options.rate, "mix": "realistic", "seconds": 1e6})
        while True:
            self.watch(part)
            self.say("the bot's handler goes away")
            self.control("/handler", {"down": True})
            self.watch(part)
            self.say("the handler is back: what waited comes first, in order")
            self.control("/handler", {"down": False})
            self.watch(part)
            self.say("Discord asks every shard to reconnect (opcode 7)")
            self.control("/fault", {"kind": "reconnect"})
            self.watch(part)

    def finish(self):
        """Stops the traffic, waits for the rest, compares. True if nothing is missing or doubled."""
        self.control("/handler", {"down": False})
        self.control("/load", {"stop": True})
        end = time.monotonic() + 30
        while time.monotonic() < end:
            report = self.control("/report")
            if report["truth"]["missing"] == 0 and call(self.admin + "/v1/queue")["events"] == 0:
                break
            time.sleep(0.1)
        truth = report["truth"]
        shards = call(self.admin + "/v1/shards")
        print("\nsummary")
        print(f"  events sent                       {truth['sent']:9d}")
        print(f"    link unfurls, filtered          {truth['unfurls_sent'] - truth['unfurls_received']:9d}")
        print(f"    forwarded to the handler        {truth['received_unique']:9d}")
        print(f"  missing                           {truth['missing']:9d}")
        print(f"  delivered twice                   {truth['duplicates']:9d}")
        print(f"  out of order                      {truth['out_of_order']:9d}")
        print(f"  interactions seen by the handler  {truth['interactions_received']:9d}")
        print(f"  sessions started / resumed        {sum(s['identifies'] for s in shards):5d} /"
              f"{sum(s['resumes'] for s in shards):4d}")
        good = truth["flawless"]
        if not good:
            print(json.dumps({k: truth[k] for k in ("missing_first", "filtered_first", "out_of_order_first")}, indent=1))
        print("  every event arrived once and in order" if good else "  NOT what was promised")
        return good

    def close(self):
        for program in (self.daemon, self.sim):
            if program.poll() is None:
                program.send_signal(signal.SIGTERM)
        for program in (self.daemon, self.sim):
            try:
                program.wait(10)
            except subprocess.TimeoutExpired:
                program.kill()
        self.log.close()


def interrupted(*_):
    raise Stop


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, help="end after so many seconds (default: on Ctrl-C)")
    parser.add_argument("--rate", type=int, default=2000, help="events per second (default 2000)")
    parser.add_argument("--guilds", type=int, default=1000, help="guilds of the bot (default 1000)")
    parser.add_argument("--shards", type=int, default=4, help="shards (default 4)")
    parser.add_argument("--bin", default="build/dev/src", help="where the programs are")
    parser.add_argument("--directory", help="for log and configuration; kept (default: one that is removed)")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, interrupted)
    signal.signal(signal.SIGTERM, interrupted)
    kept = options.directory and contextlib.nullcontext(options.directory)
    with kept or tempfile.TemporaryDirectory(prefix="shardgate-demo-") as directory:
        demo = Demo(options, directory)
        try:
            demo.run()
        except Stop:
            pass
        good = demo.finish()
        demo.close()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
