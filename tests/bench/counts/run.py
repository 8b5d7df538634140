#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an event costs the daemon in things that can be counted: system calls by name (perf, or strace where
perf may not look) and allocations (a counter before malloc). Unlike times, these numbers hold on a busy
machine, though it changes how many events one wake-up finds. At a low rate and at saturation, in the modes
of the handler; beside the floor. strace slows the program down a good deal: it then finds more at once.
"""

import argparse
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), folder) for folder in ("process", "report")]
sys.dont_write_bytecode = True

import floor  # noqa: E402
import rig  # noqa: E402
from tables import median_counts, named_calls  # noqa: E402

CALLS = ("sendmsg", "sendto", "write", "writev", "pwrite64", "recvfrom", "recvmsg", "read", "readv", "pread64",
         "epoll_wait", "epoll_pwait", "epoll_ctl", "futex", "fsync", "fdatasync", "timerfd_settime", "eventfd2")


def perf_counts(pid, seconds):
    """{name: calls} with "" for all of them; None when perf may not look."""
    events = ",".join(["raw_syscalls:sys_enter"] + [f"syscalls:sys_enter_{c}" for c in CALLS])
    run = subprocess.run(["perf", "stat", "-x,", "-e", events, "-p", str(pid), "--", "sleep", str(seconds)],
                         capture_output=True, text=True, check=False)
    found = {}
    for line in run.stderr.splitlines():
        column = line.split(",")
        # A process that never ran meanwhile is "<not counted>".
        if len(column) > 2 and "sys_enter" in column[2] and column[0] != "<not supported>":
            name = "" if column[2].startswith("raw") else column[2].split("sys_enter_")[1]
            found[name] = int(column[0]) if column[0].isdigit() else 0
    return found if run.returncode == 0 and "" in found else None


def strace_counts(pid, seconds, directory):
    out = os.path.join(directory, "strace.txt")
    trace = subprocess.Popen(["strace", "-f", "-c", "-o", out, "-p", str(pid)], stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    trace.send_signal(signal.SIGINT)
    trace.wait(20)
    with open(out, encoding="utf-8") as file:
        rows = re.findall(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", file.read(), re.M)
    found = {name: int(calls) for calls, name in rows if name != "total"}
    return found | {"": sum(found.values())} if found else None


class Allocations:
    def __init__(self, directory):
        self.path = os.path.join(directory, "allocations")
        with open(self.path, "wb") as file:
            file.write(bytes(4096))

    def read(self):
        with open(self.path, "rb") as file:
            return struct.unpack("QQ", file.read(16))


def tracer():
    """perf where it may look at this process's calls, else strace."""
    if shutil.which("perf") and perf_counts(os.getpid(), 0.05) is not None:
        return "perf"
    return "strace" if shutil.which("strace") else None


def one(o, sim, program, allocations, directory, load):
    sim.control("/load", {"mix": "realistic", "seconds": 1e6} | load)
    time.sleep(2)
    before, (calls, size) = sim.truth()["received"], allocations.read()
    time.sleep(o.seconds)
    after = allocations.read()
    events = max(sim.truth()["received"] - before, 1)
    out = {"allocations": (after[0] - calls) / events, "bytes": (after[1] - size) / events}
    before, began = sim.truth()["received"], time.monotonic()
    found = {"perf": lambda: perf_counts(program.pid, o.seconds),
             "strace": lambda: strace_counts(program.pid, o.seconds, directory)}.get(o.tracer, lambda: None)()
    # Attaching takes a while, in which events come and nobody counts.
    events = max((sim.truth()["received"] - before) * o.seconds / (time.monotonic() - began), 1)
    if found:
        out["calls"] = {name: count / events for name, count in found.items()}
    rig.settle(sim, program)
    return out


def run(o, mode, is_floor, directory):
    sim = floor.simulator(o, directory)
    allocations = Allocations(directory)
    os.environ["SHARDGATE_COUNTS"] = allocations.path
    preload = os.environ.get("LD_PRELOAD")
    os.environ["LD_PRELOAD"] = o.counter
    program = floor.floor(o, sim, mode) if is_floor else rig.daemon(
        o, sim, directory, handler=floor.MODES[mode][2], memory_only=o.memory_only, connections=o.connections)
    os.environ.pop("LD_PRELOAD")
    if preload:
        os.environ["LD_PRELOAD"] = preload
    try:
        program.wait_ready(sim)
        return {"low": one(o, sim, program, allocations, directory, {"rate": o.rate / rig.EVENTS_PER_RATE}),
                "saturated": one(o, sim, program, allocations, directory, {"saturate": True, "ahead": o.ahead})}
    finally:
        program.stop()
        sim.stop()


def show(mode, who, when, row):
    calls = row.get("calls", {})
    total = f"{calls['']:8.2f}" if calls else f"{'-':>8}"
    print(f"{mode:14} {who:10} {when:10} {row['allocations']:8.2f} {row['bytes']:9.0f} {total}  {named_calls(calls)}")


def options():
    parser = argparse.ArgumentParser(prog="script/bench --counts", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    rig.add_options(parser, rounds=1, seconds=3.0, ahead=4096)
    parser.add_argument("--connections", type=int, default=64, help="to the handler")
    parser.add_argument("--mode", action="append", choices=list(floor.MODES), help="only this one (repeat)")
    parser.add_argument("--zstd-level", type=int, default=-5, help="of the simulator (default -5: quick)")
    parser.add_argument("--memory-only", action="store_true", help="the daemon without a state directory")
    return parser.parse_args()


def main():
    o = options()
    o.counter = os.path.abspath(os.path.join(o.bin, "tests/bench/libcount_allocations.so"))
    if not os.path.exists(o.counter):  # the loader would only warn, and nothing would be counted
        sys.exit(f"{o.bin} has no count_allocations: build that target")
    o.tracer = tracer()
    if not o.tracer:
        print("system calls are skipped: neither perf nor strace may look", file=sys.stderr)
    modes = o.mode or list(floor.MODES)
    measured = {mode: {"floor": [], "shardgate": []} for mode in modes}
    for turn in range(o.rounds):
        for mode in modes:
            for who in ("floor", "shardgate"):
                print(f"round {turn + 1} of {o.rounds}: {mode}, {who}", file=sys.stderr)
                measured[mode][who].append(rig.with_directory(run, o, mode, who == "floor"))
    print(f"an event's share; system calls counted by {o.tracer or 'nobody'}; medians of {o.rounds} rounds")
    print(f"{'mode':14} {'':10} {'':10} {'allocs':>8} {'bytes':>9} {'syscalls':>8}")
    for mode, programs in measured.items():
        for who, rounds in programs.items():
            for when in rounds[0]:
                show(mode, who, when, median_counts([r[when] for r in rounds]))
    rig.write_json(o.json, {"measured": measured, "options": {k: v for k, v in vars(o).items() if k != "counter"}})
    return 0


if __name__ == "__main__":
    sys.exit(main())
