#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast a backlog drains: the handler is away while so many events come, then it is back. Events a second
and CPU per event from the first that it takes until none is missing, with all of it in memory and with most
of it in the spool on disk; and how long the daemon takes to notice that the handler is back. What is in the
queue at the end is of the largest guilds alone, one event at a time for each: so the pace of the first nine
tenths is there too. Held against the simulator's account: nothing lost, nothing twice, order kept.
"""

import argparse
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(os.path.dirname(HERE)), "e2e")]
sys.dont_write_bytecode = True

import floor  # noqa: E402
import rig  # noqa: E402
from endpoint import Endpoint  # noqa: E402
from rig import cpu_seconds, faults, median, rss_mib  # noqa: E402

STORES = ("memory", "spool")
LOOK_S = 0.02
STUCK_S = 30  # without a single event: what is missing then does not come


def until(what, seconds, name, program):
    end = time.monotonic() + seconds
    while not what():
        if program.process.poll() is not None:
            sys.exit(f"the daemon ended with {program.process.returncode}")
        if time.monotonic() > end:
            sys.exit(f"waited in vain: {name}")
        time.sleep(0.1)


def fill(o, sim, program, queue):
    """The handler goes away, the events come; back when the daemon holds all of them."""
    sim.control("/handler", {"down": True})
    sim.control("/load", {"mix": "realistic", "rate": o.fill_rate, "count": o.events, "seconds": 1e6})

    def made():
        load = sim.control("/state")["load"]
        return not load["running"] and load["follow_ups"] == 0
    until(made, o.events / o.fill_rate * 3 + 60, "the events to be made", program)
    last = []

    def calm():
        last.append(queue())
        return len(last) > 10 and last[-1] == last[-10]
    until(calm, 60, "the queue to be at rest", program)
    return last[-1]


def drained(sim, program, waiting):
    """What it was like until all of it had arrived."""
    already = sim.truth()["received"]
    sim.control("/handler", {"down": False})
    back = time.monotonic()
    began = most = truth = None
    moved, seen = back, already
    while True:
        truth, now = sim.truth(), time.monotonic()
        if truth["received"] != seen:
            moved, seen = now, truth["received"]
            if began is None:
                began = now, truth["received"], cpu_seconds(program.pid), cpu_seconds(sim.process.pid)
            if most is None and truth["missing"] <= waiting // 10:
                most = now, truth["received"]
        if not truth["missing"] or now - moved > STUCK_S or program.process.poll() is not None:
            break
        time.sleep(LOOK_S)
    if began is None or program.process.poll() is not None:
        sys.exit(f"none of {waiting} waiting events arrived, or the daemon ended")
    at, first, cpu, sim_cpu = began
    span, events = max(moved - at, LOOK_S), max(seen - first, 1)
    used = [cpu_seconds(program.pid) - cpu, cpu_seconds(sim.process.pid) - sim_cpu]
    until_most, most_events = (most[0] - at, most[1] - first) if most else (span, events)
    row = {"noticed_s": at - back, "took_s": span, "events_s": events / span,
           "most_events_s": max(most_events, 1) / max(until_most, LOOK_S), "cpu_us": used[0] * 1e6 / events,
           "cpu": used[0] / span, "sim_cpu": used[1] / span}
    return row | {key: truth[key] for key in ("missing", "duplicates", "out_of_order")}


def run(o, store, mode, directory):
    sim = rig.Simulator(o, directory, unfurls=0, zstd_level=o.zstd_level)
    # In the spool's case a fifth may stay in memory; spilling begins at half of that.
    bound = 4 * o.events if store == "memory" else max(o.events // 5, 1000)
    program = rig.daemon(o, sim, directory, handler=floor.MODES[mode][2], memory_only=store == "memory",
                         connections=o.connections, max_events=bound)
    admin = Endpoint("unix:" + os.path.join(directory, "admin.sock"))

    def queue():
        now = admin.get("/v1/queue")
        return now["events"], now.get("spooled_events", 0)
    try:
        program.wait_ready(sim)
        _, on_disk = fill(o, sim, program, queue)
        waiting = sim.truth()["missing"]
        row = {"waiting": waiting, "on_disk": on_disk, "rss_mib": rss_mib(program.pid)}
        return row | drained(sim, program, waiting)
    finally:
        program.stop()
        sim.stop()


def show(store, mode, rows):
    print(f"{store:8} {mode:14} {median(rows, 'waiting'):8.0f} {median(rows, 'on_disk'):8.0f} "
          f"{median(rows, 'rss_mib'):8.1f} {median(rows, 'noticed_s'):8.2f} {median(rows, 'most_events_s'):9.0f} "
          f"{median(rows, 'events_s'):9.0f} "
          f"{median(rows, 'cpu_us'):8.2f} {median(rows, 'cpu'):5.2f} {median(rows, 'sim_cpu'):9.2f}")


def options():
    parser = argparse.ArgumentParser(prog="script/bench --drain", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    rig.add_options(parser)
    parser.add_argument("--events", type=int, default=200000, help="made while the handler is away (default 200000)")
    parser.add_argument("--fill-rate", type=int, default=8000, help="at which they are made (default 8000)")
    parser.add_argument("--connections", type=int, default=64, help="to the handler")
    parser.add_argument("--store", action="append", choices=STORES, help="only this one (default both)")
    parser.add_argument("--mode", action="append", choices=list(floor.MODES),
                        help="of the handler (repeat for several; default plain)")
    parser.add_argument("--zstd-level", type=int, default=-5, help="of the simulator (default -5: quick)")
    return parser.parse_args()


def main():
    o = options()
    stores, modes = o.store or list(STORES), o.mode or ["plain"]
    measured = {store: {mode: [] for mode in modes} for store in stores}
    for turn in range(o.rounds):
        for store in stores if turn % 2 == 0 else reversed(stores):
            for mode in modes:
                print(f"round {turn + 1} of {o.rounds}: {store}, {mode}", file=sys.stderr)
                measured[store][mode].append(rig.with_directory(run, o, store, mode))
    print(f"{o.shards} shards, realistic mix, {o.connections} connections; {o.events} events made while the handler "
          f"is away, edits follow; medians of {o.rounds} rounds")
    print(f"{'backlog':8} {'mode':14} {'waiting':>8} {'on disk':>8} {'MiB':>8} {'noticed':>8} {'first 90%':>9} "
          f"{'events/s':>9} {'CPU us':>8} {'core':>5} {'simulator':>9}")
    for store in stores:
        for mode in modes:
            show(store, mode, measured[store][mode])
    asked = {key: value for key, value in vars(o).items() if key not in ("seconds", "rate", "ahead")}
    rig.write_json(o.json, {"measured": measured, "options": asked})
    broken = [f"{store}, {mode}: {what}" for store in stores for mode in modes
              for r in measured[store][mode] if (what := faults(r))]
    print("nothing lost, nothing twice, order kept" if not broken else f"NOT as promised: {broken}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
