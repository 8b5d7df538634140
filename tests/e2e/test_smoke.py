# SPDX-License-Identifier: Apache-2.0
"""The main job, once, from end to end."""

from harness import EXIT_CONFIG, check, equal, wait_until


def test_sent_is_received(case):
    sim = case.simulator(guilds=40, shards=2, identify_interval=200)
    daemon = case.daemon(sim, {"sharding": {"total": 2, "identify_interval": "250ms"}})
    daemon.wait_ready()

    sim.load(mix="realistic", rate=500, seconds=2)
    sim.wait_load_done()
    report = sim.wait_flawless()

    check(report["truth"]["received"] > 500, f"too few events: {report['truth']['received']}")
    equal(report["pacing_violations"], 0, "pacing violations")
    equal(daemon.queue()["events"], 0, "events left in the queue")
    daemon.stop()


def test_the_admin_api_shows_the_shards(case):
    sim = case.simulator(guilds=10, shards=2, identify_interval=200)
    daemon = case.daemon(sim, {"sharding": {"total": 2, "identify_interval": "250ms"}})
    daemon.wait_ready()

    status = daemon.status()
    equal(status["shards"]["ready"], 2, "shards ready")
    equal(status["handler"]["state"], "up", "handler")
    equal(sorted(s["id"] for s in daemon.shards()), [0, 1], "shards")
    equal(daemon.get("/v1/shards/1")["state"], "ready", "shard 1")
    equal(sum(s["guilds"] for s in daemon.shards()), 10, "guilds")
    equal(daemon.metric("shardgate_shards", state="ready"), 2, "shards{state=ready}")
    equal(daemon.get("/healthz"), {"status": "ok"}, "health")
    equal(daemon.ask("GET", "/v1/shards/2").status, 404, "shard 2")
    wait_until(lambda: daemon.shards()[0]["session"], what="a session id")


def test_a_wrong_configuration_ends_with_78_and_every_error(case):
    path = case.write("wrong.toml", '[discord]\ntoken = "t"\nintentz = ["GUILDS"]\n'
                                    '[handler]\ntimeout = "soon"\n')
    code, out, err = case.run([case.daemon_binary, "run", "-c", path])
    equal(code, EXIT_CONFIG, "exit code")
    for part in ("intentz", "timeout", f"{path}:3:", f"{path}:5:"):
        check(part in out + err, f"{part!r} is not in {out + err!r}")
