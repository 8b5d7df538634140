# SPDX-License-Identifier: Apache-2.0
"""A shard that has to reconnect and cannot, for a while; and one that is sent what cannot be read."""

from sessions import VICTIM, interrupted

from harness import check, equal

CLOSE = {"kind": "close", "code": 4000}


def _refused(case, status):
    fleet = interrupted(case, {"kind": "upgrade", "phase": "connect", "status": status, "next": 2},
                        hit=CLOSE, resumes=1)
    equal(fleet.sim.report()["gateway"]["refused_upgrades"], 2, "upgrades refused")
    fleet.daemon.wait_log(f"http_status={status}")


def test_upgrade_429(case):
    _refused(case, 429)


def test_upgrade_503(case):
    _refused(case, 503)


def test_upgrade_520(case):
    _refused(case, 520)


def test_tls_stall(case):
    # Given up after the 20 s that a connection may take to come up.
    interrupted(case, {"kind": "tls_stall", "phase": "connect", "next": 1}, hit=CLOSE, resumes=1,
                rate=100, seconds=60)


def test_reset_while_connecting(case):
    interrupted(case, {"kind": "reset", "phase": "connect", "next": 1}, hit=CLOSE, resumes=1)


def test_late_hello(case):
    interrupted(case, {"kind": "delay_hello", "delay_ms": 1500, "next": 1}, hit=CLOSE, resumes=1)


def test_resume_url_is_dead(case):
    # The third attempt goes to the generic URL.
    fleet = interrupted(case, {"kind": "resume_dead"}, hit=CLOSE, resumes=1)
    url = fleet.daemon.get(f"/v1/shards/{VICTIM}")["url"]
    equal(url, fleet.sim.ready["gateway"].removeprefix("wss://"), "the URL it resumed on")


# ---- what cannot be read


def _compression(name):
    return {"discord": {"compression": name}}


def test_corrupt_zstd(case):
    interrupted(case, hit={"kind": "corrupt"}, resumes=1, config=_compression("zstd-stream"))


def test_corrupt_zlib(case):
    interrupted(case, hit={"kind": "corrupt"}, resumes=1, config=_compression("zlib-stream"))


def test_zlib_split_over_messages(case):
    interrupted(case, hit=CLOSE, resumes=1, sim={"zlib_split": 0.3},
                config=_compression("zlib-stream"))


def test_uncompressed(case):
    interrupted(case, hit=CLOSE, resumes=1, config=_compression("none"))


def test_garbage_frame(case):
    interrupted(case, hit={"kind": "garbage"}, resumes=1)


def test_message_too_large(case):
    # 40 MiB, of which max_message takes 32.
    interrupted(case, hit={"kind": "huge"}, resumes=1)


def test_large_message_passes(case):
    fleet = interrupted(case, hit={"kind": "bulk", "bytes": 8 << 20})
    check("SIMULATED_BULK" in fleet.sim.report()["truth"]["forwarded"], "the event did not arrive")


def test_unknown_op_is_passed_over(case):
    interrupted(case, hit={"kind": "unknown_op"})
