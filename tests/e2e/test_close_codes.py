# SPDX-License-Identifier: Apache-2.0
"""Every close code the gateway may send to a live shard that has to go on (Discord docs, Gateway
Close Event Codes). Those that end a shard or the bot are in test_fatal.py."""

from sessions import VICTIM, interrupted

from harness import equal

# The simulator's sessions outlive 4007 and 4009, but not for long.
SHORT_LIVED = {"replay_lifetime": 2500}


def _resumes(case, code, **more):
    fleet = interrupted(case, hit={"kind": "close", "code": code}, resumes=1, **more)
    shard = fleet.daemon.get(f"/v1/shards/{VICTIM}")
    equal(shard["last_close"], code or None, "last_close")
    equal(fleet.daemon.metric("shardgate_closes_total", code=str(code)), 1, "closes_total")


def _identifies(case, code):
    interrupted(case, hit={"kind": "close", "code": code}, identifies=1, gap=True, sim=SHORT_LIVED)


def test_4000_resumes(case):
    _resumes(case, 4000)


def test_4001_resumes(case):
    _resumes(case, 4001)


def test_4002_resumes(case):
    _resumes(case, 4002)


def test_4003_resumes(case):
    _resumes(case, 4003)


def test_4005_resumes(case):
    _resumes(case, 4005)


def test_4007_identifies(case):
    _identifies(case, 4007)


def test_4008_resumes(case):
    _resumes(case, 4008)


def test_4009_identifies(case):
    _identifies(case, 4009)


def test_unlisted_resumes(case):
    _resumes(case, 4900)


def test_1000_resumes(case):
    _resumes(case, 1000)


def test_1001_resumes(case):
    _resumes(case, 1001)


def test_1011_resumes(case):
    _resumes(case, 1011)


def test_none_resumes(case):
    _resumes(case, 0)
