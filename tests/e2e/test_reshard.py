# SPDX-License-Identifier: Apache-2.0
"""The number of shards changes under load: the handler sees every event once and in order, whatever
happens to either set meanwhile; a resharding that cannot go on leaves everything as it was.
SHARDGATE_E2E_LONG=1 makes it as long as its claims."""

import json
import os
import time

from crashes import LONG, drawn, gaps, let_pass, say, state_directory
from reshards import ENDED, KINDS, LAG_MS, OVERLAP, Chaos, Reshards, idle

from harness import PATIENCE, Skip, check, equal, holds_for, measured, wait_until

RATE = 3000 if LONG else 600
APART = {"lag": LAG_MS, "repeats": 0.2}


# ---- 1: every event once


def _through(case, start, totals, lose, **more):
    rng = drawn()
    stand = Reshards(case, start, sim=APART, **more)
    stand.everything(RATE)
    chaos = Chaos(stand, rng, lose=lose)
    for total in totals:
        with chaos.running(stand.shards, total):
            stand.reshard(total)
            stand.wait_done(total)
        say(f"{total} shards: {chaos.cut} connections cut, {len(chaos.lost)} sessions lost so far")
    stand.end_load()
    # A lagging session shows the end later.
    # The guilds that a new session of the old set loaded nobody needed, nor acknowledged.
    loading = ("closed by the client", "invalidated") if lose else ()
    account = stand.settled(copies=False, lost=loading)
    stand.summary(account)
    # A session that is lost as its set goes needs no new one; one cut before READY needs another.
    needed, most = sum(totals), sum(totals) + len(chaos.lost) + chaos.cut
    check(needed <= stand.identifies() <= most,
          f"{stand.identifies()} IDENTIFYs, {needed} to {most} had a reason")
    check(account["repeats_sent"] > 0, "events that were equal to another")
    check(chaos.cut > 0, "connections that were cut")
    return stand, account


def test_every_event_once(case):
    _, account = _through(case, 8 if LONG else 4, (16, 12, 24) if LONG else (8, 6), lose=0)
    equal(account["gaps"], {}, "gaps")


def test_every_event_once_though_sessions_are_lost(case):
    stand, account = _through(case, 8 if LONG else 4, (16, 12, 24) if LONG else (8,), lose=0.4 if LONG else 0.2,
                              # What a lost session shows of its guilds anew is nothing to judge.
                              expect={"loading_guilds": "may_arrive", "resharding": "may_arrive"})
    del stand
    check(account["identifies_refused"] == 0, "IDENTIFYs that were refused")


def test_same_number_again(case):
    stand = Reshards(case, 3, sim=APART)
    stand.everything(RATE)
    stand.reshard(3)
    stand.wait_done(3)
    stand.end_load()
    stand.summary(stand.settled(copies=False, identifies=3))


def test_shrinks_to_one_and_grows(case):
    stand = Reshards(case, 3, sim=APART)
    stand.everything(RATE)
    for total in (1, 5) if LONG else (1,):
        stand.reshard(total)
        stand.wait_done(total)
    stand.end_load()
    stand.settled(copies=False)


def test_a_part_of_the_shards_to_a_multiple(case):
    """Another daemon has shards 0 and 3 of 4: what becomes of ours is 1, 2, 5 and 6 of 8."""
    stand = Reshards(case, 4, sim=APART, own=2,
                     config={"sharding": {"total": 4, "first": 1, "last": 2}})
    stand.everything(RATE)
    for total in (6, 2):
        answer = stand.ask(total)
        check(answer.status == 422 and "multiple" in answer.json()["detail"],
              f"resharding a part of 4 to {total}: {answer}")
    equal(stand.reshard(8)["session_starts"], 4, "session starts")
    stand.wait_done(8)
    equal(sorted(s["id"] for s in stand.daemon.shards()), [1, 2, 5, 6], "the shards")
    stand.end_load()
    stand.settled(copies=False, identifies=4)


# ---- 2: guilds


def test_guilds_come_and_go_once(case):
    rng = drawn()
    stand = Reshards(case, 4, sim={"lag": LAG_MS // 2})
    before = stand.count_guilds()
    stand.everything(RATE / 2)
    first = stand.sim.account()
    equal(first["guild_marks"], {"loaded": before}, "X-Shardgate-Guild at start")
    stand.sim.post("/grow", {"join": 6, "leave": 2})
    outages = backs = 0
    stand.reshard(6)
    away = []
    while stand.progress()["state"] not in ENDED:
        present = [g["id"] for g in stand.sim.get("/guilds") if g["present"] and g["available"]]
        guild = rng.choice(present)
        if stand.sim.emit(what="outage", guild=guild)["made"]:
            outages += 1
            away.append(guild)
        if len(away) > 3:
            backs += stand.sim.emit(what="back", guild=away.pop(0))["made"]
        let_pass(0.2)
    stand.wait_done(6)
    stand.sim.post("/grow", {"stop": True})
    for guild in away:
        backs += stand.sim.emit(what="back", guild=guild)["made"]
    stand.end_load()
    account = stand.settled(copies=False, identifies=6)
    grown = stand.sim.state()["growth"]
    equal(grown["unseen"], 0, "joins and leaves that nobody was told of")
    equal(account["guild_marks"],
          {"loaded": before, "joined": grown["joined"], "left": grown["left"],
           "unavailable": outages, "available": backs}, "X-Shardgate-Guild")
    equal(account["guild_marks_wrong"], 0, f"marks {account['guild_marks_wrong_first']}")
    equal(stand.count_guilds(), before + grown["joined"] - grown["left"], "guilds afterwards")
    say(f"{grown['joined']} joined, {grown['left']} left, {outages} outages")


def test_voice_is_drained(case):
    """The old shard of a guild the bot speaks in stays until the bot has left there."""
    stand = Reshards(case, 2, config={"resharding": {"voice_drain": "60s"}})
    stand.everything(RATE / 4)
    guild = stand.sim.get("/guilds")[0]["id"]

    def speak(channel):
        answer = stand.daemon.ask("POST", "/v1/send", body={
            "op": 4, "d": {"guild_id": str(guild), "channel_id": channel, "self_mute": False, "self_deaf": False}})
        check(answer.status == 202, f"op 4: {answer}")

    def named():
        return stand.ask(4, dry_run=True).json()["voice_guilds"]

    def left():
        return {t: n["connected"] for t, n in stand.sim.account()["totals"].items()
                if n["connected"]}

    equal(named(), [], "guilds with voice before")
    speak("1234")
    wait_until(lambda: named() == [str(guild)], 10, "the plan to name the guild")
    equal(stand.reshard(4)["voice_guilds"], [str(guild)], "the plan")
    stand.wait_state("retiring", seconds=60 + 6 * OVERLAP)
    wait_until(lambda: left() == {"2": 1, "4": 4}, 20, "the other old shard to go")
    holds_for(lambda: left() == {"2": 1, "4": 4}, 2, "the guild's old shard stays")
    speak(None)
    stand.wait_done(4)
    stand.end_load()
    stand.settled(copies=False, identifies=4)


# ---- 3: what does not go on


def _carries_on(stand, identifies=None):
    """The old set delivers as if nothing had been, and another resharding works."""
    stand.only(stand.shards)
    equal(stand.daemon.status()["shards"]["total"], stand.shards, "shards in force")
    stand.grows(RATE // PATIENCE)
    stand.wait_connected()
    if identifies is not None:
        equal(stand.identifies(), identifies, "IDENTIFYs")
    equal(stand.told(), [], "SHARDGATE_RESHARDED")


def _and_again(stand, total):
    stand.sim.fault(clear=True)
    stand.reshard(total)
    stand.wait_done(total)
    stand.end_load()
    stand.summary(stand.settled(copies=False))


def _aborted(stand):
    answer = stand.abort()
    check(answer.status in (200, 202, 204), f"the abort: {answer}")
    progress = stand.wait_state("aborted", seconds=20 + 3 * OVERLAP)
    check("request" in progress["reason"], f"the reason: {progress}")


def test_abort_while_a_new_shard_never_gets_ready(case):
    stand = Reshards(case, 4, sim=APART)
    stand.everything(RATE)
    stand.sim.fault(kind="no_ready", shards=[5], shard_count=8, for_ms=600000)
    stand.reshard(8)
    wait_until(lambda: stand.progress()["ready"] == 7, 30, "the others to be ready")
    holds_for(lambda: stand.progress()["state"] == "starting", 1, "it waits for the eighth")
    busy = stand.ask(6)
    equal(busy.status, 409, f"another one meanwhile: {busy}")
    _aborted(stand)
    _carries_on(stand)
    _and_again(stand, 6)


def test_a_new_shard_that_never_gets_ready_fails_by_itself(case):
    if not LONG:
        raise Skip("takes more than five minutes: SHARDGATE_E2E_LONG=1")
    stand = Reshards(case, 4, sim=APART)
    stand.everything(RATE)
    stand.sim.fault(kind="no_ready", shards=[5], shard_count=8, for_ms=3600000)
    stand.reshard(8)
    progress = stand.wait_state("failed", seconds=600)
    check("7 of 8" in progress["reason"], f"the reason: {progress}")
    _carries_on(stand)
    _and_again(stand, 6)


def test_a_new_shard_that_is_refused(case):
    # What Discord closes for good is no reason for the old set to end.
    stand = Reshards(case, 4, sim=APART)
    stand.everything(RATE)
    stand.sim.fault(kind="close", code=4010, phase="ready", shards=[3], shard_count=8, next=1)
    stand.reshard(8)
    progress = stand.wait_state("failed", seconds=30)
    check("4010" in progress["reason"], f"the reason: {progress}")
    _carries_on(stand)
    _and_again(stand, 6)


def test_abort_while_the_old_set_leads(case):
    stand = Reshards(case, 4, sim=APART)
    stand.everything(RATE)
    stand.reshard(8)
    stand.wait_state("overlap")
    let_pass(OVERLAP * drawn().uniform(0, 1.8))
    _aborted(stand)
    _carries_on(stand, identifies=8)
    _and_again(stand, 6)


def test_abort_when_the_lead_has_passed(case):
    stand = Reshards(case, 4, sim=APART)
    stand.everything(RATE)
    stand.reshard(8)
    wait_until(lambda: stand.progress()["percent"] >= 80, 30 + 3 * OVERLAP, "the lead to pass")
    let_pass(OVERLAP * 0.5)
    _aborted(stand)
    _carries_on(stand, identifies=8)
    _and_again(stand, 6)


def test_abort_is_refused_once_the_old_set_is_retired(case):
    stand = Reshards(case, 12, sim={"guilds": 240})
    stand.everything(RATE)
    stand.reshard(2)
    stand.wait_state("retiring", seconds=30 + 6 * OVERLAP, interval=0.005)
    answer = stand.abort()
    equal(answer.status, 409, f"the abort: {answer}")
    stand.wait_done(2)
    equal(stand.abort().status, 409, "an abort of nothing")
    stand.end_load()
    stand.settled(copies=False, identifies=2)


def test_nothing_begins_without_budget_or_discord(case):
    stand = Reshards(case, 4)
    stand.load(RATE)
    stand.sim.fault(rest={"path": "/gateway/bot", "status": 503, "for_ms": 600000})
    answer = stand.ask(8)
    equal(answer.status, 503, f"while Discord does not answer: {answer}")
    stand.sim.fault(clear=True)
    stand.sim.settings(starts_remaining=107)
    answer = stand.ask(8)
    equal(answer.status, 422, f"without budget: {answer}")
    check("identify_reserve" in answer.json()["detail"], f"why: {answer}")
    equal(stand.ask(0).status, 422, "no shards")
    equal(stand.progress()["state"], "idle", "the state")
    stand.sim.settings(starts_remaining=108)
    dry = stand.ask(8, dry_run=True)
    check(dry.status in (200, 202), f"a dry run: {dry}")
    equal(dry.json()["session_starts"], 8, "session starts of the plan")
    equal(stand.progress()["state"], "idle", "the state after a dry run")
    _carries_on(stand, identifies=0)
    stand.end_load()
    stand.settled(copies=False, identifies=0)


def test_budget_runs_out_half_way(case):
    # Old shards have lost their sessions and wait for their turn: they take what the plan counted on.
    stand = Reshards(case, 8, sim={"max_concurrency": 1, "identify_interval": 1400, "guilds": 80},
                     config={"sharding": {"identify_interval": "1500ms", "identify_reserve": 0},
                             "resharding": {"identify_reserve": 0}})
    stand.sim.fault(kind="invalid_session", resumable=False)
    wait_until(lambda: stand.identifies() == 3, 30, "three of them to identify")
    stand.sim.settings(starts_remaining=8)
    stand.reshard(6)
    wait_until(lambda: stand.identifies() == 11, 60, "the budget to be used up")
    holds_for(lambda: stand.progress()["state"] == "starting" and stand.identifies() == 11, 3,
              "nobody identifies without budget")
    ready = stand.progress()["ready"]
    check(ready < 6, f"{ready} new shards are ready")
    say(f"{ready} of 6 new shards got ready")
    _aborted(stand)
    stand.wait_connected()
    stand.load(RATE)
    _carries_on(stand, identifies=11)
    stand.end_load()
    stand.settled(copies=False, identifies=11)


# ---- 4: kill -9


def _killed(case, moment, survives):
    """Killed when `moment(stand)` returns. `survives`: the new set does; None: as may be."""
    stand = Reshards(case, 4, sim={"lag": LAG_MS, "trim": "resume"})
    stand.everything(RATE)
    stand.reshard(8)
    moment(stand)
    at = stand.progress()
    stand.kill()
    stand.wait_gone()
    identified = stand.identifies()
    say(f"killed in {at['state']} at {at['percent']} %, {identified} IDENTIFYs of the new set")
    stand.start_again(connected=False)
    if survives is None:  # the disk had it, or not
        stand.wait_connected()
        survives = stand.progress()["state"] in ("overlap", "retiring", "done")
    if at["state"] == "overlap" and survives:
        wait_until(lambda: stand.progress()["state"] == "done", 60 + 6 * OVERLAP,
                   "the resharding to go on")
    if survives:
        stand.shards = 8
    stand.wait_connected()
    stand.only(stand.shards)
    equal(stand.daemon.status()["shards"]["total"], stand.shards, "shards in force")
    equal(stand.identifies(), identified, "no IDENTIFY was needed")
    stand.grows(RATE // PATIENCE)
    stand.end_load()
    if survives:
        wait_until(stand.told, 10, "SHARDGATE_RESHARDED")
        equal([(d["from"], d["to"]) for d in stand.told()], [(4, 8)], "SHARDGATE_RESHARDED")
        stand.done = 1
    account = stand.settled(identifies=identified)
    equal(gaps(account, "session_lost")["events"], 0, "sessions lost")
    stand.summary(account)
    # And the next one works.
    stand.sim.load(rate=RATE / PATIENCE, mix="A", kinds=KINDS)
    stand.reshard(5)
    stand.wait_done(5)
    stand.end_load()
    stand.settled()


def _starting(stand):
    stand.sim.fault(kind="no_ready", shards=[7], shard_count=8, next=1)
    wait_until(lambda: stand.progress()["ready"] >= 4, 30, "half of the new set")


def _overlap(share):
    def moment(stand):
        # At 60 % it goes to the disk that the windows open.
        wait_until(lambda: stand.progress()["percent"] >= (61 if share else 60), 30, "the windows")
        let_pass(share * OVERLAP)
    return moment


def _passing(stand):
    wait_until(lambda: stand.progress()["percent"] >= 80, 30 + 3 * OVERLAP, "the lead to pass")
    let_pass(0.3 * OVERLAP)


def _retiring(stand):
    stand.wait_state("retiring", "done", seconds=30 + 6 * OVERLAP, interval=0.005)


def _just_done(stand):
    stand.wait_state("done", seconds=30 + 6 * OVERLAP, interval=0.005)


def test_killed_while_the_new_set_starts(case):
    _killed(case, _starting, survives=False)


def test_killed_as_the_windows_open(case):
    _killed(case, _overlap(0), survives=None)


def test_killed_while_the_old_set_leads(case):
    _killed(case, _overlap(drawn().uniform(0.2, 1.8)), survives=True)


def test_killed_when_the_lead_has_passed(case):
    _killed(case, _passing, survives=True)


def test_killed_while_the_old_set_is_retired(case):
    _killed(case, _retiring, survives=True)


def test_killed_when_it_is_done(case):
    _killed(case, _just_done, survives=True)


def test_stopped_in_the_windows(case):
    stand = Reshards(case, 4, sim=APART)
    stand.everything(RATE)
    stand.reshard(8)
    stand.wait_state("overlap")
    let_pass(OVERLAP * drawn().uniform(0, 1.8))
    stand.daemon.stop()
    stand.killed_at = time.monotonic()
    stand.start_again(connected=False)
    stand.wait_done(8)
    stand.end_load()
    # How many equal ones there were before is not on disk: a later one may have a key again.
    account = stand.settled(identifies=8, same_key=stand.sim.account()["repeats_sent"])
    say(f"{account['repeats_same_key']} equal events under a key that one had before")
    stand.summary(account)


def test_check_tells_that_the_file_contradicts_the_stored_plan(case):
    stand = Reshards(case, 1, sim=APART)
    daemon = stand.daemon
    stand.reshard(2)
    stand.wait_done(2)
    daemon.write_config({"sharding": {"total": 1}})

    def told():
        code, out, err = case.run([case.daemon_binary, "check", "-c", daemon.config_path])
        equal((code, err), (0, ""), out)
        return "sharding.total is 1 in the file, but the plan in force has 2 shards" in out

    def listing():
        with os.scandir(state_directory(case)) as entries:
            return {e.name: (e.stat().st_size, e.stat().st_mtime_ns) for e in entries}

    check(not told(), "told while the daemon has the files")
    daemon.stop()
    before = listing()
    check(told(), "not told of a daemon that is stopped")
    code, out, _ = case.run([case.daemon_binary, "check", "--json", "-c", daemon.config_path])
    equal((code, len(json.loads(out)["warnings"])), (0, 1), out)
    daemon.write_config({"sharding": {"total": 2}})
    check(not told(), "told of a file that agrees")
    equal(listing(), before, "the state directory after the checks")


# ---- 5: by itself


def test_a_growing_bot_reshards_by_itself(case):
    # 80 % of 2,500 guilds on the only shard; 3 + 100 session starts are wanted and 101 there.
    stand = Reshards(case, 1, sim={"guilds": 1950, "shards": 0, "starts_remaining": 102},
                     config={"sharding": {"total": 1}, "resharding": {"check_interval": "1s"}})
    stand.load(100)
    holds_for(lambda: stand.progress()["state"] == "idle", 3, "1,950 guilds are few enough")
    stand.sim.post("/grow", {"join": 50, "until": 2010})
    stand.daemon.wait_log(r"cannot start: 3 session starts are needed and 100 must remain", 20)
    equal(stand.progress()["state"], "idle", "without the reserve")
    equal(stand.identifies(), 0, "IDENTIFYs")
    stand.sim.settings(starts_remaining=103)
    wait_until(lambda: stand.progress()["state"] not in ("idle",), 60, "the next try")
    check(stand.progress()["automatic"], f"it began by itself: {stand.progress()}")
    stand.wait_done(3)
    equal(stand.count_guilds(), 2010, "guilds")
    holds_for(lambda: stand.progress()["state"] == "done", 60 if LONG else 5, "it does not repeat")
    stand.end_load()
    stand.settled(copies=False, identifies=3)
    check(stand.sim.report()["session_starts"]["remaining"] >= 100, "the reserve remains")


def test_a_full_shard_is_warned_of(case):
    stand = Reshards(case, 1, sim={"guilds": 2240},
                     config={"resharding": {"enabled": False, "check_interval": "1s"}})
    holds_for(lambda: not stand.progress()["warning"], 2, "nothing to warn of")
    stand.sim.post("/grow", {"join": 20, "until": 2260})
    stand.daemon.wait_log(r"fullest shard holds 22[56]\d guilds of the 2500 Discord allows", 20)
    check("resharding.enabled" in stand.progress()["warning"], f"why: {stand.progress()}")
    check(stand.daemon.says("fullest shard holds"), "a warning of /readyz")
    equal(stand.daemon.metric("shardgate_reshard_due"), 1, "the metric")
    equal(stand.progress()["state"], "idle", "the state")
    stand.end_load()
    stand.settled(copies=False, identifies=0)


# ---- 6: time


@measured
def test_takes_the_time_it_says_and_slows_nobody(case):
    # Few guilds: the simulator must not be what slows the handler down.
    stand = Reshards(case, 8, sim={"guilds": 200})
    stand.everything(RATE)
    stand.grows(int(RATE * (20 if LONG else 2) / PATIENCE))
    stand.sim.post("/latency")
    stand.grows(int(RATE * (60 if LONG else 5) / PATIENCE))
    before = stand.sim.post("/latency")
    started = time.monotonic()
    plan = stand.reshard(16)
    stand.wait_done(16)
    took = time.monotonic() - started
    during = stand.sim.post("/latency")
    # One overlap for the lead to settle, and the closing of eight connections.
    most = plan["estimated_s"] + OVERLAP + 3 * PATIENCE
    say(f"{took:.1f} s, {plan['estimated_s']:.1f} s estimated; p99 {before['p99_ms']:.1f} ms of "
        f"{before['count']} events before, {during['p99_ms']:.1f} ms of {during['count']} during")
    check(took <= most, f"it took {took:.1f} s, not {most:.1f} s at most")
    check(took >= 3 * OVERLAP, f"three overlaps cannot have passed in {took:.1f} s")
    if idle():
        # The processes share the machine with sixteen more connections to identify.
        check(during["p99_ms"] <= 1.5 * before["p99_ms"] + 20,
              "the p99 of the delivery rose by more than half")
    stand.end_load()
    stand.settled(copies=False, identifies=16)
