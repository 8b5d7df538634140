# SPDX-License-Identifier: Apache-2.0
"""The numbers of a report as tables, one function for each section. Pure: takes what the benchmarks wrote with
--json, gives Markdown lines. Every number in a table is the median of the rounds."""

from statistics import median as middle

KEEPS_UP = 0.85  # of a rate asked for; as in process/rig.py
POINTS = (("p50", "p50_ms"), ("p90", "p90_ms"), ("p99", "p99_ms"), ("p99.9", "p999_ms"))


def median(rows, key):
    return middle(row[key] for row in rows)


def number(value, digits=0):
    return f"{value:,.{digits}f}"


def occasions(section):
    """The two loads of a measurement, with their names."""
    return {"saturated": "saturated", "low": f"{number(section['options']['rate'])}/s"}


def table(head, rows):
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(str(cell) for cell in row) + " |"


def floor(section):
    rows = []
    for mode, programs in section["measured"].items():
        for when, name in occasions(section).items():
            of = {who: [r[when] for r in rounds] for who, rounds in programs.items()}
            cost = {who: 1000 * median(r, "cpu_us") for who, r in of.items()}
            rows.append((mode, name, number(cost["floor"]), number(cost["shardgate"]),
                         number(cost["shardgate"] / cost["floor"], 2),
                         *(number(median(of[who], "events_s")) for who in ("floor", "shardgate")),
                         *(number(median(of[who], "cpu"), 2) for who in ("floor", "shardgate")),
                         number(median(of["shardgate"], "sim_cpu"), 2)))
    yield from table(("mode", "when", "floor, CPU ns per event", "shardgate, CPU ns per event", "ratio",
                      "floor, events/s", "shardgate, events/s", "floor's core", "shardgate's core",
                      "simulator's core"), rows)


def latency(section):
    rows, behind = [], []
    for rate, of in section["measured"].items():
        reached = {who: median(rounds, "events_s") for who, rounds in of.items()}
        keeps_up = min(reached.values()) >= KEEPS_UP * int(rate)
        if not keeps_up:
            behind.append(f"{number(int(rate))} a second were not reached (direct {number(reached['direct'])}, "
                          f"shardgate {number(reached['shardgate'])}): what waits grows, and nothing can be said "
                          "of what is added.")
        for name, key in POINTS:
            at = {who: 1000 * middle(r["latency"][key] for r in rounds) for who, rounds in of.items()}
            added = number(at["shardgate"] - at["direct"]) if keeps_up else "-"
            rows.append((number(int(rate)), name, number(at["direct"]), number(at["shardgate"]), added))
    yield from table(("events/s asked for", "percentile", "direct, µs", "through shardgate, µs", "added, µs"), rows)
    for line in behind:
        yield ""
        yield line


def memory(section):
    rows = []
    for kind, counts in section["measured"].items():
        base = min(counts, key=int)
        for shards, rounds in sorted(counts.items(), key=lambda pair: int(pair[0])):
            share = ""
            if shards != base:
                grown = median(rounds, "idle_mib") - median(counts[base], "idle_mib")
                share = number(1024 * grown / (int(shards) - int(base)))
            rows.append((kind, number(int(shards)), number(median(rounds, "ready_s"), 1),
                         number(median(rounds, "idle_mib"), 1), share, number(median(rounds, "load_mib"), 1),
                         number(median(rounds, "after_mib"), 1)))
    yield from table(("compression", "shards", "ready after s", "idle MiB", "KiB a shard", "under load MiB",
                      "after it MiB"), rows)
    if section.get("zstd_kib"):
        yield ""
        yield f"libzstd itself needs {number(section['zstd_kib'])} KiB for a stream with the simulator's window."


def median_counts(rows):
    """One row of medians: allocations, bytes, and system calls by name where they were counted."""
    out = {key: median(rows, key) for key in ("allocations", "bytes")}
    counted = [row["calls"] for row in rows if row.get("calls")]
    if counted:
        names = {name: None for calls in counted for name in calls}
        out["calls"] = {name: middle(calls.get(name, 0) for calls in counted) for name in names}
    return out


def named_calls(calls, least=0.005):
    """The system calls that an event makes, the most frequent first."""
    most = sorted(((name, n) for name, n in calls.items() if name and n >= least), key=lambda pair: -pair[1])
    return ", ".join(f"{name} {n:.2f}" for name, n in most)


def counts(section):
    rows = []
    for mode, programs in section["measured"].items():
        for when, name in occasions(section).items():
            for who in ("floor", "shardgate"):
                of = median_counts([r[when] for r in programs[who]])
                calls = of.get("calls", {})
                rows.append((mode, name, who, number(of["allocations"], 2), number(of["bytes"]),
                             number(calls[""], 2) if "" in calls else "-", named_calls(calls)))
    yield from table(("mode", "when", "program", "allocations", "bytes", "system calls", "of them"), rows)
    tracer = section["options"].get("tracer")
    yield ""
    yield f"System calls counted by {tracer}." if tracer else "System calls were not counted: no perf and no strace."


def peers(section):
    measured = section["measured"]
    ours = {name: [r["saturated"] for r in rounds if "saturated" in r] for name, rounds in measured.items()
            if name.startswith("shardgate")}
    rate = section["options"]["rate"]
    rows, behind = [], False
    for name, rounds in measured.items():
        full, low = [r["saturated"] for r in rounds if "saturated" in r], [r["low"] for r in rounds]
        cells, ratios = ["-"] * 3, [""] * len(ours)
        if full:
            cells = [number(median(full, key), digits) for key, digits in (("events_s", 0), ("cpu_us", 1), ("cpu", 2))]
            if name not in ours:
                ratios = [number(median(reference, "events_s") / median(full, "events_s"), 1) if reference else ""
                          for reference in ours.values()]
        slow = median(low, "events_s") < KEEPS_UP * rate
        behind = behind or slow
        wrong = [number(sum(r[key] for r in full + low)) for key in ("missing", "out_of_order", "duplicates")]
        rows.append((name, cells[0], *ratios, *cells[1:], number(median(low, "events_s")) + ("*" if slow else ""),
                     number(median(low, "cpu_us"), 1), *wrong))
    at = f"at {number(rate)}/s: "
    yield from table(("who", "saturated: events/s", *(f"{name} / peer" for name in ours), "CPU µs per event", "core", at + "events/s",
                      at + "CPU µs per event", "lost", "in disorder", "twice"), rows)
    if behind:
        yield ""
        yield "\\* does not keep up with that rate."


def drain(section):
    rows = []
    for where, modes in section["measured"].items():
        for mode, rounds in modes.items():
            rows.append((where, mode, *(number(median(rounds, key)) for key in ("waiting", "on_disk", "rss_mib")),
                         number(median(rounds, "noticed_s"), 2),
                         *(number(median(rounds, key)) for key in ("most_events_s", "events_s")),
                         number(median(rounds, "cpu_us"), 2), number(median(rounds, "cpu"), 2),
                         number(median(rounds, "sim_cpu"), 2)))
    yield from table(("backlog", "mode", "events waiting", "of them on disk", "resident MiB", "noticed after s",
                      "events/s, first nine tenths", "events/s until empty", "CPU µs per event", "shardgate's core",
                      "simulator's core"), rows)


def scale(section):
    start, options = section["cold_start"], section["options"]
    yield (f"{number(options['guilds'])} guilds of {number(options['guild_bytes'])} bytes on "
           f"{number(options['shards'][0])} shards, max_concurrency {options['concurrency']}.")
    yield ""
    yield from table(("cold start, s", "CPU s", "MiB at most", "MiB when ready", f"MiB {start['rest_s']:g} s later",
                      "latest heartbeat, ms late"),
                     [(number(start["seconds"]), number(start["cpu_s"], 1),
                       *(number(start[key]) for key in ("most_mib", "ready_mib", "later_mib")),
                       number(max(0, start["heartbeat_late_ms"])))])
    yield ""
    yield from table(("profile", "events/s", "cores", "CPU µs per event", "resident MiB at most",
                      "delivery lag p99 within s", "the handler's part within s"),
                     [(r["profile"], number(r["events_s"]), number(r["cores"], 3), number(r["cpu_us"], 1),
                       number(r["most_mib"]), r["lag_p99_s"], r["handler_p99_s"]) for r in section["profiles"]])


def reshard(section):
    options, account = section["options"], section["account"]
    yield (f"{number(options['guilds'])} guilds, {options['shards'][0]} shards to {options['shards'][1]}, "
           f"{number(options['rate'])} events a second: {section['outcome']} after {number(section['reshard_s'])} s, "
           f"planned {number(section['planned_s'])} s; {number(section['sent'])} events, {account['missing']} missing, "
           f"{account['copies']} twice, {account['out_of_order']} out of order, {account['pacing_violations']} pacing "
           "violations.")
    yield ""
    yield from table(("state", "s", "of a core", "resident MiB, most", "delivery lag p99 within s",
                      "the handler's part within s", "loop late at most, ms"),
                     [(r["state"], number(r["seconds"]), number(r["cpu_s"] / r["seconds"], 2), number(r["most_mib"]),
                       r["lag_p99_s"], r["handler_p99_s"], r["loop_late_ms"]) for r in section["states"]])


# In the order in which they are measured.
SECTIONS = {"floor": floor, "latency": latency, "memory": memory, "counts": counts, "peers": peers, "drain": drain,
            "scale": scale, "reshard": reshard}
