#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The daemon beside gateway processes on other libraries, in one run: @discordeno/gateway 21 and
@discordjs/ws 2 from npm, each with the handler that Discordeno's guide shows (one fetch for each event)
and with a tuned one (an undici pool of 64 keep-alive connections). The same simulator is Discord and
handler for all of them; one core for it, the other one for what is measured. Each is measured at
saturation and at a low rate. Exit code 77: node or npm is missing, and which.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BENCH = os.path.dirname(HERE)
sys.path[:0] = [os.path.join(BENCH, "process"), os.path.join(os.path.dirname(BENCH), "support")]
sys.dont_write_bytecode = True

import npm  # noqa: E402
import rig  # noqa: E402
from rig import faults, median  # noqa: E402

SKIPPED = 77
LIBRARIES = {"discordeno": "@discordeno/gateway", "discordjs": "@discordjs/ws"}
HANDLERS = ("fetch", "pool")
PEERS = [(library, handler) for handler in HANDLERS for library in LIBRARIES]
# Both send one POST for each event.
DAEMONS = {"shardgate": "", "shardgate, pipelined": "pipelining = 16"}


def title(library, handler):
    return f"{LIBRARIES[library]}, {handler}"


def start_peer(o, sim, directory, modules, library, handler):
    code = os.path.join(directory, "peer")
    os.mkdir(code)
    for name in ("forward.mjs", f"{library}.mjs"):
        shutil.copy(os.path.join(HERE, name), code)
    os.symlink(os.path.join(modules, "node_modules"), os.path.join(code, "node_modules"))
    settings = {"handler": handler, "compression": o.peer_compression, "token": rig.TOKEN, "intents": rig.INTENTS,
                "shards": o.shards, "rest": sim.at["rest"], "gateway": sim.at["gateway"], "url": sim.handler}
    environment = os.environ | {"NODE_EXTRA_CA_CERTS": sim.ca, "NODE_ENV": "production"}
    process = subprocess.Popen(
        rig.pinned(o.core, ["node", os.path.join(code, f"{library}.mjs"), json.dumps(settings)]),
        env=environment, stdout=subprocess.DEVNULL, stderr=None if o.verbose else subprocess.DEVNULL)
    # READY of each shard, and every guild: they forward those as well.
    return rig.Program(title(library, handler), process, lambda truth: truth["unnumbered"] >= o.shards and
                       truth["received_unique"] >= truth["sent"] >= o.guilds)


def run(o, modules, what, directory):
    sim = rig.Simulator(o, directory, unfurls=0, zstd_level=-5, zlib_level=1, handler_plain=True,
                        replay_depth=rig.REPLAY_DEPTH)
    if what in DAEMONS:
        program = rig.daemon(o, sim, directory,
                             handler=f'secret = "a secret of usual length, 40 characters"\n{DAEMONS[what]}')
    else:
        program = start_peer(o, sim, directory, modules, *what)
    try:
        program.wait_ready(sim)
        # First: after saturation the edits of its messages still come.
        row = {"low": rig.measure(o, sim, program, o.rate)}
        if not row["low"]["missing"]:  # else what is on its way cannot be told from what is lost
            row["saturated"] = rig.measure(o, sim, program)
    finally:
        program.stop()
        sim.stop()
    return row


def show(o, name, rows, references):
    lows, full = [r["low"] for r in rows], [r["saturated"] for r in rows if "saturated" in r]
    events, ratio, cpu, core = "-", "", "-", "-"
    if full:
        events, cpu, core = (median(full, key) for key in ("events_s", "cpu_us", "cpu"))
        if name not in DAEMONS:
            ratio = " ".join(f"{median(rows, 'events_s') / events:6.1f}" for rows in references)
        events, cpu, core = f"{events:.0f}", f"{cpu:.1f}", f"{core:.2f}"
    behind = "*" if median(lows, "events_s") < rig.KEEPS_UP * o.rate else " "
    low = f"{median(lows, 'events_s'):8.0f}{behind} {median(lows, 'cpu_us'):9.1f}"
    wrong = [sum(r[key] for r in full + lows) for key in ("missing", "out_of_order", "duplicates")]
    print(f"{name:28} {events:>10} {ratio:>13} {cpu:>9} {core:>6} {low} "
          f"{wrong[0]:8d} {wrong[1]:9d} {wrong[2]:7d}")


def report(o, measured):
    references = [[r["saturated"] for r in measured[name] if "saturated" in r] for name in DAEMONS]
    print(f"{o.shards} shards, realistic mix, one POST an event, {o.ahead} events on their way at saturation; "
          f"medians of {o.rounds} rounds of {o.seconds:g} s")
    print(f"shardgate reads zstd-stream, the others {o.peer_compression}")
    print(f"{'':28} {'at saturation':>41} {f'at {o.rate}/s':>19} {'in all rounds':>26}")
    print(f"{'':28} {'events/s':>10} {'ratios':>13} {'CPU us':>9} {'core':>6} {'events/s':>9} {'CPU us':>9} "
          f"{'lost':>8} {'disorder':>9} {'twice':>7}")
    for name, rows in measured.items():
        show(o, name, rows, [rows for rows in references if rows])
    print("* does not keep up with that rate")


def options():
    parser = argparse.ArgumentParser(prog="script/bench --peers", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    # With more of them (rig.MANY_GUILDS) the peers take minutes until they are ready.
    rig.add_options(parser, guilds=8000)
    parser.add_argument("--peer", action="append", choices=["-".join(p) for p in PEERS],
                        help="only this one (repeat for several; default all)")
    parser.add_argument("--peer-compression", default="none", choices=["none", "zlib-stream"],
                        help="of the peers' gateway connections (default none: it costs them the least; their "
                             "zstd-stream is not there in every version)")
    parser.add_argument("--verbose", action="store_true", help="show what the peers write to stderr")
    return parser.parse_args()


def main():
    o = options()
    lacking = npm.no_node()
    modules = None
    if not lacking:
        keep = os.environ.get("SHARDGATE_NPM_DIR") or os.path.join(o.bin, "tests/bench/npm")
        modules, lacking = npm.directory_with(LIBRARIES["discordeno"], HERE, os.path.abspath(keep))
    if lacking:
        print(f"skipped: {lacking}")
        return SKIPPED
    subjects = [*DAEMONS] + [p for p in PEERS if not o.peer or "-".join(p) in o.peer]
    measured = {s if s in DAEMONS else title(*s): [] for s in subjects}
    for turn in range(o.rounds):
        for subject in subjects[turn % len(subjects):] + subjects[:turn % len(subjects)]:
            name = subject if subject in DAEMONS else title(*subject)
            print(f"round {turn + 1} of {o.rounds}: {name}", file=sys.stderr)
            measured[name].append(rig.with_directory(run, o, modules, subject))
    report(o, measured)
    rig.write_json(o.json, {"measured": measured, "options": vars(o)})
    broken = [w for daemon in DAEMONS for r in measured[daemon] for w in (faults(m) for m in r.values()) if w]
    print("shardgate: nothing lost, nothing twice, order kept" if not broken else f"shardgate: NOT so: {broken}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
