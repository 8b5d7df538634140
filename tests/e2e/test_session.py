# SPDX-License-Identifier: Apache-2.0
"""What Discord says, or fails to say, to a shard: op 7 and op 9 at every moment, heartbeats without
answer, connections that fall silent or break (Discord docs, Gateway, Connection Lifecycle)."""

from sessions import VICTIM, Fleet, interrupted

from harness import check, equal, wait_until

CLOSE = {"kind": "close", "code": 4000}  # costs a RESUME
EXPIRE = {"kind": "close", "code": 4009}  # costs an IDENTIFY
SHORT_LIVED = {"replay_lifetime": 2500}
# HELLO's interval; a dead connection is found within two of them.
FAST_HEARTBEAT = {"heartbeat_interval": 800}


def _at(phase, kind, **more):
    """A fault for the next connection of the victim that comes to `phase`. Before READY the
    simulator does not know whose connection it is."""
    mine = {} if phase in ("connect", "hello") else {"shards": [VICTIM]}
    return {"phase": phase, "kind": kind, "next": 1, **mine, **more}


# ---- op 7


def test_op7_live_resumes(case):
    interrupted(case, hit={"kind": "reconnect"}, resumes=1)


def test_op7_before_hello_tries_again(case):
    interrupted(case, _at("hello", "reconnect"), hit=CLOSE, resumes=1)


def test_op7_before_ready_identifies_again(case):
    interrupted(case, _at("ready", "reconnect"), hit=EXPIRE, identifies=2, gap=True, sim=SHORT_LIVED)


def test_op7_to_all_shards_costs_no_identify(case):
    shards = 64
    fleet = Fleet(case, shards=shards)
    fleet.load(2000)
    fleet.hit(range(shards), kind="reconnect")
    wait_until(lambda: all(c["resumes"] >= 1 for c in fleet.counts().values()), 60, "all to resume")
    fleet.daemon.wait_shards("ready")
    fleet.flows(5)
    fleet.account({s: 1 for s in range(shards)}, {})


# ---- op 9


def test_op9_true_live_resumes(case):
    interrupted(case, hit={"kind": "invalid_session", "resumable": True}, resumes=1)


def test_op9_false_live_identifies(case):
    interrupted(case, hit={"kind": "invalid_session", "resumable": False}, identifies=1, gap=True)


def test_op9_true_answers_resume(case):
    interrupted(case, _at("replay", "invalid_session", resumable=True), hit=CLOSE, resumes=2)


def test_op9_false_answers_resume(case):
    interrupted(case, _at("replay", "invalid_session", resumable=False), hit=CLOSE, resumes=1,
                identifies=1, gap=True)


def test_op9_true_answers_identify(case):
    interrupted(case, _at("ready", "invalid_session", resumable=True), hit=EXPIRE, identifies=2,
                gap=True, sim=SHORT_LIVED)


def test_op9_false_answers_identify(case):
    interrupted(case, _at("ready", "invalid_session", resumable=False), hit=EXPIRE, identifies=2,
                gap=True, sim=SHORT_LIVED)


# ---- silence


def test_no_ack_resumes(case):
    fleet = interrupted(case, hit={"kind": "no_ack"}, resumes=1, sim=FAST_HEARTBEAT)
    fleet.daemon.wait_log("no heartbeat ACK")


def test_half_open_resumes(case):
    interrupted(case, hit={"kind": "silence"}, resumes=1, sim=FAST_HEARTBEAT)


def test_op1_is_answered_at_once(case):
    fleet = interrupted(case, hit={"kind": "ask_heartbeat"})
    gateway = fleet.sim.report()["gateway"]
    equal(gateway["asked_heartbeats_answered"], 1, "heartbeats answered")
    check(gateway["slowest_asked_heartbeat_ms"] < 1000, f"slow heartbeat: {gateway}")


# ---- broken connections


def test_tcp_reset_resumes(case):
    interrupted(case, hit={"kind": "reset"}, resumes=1)


def test_tcp_end_without_close_frame_resumes(case):
    interrupted(case, hit={"kind": "fin"}, resumes=1)


def test_cut_during_replay_resumes_again(case):
    interrupted(case, _at("connect", "upgrade", status=503), _at("replay", "reset", after=20),
                hit=CLOSE, resumes=2, rate=1500)


def test_long_outage_is_replayed(case):
    # Two seconds in which nobody can connect, with some thousand events to replay behind them.
    fleet = interrupted(case, {"kind": "upgrade", "status": 503, "for_ms": 2000}, hit=CLOSE,
                        resumes=1, rate=4000)
    check(fleet.sim.report()["gateway"]["refused_upgrades"] >= 1, "nobody was refused")
