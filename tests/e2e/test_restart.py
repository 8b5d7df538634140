# SPDX-License-Identifier: Apache-2.0
"""The daemon ends, in every way, and starts again: nothing is lost, nothing comes under two keys or
out of order, and no IDENTIFY is spent on what can be resumed."""

import re
import time

from crashes import LONG, PLAIN, Stand, drawn, gaps, let_pass, say, state_directory, stateful

from harness import EXIT_CONFIG, PATIENCE, check, equal, measured, wait_until

RATE = 5000
KILLS = 20 if LONG else 5


def _trouble(stand, rng):
    """What the handler is like until the next kill: its events lie in memory, in flight or on disk
    when the daemon goes."""
    guilds = stand.sim.get("/guilds")
    kinds = {
        "answers": {"clear": True},
        "slow": {"rules": [{"delay_ms": rng.randint(2, 12)}]},
        "hung lanes": {"rules": [{"do": "hang", "lane": rng.choice(guilds)["id"]}
                                 for _ in range(5)]},
        "errors": {"rules": [{"status": 503}]},
        "away": {"clear": True, "down": True},
    }
    name = rng.choice(list(kinds))
    stand.sim.handler(**kinds[name])
    return name


def _better(stand):
    stand.sim.handler(clear=True, down=False)


def _killed_again_and_again(case, trim, before_kill=None):
    rng = drawn()
    stand = Stand(case, sim={"trim": trim, "unknown": 0.001})
    stand.load(RATE)
    stand.grows(2000)
    started, first, away = time.monotonic(), stand.made(), []
    for _ in range(KILLS):
        trouble = _trouble(stand, rng)
        let_pass(rng.uniform(0.2, 2.5))
        if before_kill:
            before_kill(stand, rng)
        stand.sim.emit(what="edit", count=20)
        stand.kill()
        if rng.random() < 0.3:  # and again while it comes up
            stand.daemon.start_again()
            let_pass(rng.uniform(0.0, 0.7))
            stand.daemon.kill()
            trouble += ", killed while starting"
        away.append(stand.start_again())
        say(f"handler {trouble}: away for {away[-1]:.2f} s")
        _better(stand)
    rate = (stand.made() - first) / (time.monotonic() - started)
    stand.end_load()
    account = stand.settled()
    say(f"{account['sent']} sent at {rate:.0f}/s, {account['copies']} copies, "
        f"{account['resumes']} RESUMEs, {account['replayed']} replayed, "
        f"{account['trimmed_by_heartbeats']} trimmed by heartbeats, "
        f"{account['trimmed_by_resumes']} by RESUMEs")
    equal(account["resumes_refused"], 0, "RESUMEs refused")
    check(account["trimmed_by_heartbeats"] > 0, "no heartbeat trimmed anything")
    if trim == "resume":
        check(account["trimmed_by_resumes"] > 0, "no RESUME trimmed anything")
    equal(account["gaps"], {}, "gaps")
    if PATIENCE == 1:
        check(rate > RATE / 2, f"the load was {rate:.0f}/s only")


@measured
def test_kill_trim_at_heartbeats(case):
    _killed_again_and_again(case, "heartbeat")


@measured
def test_kill_trim_at_resumes_too(case):
    _killed_again_and_again(case, "resume")


def _reconnect_all(stand, rng):
    """Op 7 or a broken connection for every shard, in the moment before the kill."""
    kind = rng.choice(("reconnect", "reset", "fin"))
    stand.sim.fault(kind=kind)
    let_pass(rng.choice((0, rng.uniform(0, 0.1), rng.uniform(0, 1))))


def test_reconnect_of_every_shard_before_each_kill(case):
    _killed_again_and_again(case, "resume", _reconnect_all)


def test_term(case):
    rng = drawn()
    stand = Stand(case, sim={"trim": "resume"})
    stand.load(RATE)
    stand.grows(2000)
    for _ in range(20 if LONG else 3):
        let_pass(rng.uniform(0.3, 1.5))
        stand.daemon.stop()
        stand.killed_at = time.monotonic()
        say(f"away for {stand.start_again():.2f} s")
    stand.end_load()
    account = stand.settled(copies=False)
    equal(account["gaps"], {}, "gaps")
    closes = stand.sim.report()["gateway"]["client_closes"]
    check(not {"1000", "1001"} & set(closes), f"closed so that the sessions ended: {closes}")


def test_term_while_the_handler_is_away(case):
    stand = Stand(case, shards=2, config={"state": {"stop_flush": "500ms"}})
    stand.sim.handler(down=True)
    stand.load(1000, mix="messages", count=2000, unknown=0)
    stand.load_over()
    stand.wait_received()
    stand.daemon.stop()
    stand.killed_at = time.monotonic()
    stand.start_again()
    # And a RESUMED for each shard.
    wait_until(lambda: 2000 <= stand.queued() <= 2002, 10, "2000 events to be queued again")
    stand.sim.handler(down=False)
    stand.settled(copies=False)


def test_both_marks_are_shown(case):
    # One guild hangs: its events are on disk a second later, and the safe mark does not wait.
    stand = Stand(case, shards=2)
    stand.sim.handler(rules=[{"do": "hang", "lane": stand.sim.get("/guilds")[0]["id"]}])
    guild = stand.sim.get("/guilds")[0]["id"]
    stand.sim.emit(what="message", guild=guild, count=50)
    stand.wait_received()
    stand.wait_safe()
    check(stand.stored() >= 50, f"not on disk: {stand.daemon.queue()}")
    seqs = {s["shard"]: s["seq"] for s in stand.sim.state()["sessions"]}
    equal({s["id"]: s["safe"] for s in stand.daemon.shards()}, seqs, "safe marks")
    wait_until(lambda: all(s["acked"] == s["seq"] for s in stand.sim.state()["sessions"]),
               20, "heartbeats with the safe mark")
    stand.kill()
    stand.start_again()
    stand.sim.handler(clear=True)
    account = stand.settled(seconds=30)
    equal(account["replayed"], 0, "events replayed although all were safe")


# ---- starts


def _loop(case, forget):
    """Killed as soon as it runs. The budget is small, so that a loop could use it up."""
    restarts, seconds = (30, 60) if LONG else (10, 15)
    interval = int((5250 if LONG else 1050) * PATIENCE)
    rng = drawn()
    shards, total, reserve = 4, 12, 3
    sim = case.simulator(guilds=40, guild_bytes=1000, shards=shards, max_concurrency=2,
                         identify_interval=interval * 20 // 21, identify_tolerance=20,
                         starts_total=total, heartbeat_interval=int(5000 * PATIENCE), **PLAIN)
    config = stateful(case, sharding={"identify_interval": f"{interval}ms",
                                      "identify_reserve": reserve})
    daemon = case.daemon(sim, config).wait_ready(120)
    equal(sim.account()["identifies"], shards, "IDENTIFYs of the first start")
    waits, started = set(), time.monotonic()
    for _ in range(restarts):
        daemon.kill()
        if forget:
            wait_until(lambda: not any(s["connected"] for s in sim.state()["sessions"]), 10,
                       "the simulator to notice")
            sim.fault(kind="forget")
        daemon.start_again()
        until = daemon.launched_at + rng.uniform(0.1, 2 * seconds / restarts)
        while time.monotonic() < until:
            let_pass(0.05)
            try:
                waits.add(daemon.status()["waiting_for"])
            except OSError:
                pass  # it has just begun
    took = time.monotonic() - started
    account = sim.account()
    spent = account["identifies"] + account["identifies_refused"]
    left = sim.report()["session_starts"]["remaining"]
    say(f"{restarts} restarts in {took:.0f} s, {spent} IDENTIFYs, {left} starts left, "
        f"{account['resumes']} RESUMEs; waited for: {sorted(w for w in waits if w)}")
    equal(account["pacing_violations"], 0, "pacing violations")
    equal(account["beyond_budget"], 0, "IDENTIFYs beyond the budget")
    check(left >= reserve, f"{left} session starts left, {reserve} are reserved")
    return sim, daemon, spent, shards, total - reserve, waits


def test_loop_of_sessions_that_live(case):
    sim, daemon, spent, shards, _, _ = _loop(case, forget=False)
    equal(spent, shards, "IDENTIFYs")
    daemon.wait_ready(120)
    equal(sim.account()["identifies"], shards, "IDENTIFYs in the end")


def test_loop_of_sessions_that_are_gone(case):
    sim, daemon, _, _, most, waits = _loop(case, forget=True)
    # Left alone it waits, for the budget or because it ended so often, and says so.
    def says_why():
        return re.search("budget|uncleanly", daemon.status()["waiting_for"] or "")
    wait_until(lambda: daemon.is_ready() or says_why(), 60, "shards, or a word why not")
    account = sim.account()
    check(account["identifies"] <= most, f"{account['identifies']} IDENTIFYs, {most} are allowed")
    equal(account["pacing_violations"] + account["beyond_budget"], 0, "rules broken")
    check(any(w for w in waits), "nobody was told what it waits for")


def test_a_second_daemon_is_refused(case):
    stand = Stand(case, shards=2)
    second = case.daemon(stand.sim, stand.config, name="second")
    second.expect_exit(EXIT_CONFIG)
    lines = [line for line in second.log().splitlines() if state_directory(case) in line]
    check(lines, f"no line names the directory: {second.log()}")
    check(str(stand.daemon.process.pid) in lines[-1], f"who has it? {lines[-1]}")
    stand.sim.emit(what="message", count=20)
    stand.settled()
    stand.kill()  # a lock must not outlive its process
    stand.start_again()
    stand.settled()


# ---- sessions that are lost


def test_lost_sessions_are_told_once(case):
    stand = Stand(case, shards=4)
    sim = stand.sim
    stand.load(1000)
    stand.grows(1000)
    stand.kill()
    stand.wait_gone()
    equal(sim.fault(kind="forget")["met"], 4, "sessions forgotten")
    stand.start_again()
    stand.daemon.wait_ready()
    stand.end_load()
    account = stand.settled(identifies=4, lost=("forgotten",))
    told = gaps(account, "session_lost")
    equal(told["shards"], {str(s): 1 for s in range(4)}, "gaps by shard")
    equal(told["copies"], 0, "gaps told twice")
    equal(set(account["gaps"]), {"session_lost"}, "reasons")
    _guilds_are_told_apart(stand)
    # Told once is told: the next start says nothing of it.
    stand.wait_safe()
    stand.kill()
    stand.start_again()
    account = stand.settled(identifies=4, lost=("forgotten",))
    equal(gaps(account, "session_lost")["events"], 4, "gaps in the end")


# ---- guild sets


def _marks(stand, guild, since):
    """[(event, mark)] of a guild's own events that the handler took since event number `since`."""
    own = []
    for e in stand.sim.handler_report()["last_events"]:
        if e["n"] >= since and e["name"] in ("GUILD_CREATE", "GUILD_DELETE", "GUILD_LOADED_DD"):
            own.append((e["n"], e["name"], e.get("guild")))
    return [(name, mark) for n, name, mark in sorted(own)]


def _next_n(stand):
    return stand.sim.emit(what="typing", count=0)["next_n"]


def _does(stand, what, wanted, **more):
    since = _next_n(stand)
    made = stand.sim.emit(what=what, **more)["made"]
    wait_until(lambda: len(_marks(stand, None, since)) >= made, 30, f"{what} to arrive")
    equal(_marks(stand, None, since), [wanted] * made, what)


def _guilds_are_told_apart(stand):
    guild = stand.sim.get("/guilds")[1]["id"]
    _does(stand, "outage", ("GUILD_DELETE", "unavailable"), guild=guild)
    _does(stand, "back", ("GUILD_CREATE", "available"), guild=guild)
    _does(stand, "guild_leave", ("GUILD_DELETE", "left"), guild=guild)
    _does(stand, "guild_join", ("GUILD_CREATE", "joined"))


def test_guild_sets_survive(case):
    stand = Stand(case, shards=2, sim={"guilds": 40})
    sim = stand.sim
    away = sim.get("/guilds")[2]["id"]
    _does(stand, "outage", ("GUILD_DELETE", "unavailable"), guild=away)
    stand.wait_safe()
    stand.kill()
    stand.wait_gone()
    since = _next_n(stand)
    sim.emit(what="guild_join")  # while nobody listens: the replay brings it
    stand.start_again()
    wait_until(lambda: _marks(stand, None, since), 30, "the guild that joined meanwhile")
    equal(_marks(stand, None, since), [("GUILD_CREATE", "joined")], "joined while away")
    _does(stand, "back", ("GUILD_CREATE", "available"), guild=away)
    _guilds_are_told_apart(stand)
    equal(stand.daemon.status()["guilds"], 41, "guilds")
    stand.settled()


def test_killed_while_guilds_load(case):
    # What is replayed of them is still loading, not joined.
    sim = case.simulator(guilds=400, guild_bytes=1000, shards=2, max_concurrency=2,
                         identify_interval=200, identify_tolerance=50, guild_rate=150, **PLAIN)
    sim.expect(loading_guilds="arrives")
    daemon = case.daemon(sim, stateful(case))
    wait_until(lambda: sim.account()["received"] >= 150, 30, "some guilds")
    daemon.kill()
    daemon.start_again().wait_ready()
    wait_until(lambda: sim.account()["missing"] == 0 and sim.account()["received"] >= 400, 60,
               "all guilds")
    account = sim.account()
    equal(account["identifies"], 2, "IDENTIFYs")
    equal(account["doubles"] + account["out_of_order"], 0, "faults")
    names = sim.report()["truth"]["forwarded"]
    equal(names.get("GUILD_CREATE", 0), 0, f"loading guilds that came as joined: {names}")
    wait_until(lambda: daemon.status()["guilds"] == 400, 30, "the book to be whole")


def test_a_replayed_edit_is_not_known(case):
    stand = Stand(case, shards=2)
    stand.sim.handler(rules=[{"event": "MESSAGE_UPDATE", "do": "hang"}])
    stand.sim.emit(what="edit", count=20)
    stand.wait_received()
    stand.kill()
    stand.wait_gone()
    stand.sim.handler(clear=True)
    stand.start_again()
    stand.settled()
    names = stand.sim.report()["truth"]["by_name"]
    equal(names["MESSAGE_UPDATE"]["received"], 20, "edits")
