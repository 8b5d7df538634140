# SPDX-License-Identifier: Apache-2.0
"""More than memory may hold: the spool on disk takes it, gives it back in order, survives a kill, and
says exactly what it could not take."""

import os
import time

from crashes import LONG, MIB, Stand, drawn, gaps, let_pass, rss, say, state_directory
from streams import labelled, shed

from harness import PATIENCE, Failure, check, equal, measured, wait_until

SMALL = {"max_events": 5000, "max_bytes": "16MiB"}
CLASSES = ("vital", "other", "message_updates", "ephemeral")


def _disk_bytes(case):
    directory = state_directory(case)
    return sum(os.path.getsize(os.path.join(directory, f)) for f in os.listdir(directory))


@measured
def test_outage(case):
    """10 minutes at 2,000 events a second in the long version; here less of both time and events."""
    events = 1200000 if LONG else int(40000 / PATIENCE)
    rate = 2000 if LONG else 4000
    # An eighth of memory is for what is on its way to the disk: at this rate half a second's worth,
    # for a disk that others use as well.
    bound, most = int(16000 / PATIENCE), 48 * MIB
    stand = Stand(case, shards=8, config={"queue": {"max_events": bound, "max_bytes": "48MiB"}})
    sim, daemon = stand.sim, stand.daemon
    before = rss(daemon)
    sim.handler(down=True)
    stand.load(rate, count=events)
    most_queued = most_rss = 0
    received = stand.made
    while sim.state()["load"]["running"]:
        let_pass(0.5)
        queue = daemon.queue()
        most_queued = max(most_queued, queue["events"])
        most_rss = max(most_rss, rss(daemon))
    stand.wait_received(120)
    wait_until(lambda: daemon.queue()["spooled_events"] >= events - bound, 60, "the spool to hold it")
    queue = daemon.queue()
    say(f"{received()} events in the outage; queue {queue}; {_disk_bytes(case) / MIB:.0f} MiB on disk; "
        f"resident {before / MIB:.0f} MiB before, {most_rss / MIB:.0f} at most")
    equal(shed(daemon), {}, "shed")
    check(most_queued <= bound, f"{most_queued} events in memory, {bound} are allowed")
    check(most_rss <= before + most + 64 * MIB, f"{most_rss} bytes resident, {before} before")
    metrics = (daemon.metric("shardgate_queue_spooled_events"),
               daemon.metric("shardgate_queue_spooled_bytes"))
    check(metrics[0] >= events - bound and metrics[1] > 0, f"metrics: {metrics}")

    live = 500
    stand.load(live)
    account = sim.account()["received"]
    started = time.monotonic()
    sim.handler(down=False)
    wait_until(lambda: stand.queued() < 2000, 600, "the queue to drain", interval=0.05)
    took = time.monotonic() - started
    drained = sim.account()["received"] - account
    say(f"{drained} events in {took:.1f} s: {drained / took:.0f}/s, with {live}/s live beside them")
    check(drained / took >= (10000 if LONG else 1500) / PATIENCE, f"{drained / took:.0f} events/s")
    stand.end_load()
    stand.settled(copies=True)
    wait_until(lambda: daemon.queue()["spooled_events"] == 0, 30, "the spool to be empty")
    equal(daemon.metric("shardgate_queue_spooled_events"), 0, "spooled_events in the end")
    check(rss(daemon) <= before + most + 64 * MIB, "memory stays")


def test_kill_while_it_is_full(case):
    rng = drawn()
    stand = Stand(case, shards=8, config={"queue": SMALL})
    sim, daemon = stand.sim, stand.daemon
    sim.handler(down=True)
    stand.load(4000)  # for as long as the starts take: they are slower under a sanitizer
    for _ in range(6 if LONG else 3):
        stand.grows(int(6000 / PATIENCE))
        let_pass(rng.uniform(0, 1))
        stored = stand.stored()
        stand.kill()
        took = stand.start_again()
        say(f"killed with {stored} on disk, away for {took:.2f} s")
        check(stand.queued() >= stored, f"{stand.queued()} after the start, {stored} before")
    stand.end_load()
    stand.wait_received()
    stand.kill()
    stand.start_again()
    sim.handler(down=False)
    let_pass(rng.uniform(0, 0.5))
    stand.kill()  # in the middle of the drain
    stand.start_again()
    account = stand.settled()
    say(f"{account['sent']} sent, {account['copies']} copies")
    equal(account["gaps"], {}, "gaps")


# ---- overflow


def _flood(stand, talk):
    """While the handler is away: what must not be shed at both ends, much that may be between."""
    sim = stand.sim
    sim.handler(down=True)
    for _ in range(2):
        sim.emit(what="interaction", type=2, count=20)
        sim.emit(what="guild_join", count=3)
        sim.emit(what="guild_leave", count=2)
        sim.emit(what="member_remove", count=5)
        stand.load(2000, kinds={"TYPING_START": 1, "PRESENCE_UPDATE": 1}, count=600)
        stand.load_over()
        sim.emit(what="edit", count=200)
        stand.load(2000, mix="messages", count=talk)
        stand.load_over()
    stand.wait_received()


def _balance(stand, condition):
    try:
        return wait_until(condition, 60, "books that balance")
    except Failure as why:
        account = stand.sim.account()
        raise Failure(f"{why}\nsent {account['sent']}, received {account['received']}, missing "
                      f"{account['missing']}, gaps {account['gaps']}\n"
                      f"{stand.daemon.queue()}") from None


def _adds_up(stand, at_least):
    """sent = received + what the gap events say = received + what the daemon counted as shed."""
    sim, daemon = stand.sim, stand.daemon
    # What is over the disk's bound may still be on its way to being given up.
    last = []

    def calm():
        last.append((daemon.queue()["shed"], daemon.queue()["spooled_events"]))
        return len(last) >= 20 and all(x == last[-1] for x in last[-20:])
    wait_until(calm, 60, "shedding to end", interval=0.1)
    sim.handler(down=False)

    def told():
        account = sim.account()
        stand.sound(account)
        told_of = gaps(account, "shed")["total"]
        return account if account["missing"] == told_of and stand.queued() == 0 else None
    account = _balance(stand, told)
    told_of = gaps(account, "shed")
    counted = daemon.queue()["shed"]
    say(f"sent {account['sent']}, received {account['received']}, shed {counted}, "
        f"told in {told_of['events']} gaps")
    check(told_of["total"] >= at_least, f"only {told_of['total']} shed")
    equal(account["sent"], account["received"] + told_of["total"], "sent")
    equal(sum(counted.values()), told_of["total"], "/v1/queue")
    equal(labelled(daemon, "shardgate_queue_dropped_total", "class"), counted, "the metric")
    equal(told_of["unknown"] + told_of["copies"], 0, "gaps without counts, or twice")
    equal(set(account["gaps"]), {"shed"}, "reasons")
    names = sim.report()["truth"]["by_name"]
    missing = {name: n["sent"] - n["received"] for name, n in names.items()
               if n["sent"] != n["received"]}
    equal(told_of["counts"], missing, "what the gaps say by name")
    return names, counted


def _cheapest_first(names, counted):
    """No class is shed while a cheaper one is there to be shed."""
    equal(counted["vital"], 0, "vital events shed")
    for name in ("INTERACTION_CREATE", "GUILD_CREATE", "GUILD_DELETE", "GUILD_MEMBER_REMOVE"):
        equal(names[name]["received"], names[name]["sent"], name)
    if counted["message_updates"] or counted["other"]:
        kept = sum(names[n]["received"] for n in ("TYPING_START", "PRESENCE_UPDATE"))
        check(kept <= 64, f"{kept} presences and typings were kept while others went: {counted}")
    if counted["other"]:
        kept = names["MESSAGE_UPDATE"]["received"]
        check(kept <= 64, f"{kept} message updates were kept while messages went: {counted}")


def _overflow(case, policy, **queue):
    stand = Stand(case, shards=2, sim={"guilds": 200, "edits": 0},
                  config={"queue": {"overflow": policy, **queue},
                          "interactions": {"auto_defer": False}})
    return stand


def test_overflow_drop_oldest(case):
    stand = _overflow(case, "drop-oldest", max_events=1500)
    _flood(stand, 1000)
    _cheapest_first(*_adds_up(stand, 1000))


def test_overflow_drop_newest(case):
    stand = _overflow(case, "drop-newest", max_events=1500)
    _flood(stand, 1000)
    _cheapest_first(*_adds_up(stand, 1000))


def test_overflow_of_a_full_spool(case):
    stand = _overflow(case, "spill", max_events=500, spill_max_bytes="1MiB")
    _flood(stand, 3000)
    check(stand.daemon.queue()["spooled_bytes"] <= 1.1 * MIB, f"{stand.daemon.queue()}")
    _cheapest_first(*_adds_up(stand, 1000))


def test_overflow_and_a_kill(case):
    # What was shed is known after the crash too, and told once.
    stand = _overflow(case, "spill", max_events=500, spill_max_bytes="1MiB")
    _flood(stand, 3000)
    stand.wait_safe()
    before = sum(stand.daemon.queue()["shed"].values())
    stand.kill()
    stand.start_again()
    stand.sim.handler(down=False)

    def balanced():
        account = stand.sim.account()
        stand.sound(account)
        told_of = gaps(account, "shed")["total"]
        return account if account["missing"] == told_of and stand.queued() == 0 else None
    account = _balance(stand, balanced)
    check(account["missing"] >= before, f"{account['missing']} missing, {before} were shed")
    equal(account["doubles"] + gaps(account, "shed")["unknown"], 0, "faults")


def test_idle_disk(case):
    """At most one batch a second when nothing happens, by the daemon's syncs."""
    from disk import FaultDisk
    directory = state_directory(case)
    disk = FaultDisk(case, directory)
    stand = Stand(case, shards=4, environment=disk.environment)
    stand.wait_safe()
    let_pass(2)
    before, started = disk.counts(), time.monotonic()
    let_pass(5)
    after, seconds = disk.counts(), time.monotonic() - started
    syncs = after["syncs"] - before["syncs"]
    say(f"idle: {syncs} syncs, {after['writes'] - before['writes']} writes in {seconds:.1f} s")
    check(syncs <= seconds + 1, f"{syncs} syncs in {seconds:.1f} s")
    # A trickle of events that are accepted at once moves the marks, and no more than that.
    stand.load(50 * PATIENCE)
    stand.grows(20)
    before, started = disk.counts(), time.monotonic()
    let_pass(5)
    after, seconds = disk.counts(), time.monotonic() - started
    syncs = after["syncs"] - before["syncs"]
    say(f"50 events/s: {syncs} syncs in {seconds:.1f} s")
    check(syncs <= 2 * seconds + 2, f"{syncs} syncs in {seconds:.1f} s")
    stand.end_load()
    stand.settled()
