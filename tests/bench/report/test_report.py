#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The report's tables and its place in docs/benchmarks.md, with a made-up report; no program is run."""

import argparse
import copy
import json
import os
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE]
sys.dont_write_bytecode = True

import render  # noqa: E402
import run  # noqa: E402
import tables  # noqa: E402

ABOUT = {"date": "2026-01-02", "took_s": 1.5,
         "machine": {"cpu": "A CPU", "cores": 2, "kernel": "6.1", "system": "Debian 12"},
         "build": {"version": "0.1.0", "type": "Release", "revision": "abc1234567", "compiler": "GNU 12.2.0",
                   "options": ["-O2", "-DNDEBUG"], "libraries": {"zstd": "1.5.4"}}}


def load_row(events_s=10000.0, cpu_us=5.0, p50=1.0, **more):
    latency = {"p50_ms": p50, "p90_ms": 2 * p50, "p99_ms": 3 * p50, "p999_ms": 4 * p50}
    return {"events_s": events_s, "cpu_us": cpu_us, "cpu": 0.5, "sim_cpu": 0.25, "latency": latency, "missing": 0,
            "duplicates": 0, "out_of_order": 0} | more


def both(**more):
    return {"saturated": load_row(**more), "low": load_row(2000.0, 8.0)}


def section(name, measured, rounds=3, **more):
    return ABOUT | {"command": f"script/bench --{name}", "measured": measured,
                    "options": {"rounds": rounds, "seconds": 6.0, "rate": 2000}} | more


def sample():
    count = {"allocations": 1.5, "bytes": 300.0, "calls": {"": 2.0, "sendmsg": 1.0, "recvfrom": 0.75, "futex": 0.001}}
    memory = {"ready_s": 1.0, "idle_mib": 30.0, "load_mib": 40.0, "after_mib": 35.0, "faults": ""}
    drained = {"waiting": 1000, "on_disk": 800, "rss_mib": 50.0, "noticed_s": 0.5, "events_s": 20000.0,
               "most_events_s": 25000.0, "cpu_us": 9.0, "cpu": 0.9, "sim_cpu": 0.8}
    floors = [both(cpu_us=c) for c in (4.0, 2.0, 3.0)]
    start = {"seconds": 75.0, "cpu_s": 9.5, "most_mib": 200.0, "ready_mib": 190.0, "rest_s": 60.0, "later_mib": 150.0,
             "heartbeat_late_ms": -3.0}
    profile = {"profile": "A", "events_s": 11000.0, "cores": 0.125, "cpu_us": 11.5, "most_mib": 160.0,
               "lag_p99_s": "0.001", "handler_p99_s": "0.0005", "loop_late_ms": ""}
    large = {"guilds": 200000, "guild_bytes": 15000, "shards": [208], "concurrency": 16, "seconds": 30.0}
    state = {"state": "overlap", "seconds": 30.0, "cpu_s": 6.0, "most_mib": 358.0, "end_mib": 350.0,
             "lag_p99_s": "0.001", "handler_p99_s": "0.001", "loop_late_ms": "0.1"}
    resharded = {"guilds": 200000, "shards": [208, 416], "rate": 3000.0}
    return {"sections": {
        "floor": section("floor", {"plain": {"floor": floors, "shardgate": [both(cpu_us=6.0)] * 3}}),
        "latency": section("latency", {
            "1000": {"direct": [load_row(1000.0)], "shardgate": [load_row(1000.0, p50=1.25)]},
            "50000": {"direct": [load_row(50000.0)], "shardgate": [load_row(30000.0, p50=90.0)]}}),
        "memory": section("memory", {"zstd-stream": {"1024": [memory | {"idle_mib": 156.0}], "16": [memory]}},
                          rounds=1, zstd_kib=400.0),
        "counts": section("counts", {"plain": {who: [{"saturated": count, "low": count}] for who in
                                               ("floor", "shardgate")}}),
        "peers": section("peers", {"shardgate": [both()], "@discordjs/ws, fetch": [
            both(events_s=400.0, missing=2), {"low": load_row(500.0, missing=5)}]}, node="v20.1.0"),
        "drain": section("drain", {"memory": {"plain": [drained]}}, faults="NOT as promised: 1 missing"),
        "scale": ABOUT | {"command": "script/bench --scale", "cold_start": start, "profiles": [profile],
                          "options": large},
        "reshard": ABOUT | {"command": "script/bench --reshard", "states": [state], "outcome": "done",
                            "reshard_s": 172.25, "planned_s": 161, "sent": 867941, "options": resharded,
                            "account": {"missing": 0, "copies": 1, "out_of_order": 2, "unwanted": 0,
                                        "pacing_violations": 0}}}}


def text_of(name, report=None):
    return "\n".join(render.body(name, report or sample()))


def document(*names):
    return "# Title\n\nProse.\n\n" + "\n".join(
        f"<!-- begin: {name} -->\n<!-- end: {name} -->\n\nAfter {name}.\n" for name in names)


class Tables(unittest.TestCase):
    def test_floor_has_the_medians_and_their_ratio(self):
        self.assertIn("| plain | saturated | 3,000 | 6,000 | 2.00 | 10,000 | 10,000 |", text_of("floor"))
        self.assertIn("| plain | 2,000/s | 8,000 | 8,000 | 1.00 |", text_of("floor"))

    def test_latency_names_what_is_added_where_the_rate_was_reached(self):
        self.assertIn("| 1,000 | p50 | 1,000 | 1,250 | 250 |", text_of("latency"))
        self.assertIn("| 1,000 | p99.9 | 4,000 | 5,000 | 1,000 |", text_of("latency"))
        self.assertIn("| 50,000 | p50 | 1,000 | 90,000 | - |", text_of("latency"))
        self.assertIn("50,000 a second were not reached (direct 50,000, shardgate 30,000)", text_of("latency"))

    def test_memory_shares_the_growth_from_the_fewest_shards(self):
        self.assertIn("| zstd-stream | 1,024 | 1.0 | 156.0 | 128 |", text_of("memory"))
        self.assertIn("| zstd-stream | 16 | 1.0 | 30.0 |  |", text_of("memory"))
        self.assertIn("400 KiB", text_of("memory"))

    def test_counts_name_the_calls_that_are_worth_it(self):
        self.assertIn("| 1.50 | 300 | 2.00 | sendmsg 1.00, recvfrom 0.75 |", text_of("counts"))

    def test_counts_go_without_system_calls(self):
        report = sample()
        for rounds in report["sections"]["counts"]["measured"]["plain"].values():
            rounds[0] = {when: {"allocations": 0.0, "bytes": 0.0} for when in rounds[0]}
        self.assertIn("| 0.00 | 0 | - |  |", text_of("counts", report))

    def test_peers_have_the_ratio_the_losses_and_who_falls_behind(self):
        self.assertIn("| @discordjs/ws, fetch | 400 | 25.0 | 5.0 | 0.50 | 1,250* | 6.5 | 7 | 0 | 0 |", text_of("peers"))
        self.assertIn("does not keep up", text_of("peers"))
        self.assertIn("node v20.1.0", text_of("peers"))

    def test_drain_says_what_waited_and_how_fast_it_went(self):
        self.assertIn("| memory | plain | 1,000 | 800 | 50 | 0.50 | 25,000 | 20,000 | 9.00 |", text_of("drain"))

    def test_scale_has_the_cold_start_and_each_profile(self):
        self.assertIn("200,000 guilds of 15,000 bytes on 208 shards, max_concurrency 16.", text_of("scale"))
        self.assertIn("| 75 | 9.5 | 200 | 190 | 150 | 0 |", text_of("scale"))
        self.assertIn("| A | 11,000 | 0.125 | 11.5 | 160 | 0.001 | 0.0005 |", text_of("scale"))

    def test_reshard_has_the_account_and_each_state(self):
        self.assertIn("200,000 guilds, 208 shards to 416, 3,000 events a second: done after 172 s, planned 161 s; "
                      "867,941 events, 0 missing, 1 twice, 2 out of order, 0 pacing violations.", text_of("reshard"))
        self.assertIn("| overlap | 30 | 0.20 | 358 | 0.001 | 0.001 | 0.1 |", text_of("reshard"))
        self.assertIn("`script/bench --reshard`, 2026-01-02: one run. ", text_of("reshard"))

    def test_a_section_says_where_its_numbers_come_from(self):
        self.assertIn("`script/bench --floor`, 2026-01-02: medians of 3 rounds of 6 s. 0.1.0, git abc1234567, "
                      "GNU 12.2.0, Release (-O2 -DNDEBUG).", text_of("floor"))
        self.assertIn("one run of 6 s", text_of("memory"))
        self.assertIn("**Not as promised:** NOT as promised: 1 missing", text_of("drain"))

    def test_two_machines_are_both_named(self):
        report = sample()
        self.assertEqual(text_of("machine", report), "A CPU, 2 cores; Debian 12, Linux 6.1.")
        other = copy.deepcopy(report["sections"]["peers"])
        other["machine"]["cpu"] = "Another"
        report["sections"]["peers"] = other
        self.assertIn("A CPU, 2 cores; Debian 12, Linux 6.1: floor, latency, memory, counts, drain, scale, "
                      "reshard.",
                      text_of("machine", report))
        self.assertIn("Another, 2 cores; Debian 12, Linux 6.1: peers.", text_of("machine", report))


class Rendering(unittest.TestCase):
    def test_prose_stays_and_a_second_time_changes_nothing(self):
        before = document("machine", *tables.SECTIONS)
        once = render.render(before, sample())
        self.assertEqual(render.render(once, sample()), once)
        self.assertEqual([l for l in once.splitlines() if l.startswith(("Prose", "After"))],
                         [l for l in before.splitlines() if l.startswith(("Prose", "After"))])

    def test_new_numbers_replace_the_old_ones(self):
        once = render.render(document("floor"), sample())
        without = render.render(once, {"sections": {}})
        self.assertIn("<!-- begin: floor -->\n\nNot measured yet.\n\n<!-- end: floor -->", without)
        self.assertEqual(render.render(without, sample()), once)

    def test_what_is_no_section_is_refused(self):
        for wrong in (document("nonsense"), document("floor", "floor"), "<!-- begin: floor -->\n",
                      "<!-- end: floor -->\n", "<!-- begin: floor -->\n<!-- end: peers -->\n"):
            with self.assertRaises(render.Wrong, msg=wrong):
                render.render(wrong, sample())

    def test_what_is_no_report_is_refused(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "report.json")
            for wrong in ("[]", "{}", '{"sections": []}'):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(wrong)
                with self.assertRaises(render.Wrong):
                    render.load(path)


class Report(unittest.TestCase):
    def test_each_benchmark_is_told_what_it_understands(self):
        o = argparse.Namespace(rounds=1, seconds=2.5, mode=["plain"])
        self.assertEqual(run.asked(o, "floor"), ["--rounds", "1", "--seconds", "2.5", "--mode", "plain"])
        self.assertEqual(run.asked(o, "drain"), ["--rounds", "1", "--mode", "plain"])
        self.assertEqual(run.asked(o, "peers"), ["--rounds", "1", "--seconds", "2.5"])
        self.assertEqual(run.asked(o, "scale"), ["--seconds", "2.5"])
        self.assertEqual(run.asked(argparse.Namespace(rounds=None, seconds=None, mode=None), "floor"), [])

    def test_it_is_read_as_it_was_written_with_sections_in_order(self):
        report = sample()
        report["sections"] = dict(reversed(report["sections"].items())) | {"of a later version": {"a": 1}}
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "report.json")
            run.write(path, report)
            self.assertEqual(os.listdir(directory), ["report.json"])
            again = render.load(path)
        self.assertEqual(again, report)
        self.assertEqual(list(again["sections"]), [*tables.SECTIONS, "of a later version"])

    def test_numbers_are_rounded_and_the_rest_is_not_touched(self):
        self.assertEqual(run.rounded({"a": [1.23456789, 7, True, "x", None]}), {"a": [1.23457, 7, True, "x", None]})

    def test_a_measurement_is_a_line(self):
        self.assertIn(json.dumps(load_row()), run.text(sample()))


class Repository(unittest.TestCase):
    """docs/benchmarks.md has the sections, and the numbers of the report beside this file."""

    def setUp(self):
        with open(render.DOCUMENT, encoding="utf-8") as file:
            self.document = file.read()

    def test_every_section_has_its_place(self):
        self.assertEqual(sorted(render.names_of(self.document)), sorted(["machine", *tables.SECTIONS]))

    def test_the_document_is_what_the_report_renders_to(self):
        report = render.load(render.REPORT)
        self.assertEqual(render.render(self.document, report), self.document, "run script/bench --render")

    def test_the_report_names_no_path_of_the_machine(self):
        with open(render.REPORT, encoding="utf-8") as file:
            self.assertNotRegex(file.read(), r'"(/|[^"]*(/tmp|/home|/root|/work)/)')


if __name__ == "__main__":
    unittest.main()
