# SPDX-License-Identifier: Apache-2.0
"""The disk fails in every way: the daemon goes on, says so in log, metric and /readyz, and is well
again when the disk is."""

import os
import re
import time

from crashes import MIB, Stand, drawn, gaps, let_pass, say, state_directory
from disk import TORN, FaultDisk, overwrite

from harness import PATIENCE, check, equal, wait_until

HEARTBEAT_MS = int(1000 * PATIENCE)
# Two programs on a busy machine may be late by this much; a heartbeat that waits for a disk is later.
LATE_MS = int(400 * PATIENCE)
# What /readyz says of it.
STORAGE = r"^storage"


class Patient(Stand):
    """A stand whose disk can be told to fail, with short heartbeats."""

    def __init__(self, case, shards=4, config=None, sim=None):
        self.directory = state_directory(case)
        self.disk = FaultDisk(case, self.directory)
        super().__init__(case, shards, {"guilds": 40 * shards, "heartbeat_interval": HEARTBEAT_MS,
                                        "trim": "resume", "replay_depth": 20000,
                                        **(sim or {})},
                         config, self.disk.environment)

    def heartbeats_went_on(self):
        account = self.sim.account()
        equal(account["heartbeats_missed"], 0, "heartbeats missed")
        longest = account["longest_heartbeat_gap_ms"]
        check(longest <= HEARTBEAT_MS + LATE_MS, f"a heartbeat came after {longest:.0f} ms")
        equal(account["identifies"], self.shards, "IDENTIFYs")
        return longest

    def events_still_arrive(self):
        """While the load goes on: some lanes hang, the others must not wait for them."""
        first = self.sim.account()["received"]
        wait_until(lambda: self.sim.account()["received"] > first + 300, 3, "300 more events")

    def says_so(self):
        """Log, metrics, /readyz."""
        daemon = self.daemon
        wait_until(lambda: daemon.metric("shardgate_storage_up") == 0, 20, "storage_up to be 0")
        check(daemon.metric("shardgate_storage_errors_total") > 0, "no error is counted")
        reason = wait_until(lambda: daemon.says(STORAGE), 10, "/readyz to say so")
        lines = [line for line in daemon.log_now().splitlines()
                 if re.search(r" (warn\w*|error) ", line) and "stor" in line]
        check(lines, "no line in the log")
        check(len(lines) <= 10, f"{len(lines)} lines for one trouble")
        say(f"{reason} | {lines[0].split(' ', 1)[1][:150]}")

    def well_again(self):
        wait_until(lambda: self.daemon.metric("shardgate_storage_up") == 1, 60, "storage_up")
        wait_until(lambda: not self.daemon.says(STORAGE), 20, "/readyz")

    def hang_a_lane(self):
        """So that something has to be stored."""
        self.sim.handler(rules=[{"do": "hang", "lane": g["id"]}
                                for g in self.sim.get("/guilds")[:3]])


def _trouble(case, words):
    stand = Patient(case)
    stand.hang_a_lane()
    stand.load(1000)
    stand.grows(1000)
    stand.disk.do(words)
    stand.disk.wait_more("failed")
    stand.says_so()
    stand.events_still_arrive()
    # A reconnect meanwhile resumes from what is safe without the disk.
    stand.sim.fault(kind="reset", shards=[1])
    stand.wait_connected()
    stand.events_still_arrive()
    stand.disk.heal()
    stand.well_again()
    stand.heartbeats_went_on()
    stand.grows(500)
    stand.sim.handler(clear=True)
    stand.kill()
    stand.start_again()
    stand.end_load()
    account = stand.settled()
    equal(account["gaps"], {}, "gaps")


def test_write_error(case):
    _trouble(case, "write=eio")


def test_sync_error(case):
    _trouble(case, "sync=eio")


def test_disk_full_and_back(case):
    _trouble(case, "write=full")


def test_killed_while_the_disk_fails(case):
    # Marks and rows are what they were when the disk went: the replay brings the rest.
    stand = Patient(case)
    stand.hang_a_lane()
    stand.load(400)
    stand.grows(400)
    stand.disk.do("write=eio")
    stand.disk.wait_more("failed")
    stand.grows(400)
    stand.kill()
    stand.disk.heal()
    stand.sim.handler(clear=True)
    stand.start_again()
    stand.end_load()
    stand.settled()


def test_disk_full_with_the_spool_does_not_stop_identifies(case):
    """The ledger's room is reserved: a session that is lost is replaced on a full disk too."""
    stand = Patient(case, shards=2)
    stand.sim.handler(down=True)
    stand.load(1000)
    stand.grows(1000)
    stand.disk.do("write=full")
    stand.disk.wait_more("failed")
    stand.sim.fault(kind="invalid_session", resumable=False, shards=[1])
    wait_until(lambda: stand.sim.account()["identifies"] == 3, 30, "the new IDENTIFY")
    stand.wait_connected()
    stand.disk.heal()
    stand.well_again()
    stand.sim.handler(down=False)
    stand.end_load()
    account = stand.settled(identifies=1, lost=("invalidated",))
    equal(gaps(account, "session_lost")["shards"], {"1": 1}, "gaps")


def test_slow_disk(case):
    stand = Patient(case)
    stand.hang_a_lane()
    stand.load(1000)
    stand.grows(500)
    stand.disk.do("delay_ms=2000")
    stand.disk.wait_more("delayed", 2)
    stand.events_still_arrive()
    stand.sim.fault(kind="reset", shards=[2])
    stand.wait_connected()
    stand.disk.do("sync_delay_ms=2000")
    stand.disk.wait_more("delayed", 2)
    stand.events_still_arrive()
    # And it is told: log, metric, /readyz.
    wait_until(lambda: stand.daemon.metric("shardgate_storage_last_write_seconds") > 1, 30,
               "the metric to say how long a write takes")
    wait_until(lambda: any(
        "the disk is slow" in w for w in stand.daemon.ask("GET", "/readyz").json()["warnings"]), 30,
               "/readyz to warn of the slow disk")
    stand.daemon.wait_log("the disk is slow", 30)
    used, since = stand.daemon.metric("process_cpu_seconds_total"), time.monotonic()
    stand.disk.wait_more("delayed", 2)
    longest = stand.heartbeats_went_on()
    say(f"longest time between heartbeats: {longest:.0f} of {HEARTBEAT_MS} ms")
    # Nobody waits for the disk by asking it again and again.
    used = stand.daemon.metric("process_cpu_seconds_total") - used
    share = used / (time.monotonic() - since)
    say(f"{share:.0%} of a core")
    check(share < 0.25 * PATIENCE, f"{share:.0%} of a core for 1,000 events a second")
    stand.end_load()
    stand.wait_received()
    # An orderly stop does not wait for ever.
    started = time.monotonic()
    stand.daemon.stop(seconds=30)
    say(f"stopped within {time.monotonic() - started:.1f} s")
    stand.disk.heal()
    stand.killed_at = time.monotonic()
    stand.sim.handler(clear=True)
    stand.start_again()
    account = stand.settled()
    equal(account["gaps"], {}, "gaps")


def test_torn_last_write(case):
    rng = drawn()
    stand = Patient(case, shards=2)
    stand.sim.handler(down=True)
    stand.load(2000)
    for match in ("spool.db", "spool.db-wal", "ledger.db", "spool.db"):
        stand.grows(1000)
        after = rng.randint(0, 60) if match.startswith("spool") else 0
        stand.disk.do(f"torn=1 match={match} after={after}")
        if match == "ledger.db":  # written when somebody identifies, or a process begins
            stand.sim.fault(kind="invalid_session", resumable=False, shards=[0])
        stand.daemon.expect_exit(TORN, 60)
        stand.killed_at = time.monotonic()
        stand.disk.heal()
        say(f"{match}: torn after {after} writes, away for {stand.start_again():.2f} s")
        equal(stand.daemon.metric("shardgate_storage_resets_total"), 0, "files moved aside")
    stand.sim.handler(down=False)
    stand.end_load()
    # The torn row was that of an IDENTIFY not yet sent.
    stand.settled(identifies=1, lost=("invalidated",))


# ---- damaged files


def _stopped_with_a_full_spool(case, **more):
    stand = Patient(case, shards=2, config={"state": {"stop_flush": "100ms"}}, **more)
    stand.sim.handler(down=True)
    stand.load(2000, mix="messages", count=3000)
    stand.load_over()
    stand.wait_received()
    stand.wait_safe()
    stand.daemon.stop()
    stand.killed_at = time.monotonic()
    return stand


def _moved_aside(stand, name):
    return sorted((f for f in os.listdir(stand.directory)
                   if f.startswith(name) and f not in (name, name + "-wal", name + "-shm",
                                                       name + "-journal")), key=len)


def _damaged(case, spoil):
    stand = _stopped_with_a_full_spool(case)
    path = os.path.join(stand.directory, "spool.db")
    check(os.path.getsize(path) > MIB, f"{os.path.getsize(path)} bytes: the spool is elsewhere")
    spoil(path)
    stand.start_again(connected=False)
    daemon, sim = stand.daemon, stand.sim
    stand.wait_connected(60)
    # Damage in the middle may show only when it is read.
    sim.handler(down=False)
    wait_until(lambda: _moved_aside(stand, "spool.db"), 60, "the damaged file to be moved aside")
    aside = _moved_aside(stand, "spool.db")[0]
    daemon.wait_log(re.escape(aside))
    wait_until(lambda: daemon.metric("shardgate_storage_resets_total") >= 1, 10, "the metric")
    wait_until(lambda: daemon.is_ready(), 60, "ready")
    # The handler is told, and what comes now comes.
    wait_until(lambda: gaps(sim.account(), "storage")["events"]
               + gaps(sim.account(), "session_lost")["events"] >= 1, 30, "a gap event")
    check(gaps(sim.account(), "storage")["events"] >= 1, f"gaps: {sim.account()['gaps']}")
    first = sim.account()
    stand.load(1000, mix="messages", count=1000)
    stand.load_over()
    wait_until(lambda: sim.account()["received"] >= first["received"] + 1000, 60, "new events")
    account = sim.account()
    say(f"moved to {aside}; {account['missing']} of 3000 missing, "
        f"{account['identifies'] - 2} new IDENTIFYs, gaps {account['gaps']}")
    check(account["missing"] <= 3000, f"more than the spool had: {account['missing']}")
    stand.sound(account)
    # And it is well: the next crash loses nothing.
    sim.handler(down=True)
    stand.load(1000, mix="messages", count=500)
    stand.load_over()
    stand.wait_received()
    stand.kill()
    stand.start_again()
    sim.handler(down=False)
    wait_until(lambda: sim.account()["missing"] == account["missing"], 60, "the last events")


def test_spool_without_a_header(case):
    _damaged(case, lambda path: overwrite(path, 0, os.urandom(4096)))


def test_spool_with_damaged_pages(case):
    def spoil(path):
        for at in range(4096, os.path.getsize(path) - 4096, 4096):
            overwrite(path, at, os.urandom(4096))
    _damaged(case, spoil)


def test_spool_cut_short(case):
    def spoil(path):
        os.truncate(path, os.path.getsize(path) // 2)
    _damaged(case, spoil)


def test_damaged_ledger(case):
    """Nobody knows when who identified: the first IDENTIFY waits as if it had been just now."""
    interval = int(3000 * PATIENCE)
    stand = Patient(case, shards=2,
                    sim={"max_concurrency": 1, "identify_interval": interval - 200},
                    config={"sharding": {"identify_interval": f"{interval}ms"}})
    sim = stand.sim
    stand.kill()
    for name in os.listdir(stand.directory):
        if name.startswith("ledger.db"):
            overwrite(os.path.join(stand.directory, name), 0, b"no database" * 400)
    stand.wait_gone()
    sim.fault(kind="forget")
    launched = time.monotonic()
    stand.start_again(connected=False)
    aside = wait_until(lambda: _moved_aside(stand, "ledger.db"), 20, "the file to be moved aside")[0]
    stand.daemon.wait_log(re.escape(aside))
    wait_until(lambda: stand.daemon.metric("shardgate_storage_resets_total") >= 1, 10, "the metric")
    wait_until(lambda: sim.account()["identifies"] >= 3, 30, "the first IDENTIFY")
    check(time.monotonic() - launched >= interval / 1000 * 0.95, "it did not wait an interval")
    stand.wait_connected(30)
    stand.load(500, count=300)
    stand.load_over()
    stand.settled(identifies=2, lost=("forgotten",))


def test_a_directory_that_cannot_be_written(case):
    """Said at once and clearly: not a daemon that runs without what it was told to have."""
    sim = case.simulator(guilds=4, shards=1)
    path = case.write("no-directory", "a file")
    daemon = case.daemon(sim, {"state": {"directory": path}})
    equal(daemon.wait_exit(), 78, "exit code")
    daemon.expected_exit = 78
    check(path in daemon.log(), "which directory?")
