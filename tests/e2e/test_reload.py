# SPDX-License-Identifier: Apache-2.0
"""Reading the configuration again while events flow: nothing is lost, nothing leaks, a bad file
changes nothing."""

import os
import signal
import threading

from harness import PATIENCE, check, equal, measured, wait_until
from streams import load_over, requests, settle, start

RELOADS = 1000


def reload(daemon):
    answer = daemon.ask("POST", "/v1/reload", {})
    equal(answer.status, 200, f"POST /v1/reload: {answer.text}")
    return answer.json()


def test_what_may_change_does(case):
    sim, daemon = start(case, config={"handler": {"secret": "first-secret"}})
    settle(sim)
    nothing = reload(daemon)
    equal((nothing["applied"], nothing["needs_restart"]), ([], []), "of the same file")
    daemon.write_config({"filter": {"drop": ["TYPING_START"]}, "handler": {"timeout": "3s"},
                         "log": {"level": "info"}, "sharding": {"identify_interval": "170ms"}})
    told = reload(daemon)
    equal(told["applied"], ["filter.drop", "handler.timeout", "log.level"], "applied")
    equal(told["needs_restart"], ["sharding.identify_interval"], "what waits")
    equal(told["unchanged"], nothing["unchanged"] - 4, "unchanged keys")
    check(daemon.says("sharding.identify_interval, which count from the next start"), "no warning")
    before = daemon.metric("shardgate_filtered_events_total", reason="event_name")
    sim.emit(what="typing", count=5)
    wait_until(lambda: daemon.metric("shardgate_filtered_events_total", reason="event_name")
               == before + 5, 20, "the new filter to hold")
    daemon.write_config({"sharding": {"identify_interval": "150ms"}})
    equal(reload(daemon)["needs_restart"], [], "after it was taken back")
    check(not daemon.says("next start"), "the warning stayed")


def test_a_bad_file_changes_nothing(case):
    sim, daemon = start(case)
    settle(sim)
    daemon.write_config({"handler": {"timeout": "forever"}, "filter": {"drop": ["TYPING_START"]},
                         "nonsense": {"key": 1}})
    answer = daemon.ask("POST", "/v1/reload", {})
    equal(answer.status, 422, "POST /v1/reload of a bad file")
    problems = answer.json()["problems"]
    equal(len(problems), 2, f"problems: {problems}")
    check(any("handler.timeout" in p for p in problems), problems)
    equal(daemon.metric("shardgate_config_last_reload_successful"), 0, "the metric")
    sim.emit(what="typing", count=5)
    settle(sim)
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: daemon.metric("shardgate_reloads_total", result="refused") == 2, 20,
               "SIGHUP to be refused as well")
    daemon.config.pop("nonsense")
    daemon.write_config({"handler": {"timeout": "5s"}, "filter": {"drop": []}})
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: daemon.metric("shardgate_config_last_reload_successful") == 1, 20,
               "SIGHUP to reload")


def test_a_file_that_takes_long_to_read_holds_nothing_up(case):
    """A pipe whose writer is silent: the daemon waits two seconds for it, beside its loop."""
    sim, daemon = start(case)
    settle(sim)
    os.rename(daemon.config_path, daemon.config_path + ".kept")
    os.mkfifo(daemon.config_path)
    silent = os.open(daemon.config_path, os.O_RDWR)
    told = []
    reading = threading.Thread(target=lambda: told.append(daemon.ask("POST", "/v1/reload", {})))
    reading.start()
    answers = []

    def read_at_last():
        answers.append(daemon.ask("GET", "/healthz").status)
        return not reading.is_alive()
    wait_until(read_at_last, 20, "the reading to end", interval=0.05)
    os.close(silent)
    equal(set(answers), {200}, "meanwhile")
    equal(told[0].status, 422, "POST /v1/reload of a silent pipe")
    check("cannot read the file" in told[0].text, told[0].text)
    check(len(answers) >= 5, f"only {len(answers)} answers while the file was read")
    os.rename(daemon.config_path + ".kept", daemon.config_path)
    equal(reload(daemon)["applied"], [], "of the file that was there before")


def test_a_new_admin_token_counts_at_once(case):
    sim, daemon = start(case, config={"admin": {"token": "first-admin-token"}})
    daemon.write_config({"admin": {"token": "second-admin-token"}})
    equal(reload(daemon)["applied"], ["admin.token"], "applied")
    equal(daemon.ask("GET", "/v1/status").status, 401, "with the old token")
    daemon._find_admin()
    case.secrets.add("second-admin-token")
    equal(daemon.ask("GET", "/v1/status").status, 200, "with the new token")


def test_a_new_presence_goes_to_every_shard(case):
    sim, daemon = start(case)
    sent = lambda: sim.report()["gateway"]["client_ops"].get("3", 0)  # noqa: E731
    equal(sent(), 0, "presences before")
    daemon.write_config({"discord": {"presence": {
        "status": "idle", "activities": [{"name": "shard {{shard}}", "type": 0}]}}})
    equal(reload(daemon)["applied"], ["discord.presence"], "applied")
    wait_until(lambda: sent() == 2, 20, "a presence on both shards")
    daemon.write_config({"discord": {"presence": {}}})
    reload(daemon)
    wait_until(lambda: sent() == 4, 20, "the presence to be taken back")


def test_the_handler_moves(case):
    """handler.urls in the file: what is under way finishes, the rest goes to the new address."""
    sim, daemon = start(case, {"unfurls": 0, "edits": 0})
    settle(sim)
    sim.load(mix="messages", rate=1000, seconds=3, unknown=0)
    for turn in range(6):
        made = sim.state()["load"]["made"]
        wait_until(lambda: sim.state()["load"]["made"] >= made + 300, 20, "events under way")
        url = sim.handler_url() + ("again/" if turn % 2 == 0 else "")
        daemon.write_config({"handler": {"urls": [url]}})
        equal(reload(daemon)["applied"], ["handler.urls"], "applied")
    load_over(sim)
    settle(sim)
    done = requests(daemon)
    equal((done["refused"], done["failed"], done["timeout"]), (0, 0, 0), "requests that failed")


@measured
def test_a_thousand_under_load(case):
    """Filters, limits, secrets and time-outs change all the time; no event is lost and
    the memory stays where it was."""
    sim, daemon = start(case, {"guilds": 100}, {
        "log": {"level": "warn"}, "queue": {"max_events": 200000, "max_bytes": "64MiB"}})
    settle(sim)
    sim.load(mix="messages", rate=500, unknown=0)

    def some(first, last):
        for n in range(first, last):
            daemon.write_config({
                "handler": {"timeout": f"{5 + n % 5}s", "connections": 16 + n % 48},
                "queue": {"max_events": 100000 + n, "max_bytes": f"{64 + n % 8}MiB",
                          "retry_initial": f"{100 + n % 50}ms"},
                # What is known of messages stays: an update that changes nothing is still dropped.
                "filter": {"drop": ["PRESENCE_UPDATE"] if n % 2 else []},
                "interactions": {"ephemeral": bool(n % 2)},
                "resharding": {"voice_drain": f"{n % 5}s"},
                "state": {"stop_flush": f"{5 + n % 2}s"}})
            told = reload(daemon)
            check(len(told["applied"]) >= 4, told)
            equal(told["needs_restart"], [], "what waits")

    some(0, RELOADS // 4)
    memory = daemon.metric("process_resident_memory_bytes")
    some(RELOADS // 4, RELOADS)
    after = daemon.metric("process_resident_memory_bytes")
    sim.stop_load()
    load_over(sim)
    settle(sim)
    equal(daemon.metric("shardgate_reloads_total", result="applied"), RELOADS, "reloads")
    done = requests(daemon)
    equal((done["refused"], done["failed"], done["timeout"]), (0, 0, 0), "requests that failed")
    if PATIENCE == 1:  # a sanitizer's allocator keeps what is freed
        grown = (after - memory) / 2**20
        check(grown < 8, f"grew by {grown:.1f} MiB over the reloads")
