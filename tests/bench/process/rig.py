# SPDX-License-Identifier: Apache-2.0
"""What the whole-process benchmarks share: the simulator on one core, a program under test on the other,
and one measurement of it, held against the simulator's account of every event."""

import glob
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

TOKEN = "a.bench.token"
# Everything that the simulator's realistic mix has: an event that is made is an event that is sent.
INTENTS = sum(1 << bit for bit in (0, 1, 2, 5, 6, 7, 9, 10, 12, 13, 15))
START_S = 120  # until a program is ready, and until what waits has arrived
# Edits follow their messages: the realistic mix makes so many events for one of its rate.
EVENTS_PER_RATE = 1.11
# Nearly as many as 16 shards may have, for what is measured at saturation: half of the events are in a hundredth
# of the guilds, and the daemon, which keeps a guild's order, would wait for 16 guilds' answers if there were 1,600.
MANY_GUILDS = 38000
KEEPS_UP = 0.85  # of a rate asked for; the first seconds have fewer edits


def call(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read() or b"null")


def cpu_seconds(pid):
    """Of all threads, from the scheduler's own clock where the kernel has it (not in ticks of 10 ms)."""
    try:
        total = 0
        for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
            with open(path, encoding="ascii") as f:
                total += int(f.read().split()[0])
        if total:
            return total / 1e9
    except OSError:
        pass
    with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mib(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        return next(int(l.split()[1]) / 1024 for l in f if l.startswith("VmRSS"))


def pinned(core, command):
    return ["taskset", "-c", str(core), *command]


def median(rows, key):
    return statistics.median(r[key] for r in rows)


def add_options(parser, rounds=5, seconds=6.0, ahead=1024, guilds=1600):
    parser.add_argument("--bin", default="build/release", help="build directory")
    parser.add_argument("--rounds", type=int, default=rounds,
                        help=f"measurements of each, in turn; medians are shown (default {rounds})")
    parser.add_argument("--seconds", type=float, default=seconds,
                        help=f"measured time of one (default {seconds:g})")
    parser.add_argument("--shards", type=int, default=16)
    parser.add_argument("--guilds", type=int, default=guilds, help=f"default {guilds}")
    parser.add_argument("--rate", type=int, default=2000, help="events a second at the low rate (default 2000)")
    parser.add_argument("--ahead", type=int, default=ahead,
                        help=f"events on their way at saturation: the next is made when one has arrived "
                             f"(default {ahead})")
    parser.add_argument("--core", type=int, default=0, help="core of what is measured")
    parser.add_argument("--sim-core", type=int, default=1, help="core of the simulator, Discord and handler in one")
    parser.add_argument("--json", help="file for the numbers")


# A session's events kept for a RESUME that never comes in a benchmark: more than one can be ahead of its
# reader at saturation, few enough to stay in a cache. What the simulator keeps by itself is 80 MB and more.
REPLAY_DEPTH = 600


class Simulator:
    """Arguments become its options: guilds=5 is --guilds 5, True is a flag."""

    def __init__(self, o, directory, **arguments):
        ready = os.path.join(directory, "ready.json")
        command = [os.path.join(o.bin, "src/shardgate-sim"), "--ready-file", ready, "--ca-out",
                   os.path.join(directory, "ca.pem"), "--token", TOKEN, "--guilds", str(o.guilds), "--shards",
                   str(o.shards), "--max-concurrency", str(o.shards), "--guild-bytes", "2000",
                   "--identify-interval", "100"]
        for name, value in arguments.items():
            command += ["--" + name.replace("_", "-")] + ([] if value is True else [str(value)])
        self.process = subprocess.Popen(pinned(o.sim_core, command), stdout=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while not os.path.exists(ready):
            if time.monotonic() > end or self.process.poll() is not None:
                sys.exit("the simulator did not start")
            time.sleep(0.05)
        with open(ready, encoding="utf-8") as f:
            self.at = json.load(f)
        self.ca = self.at["ca"]
        self.handler = self.at["handler"].rstrip("/") + "/"

    def control(self, path, body=None):
        return call(self.at["control"] + path, body)

    def truth(self):
        return self.control("/report")["truth"]

    def latency(self):
        """Since the last call."""
        return self.control("/latency", {})

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


class Program:
    """What is measured: a process that is started, becomes ready, and is stopped again."""

    def __init__(self, name, process, is_ready):
        self.name, self.process, self._is_ready = name, process, is_ready

    @property
    def pid(self):
        return self.process.pid

    def wait_ready(self, sim):
        end = time.monotonic() + START_S
        while not self._is_ready(sim.truth()):
            if self.process.poll() is not None:
                sys.exit(f"{self.name} ended with {self.process.returncode} before it was ready")
            if time.monotonic() > end:
                self.stop()
                sys.exit(f"{self.name} did not become ready within {START_S} s")
            time.sleep(0.1)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def daemon(o, sim, directory, handler="", memory_only=False, compression="zstd-stream", intents=INTENTS,
           connections=64, max_events=2000000):
    """The daemon as it is used, with a state directory; `handler` are further lines of its section."""
    config = os.path.join(directory, "bench.toml")
    state = "" if memory_only else os.path.join(directory, "state")
    with open(config, "w", encoding="utf-8") as f:
        f.write(f"""\
[discord]
token = "{TOKEN}"
intents = {intents}
api_url = "{sim.at['rest']}/api/v10"
ca_file = "{sim.ca}"
compression = "{compression}"
[sharding]
identify_interval = "110ms"
[filter]
guild_create = "drop-loaded"
[handler]
urls = ["{sim.handler}"]
connections = {connections}
{handler}
[queue]
overflow = "{"spill" if state else "drop-oldest"}"
max_events = {max_events}
max_bytes = "4GiB"
[state]
directory = "{state}"
[admin]
listen = "unix:{os.path.join(directory, 'admin.sock')}"
[log]
level = "warn"
""")
    process = subprocess.Popen(pinned(o.core, [os.path.join(o.bin, "src/shardgate"), "run", "-c", config]))
    # READY and SHARDGATE_GUILDS_LOADED of each shard.
    return Program("shardgate", process, lambda truth: truth["unnumbered"] >= 2 * o.shards)


def settle(sim, program):
    """Stops the load and waits until what was sent has arrived; the rest is lost."""
    sim.control("/load", {"stop": True})
    end = time.monotonic() + START_S
    last, since = None, time.monotonic()
    while (truth := sim.truth())["missing"] and time.monotonic() < end:
        if truth["missing"] != last:
            last, since = truth["missing"], time.monotonic()
        elif time.monotonic() - since > 10 or program.process.poll() is not None:
            break
        time.sleep(0.1)
    return truth


def measure(o, sim, program, rate=None, warm=2.0):
    """One measurement at `rate` events a second; None: as many as are forwarded."""
    began_with = sim.truth()
    load = {"mix": "realistic", "seconds": 1e6}
    load |= {"saturate": True, "ahead": o.ahead} if rate is None else {"rate": rate / EVENTS_PER_RATE}
    sim.control("/load", load)
    time.sleep(warm)
    sim.latency()
    before, cpu, sim_cpu = sim.truth(), cpu_seconds(program.pid), cpu_seconds(sim.process.pid)
    began = time.monotonic()
    time.sleep(o.seconds)
    used, sim_used = cpu_seconds(program.pid) - cpu, cpu_seconds(sim.process.pid) - sim_cpu
    span, after = time.monotonic() - began, sim.truth()
    latency = sim.latency()
    if program.process.poll() is not None:
        sys.exit(f"{program.name} ended with {program.process.returncode} under load")
    memory = rss_mib(program.pid)
    truth = settle(sim, program)
    received = after["received"] - before["received"]
    row = {"events_s": received / span, "sent_s": (after["sent"] - before["sent"]) / span,
           "cpu_us": used * 1e6 / received if received else float("inf"), "cpu": used / span, "sim_cpu": sim_used / span,
           "rss_mib": memory, "latency": latency}
    row["missing"] = truth["missing"]  # what an earlier measurement of this run lost is still missing
    for key in ("duplicates", "out_of_order"):
        row[key] = truth[key] - began_with[key]
    return row


def faults(row, names=("missing", "duplicates", "out_of_order")):
    """What is wrong with a measurement, in words; empty when nothing is."""
    return ", ".join(f"{row[name]} {name.replace('_', ' ')}" for name in names if row[name])


def with_directory(run, *arguments):
    with tempfile.TemporaryDirectory(prefix="shardgate-bench-") as directory:
        return run(*arguments, directory)


def write_json(path, numbers):
    if path:
        with open(path, "w", encoding="utf-8") as f:
            json.dump(numbers, f, indent=1)
            f.write("\n")
