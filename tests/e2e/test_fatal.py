# SPDX-License-Identifier: Apache-2.0
"""What ends the daemon, what parks a shard, and what must do neither: tokens, intents, shard counts,
an API that is away, configuration mistakes, signals. Exit codes are sysexits."""

import re
import signal
import urllib.error
import urllib.request

from sessions import error_lines

from harness import (EXIT_CONFIG, EXIT_OK, EXIT_UNAVAILABLE, EXIT_USAGE, check, equal, holds_for,
                     wait_until)

INTERVAL = {"sharding": {"identify_interval": "200ms"}}


def _simulator(case, shards=3, **more):
    return case.simulator(**{"guilds": 4 * shards, "guild_bytes": 1000, "shards": shards,
                             "max_concurrency": shards, "identify_interval": 150,
                             "identify_tolerance": 50, **more})


def _refused_for_good(daemon, *sentences):
    """It ends with 69, and each sentence is in one error line, once."""
    daemon.expect_exit(EXIT_UNAVAILABLE)
    errors = error_lines(daemon)
    for sentence in sentences:
        hits = [line for line in errors if sentence in line]
        check(hits, f"no error line says {sentence!r}: {errors}")
    check("unexpected exception" not in daemon.log(), "an exception ended it")


# ---- token


def test_wrong_token_is_refused_by_the_api(case):
    sim = _simulator(case)
    daemon = case.daemon(sim, {"discord": {"token": "not-the-right-token"}})
    _refused_for_good(daemon, "Discord refuses the token (401)")
    equal(len(error_lines(daemon)), 1, "error lines")
    equal(sim.report()["rest"]["answers"], {"401": 1}, "what the API answered")
    equal(sim.report()["gateway"]["connections"], 0, "connections to the gateway")


def test_token_reset_while_running(case):
    sim = _simulator(case)
    daemon = case.daemon(sim, INTERVAL).wait_ready()
    sim.settings(token="a-new-token-nobody-told")
    sim.fault(kind="close", code=4000)
    _refused_for_good(daemon, "refused by the gateway (4004) and by the API (401)",
                      "Discord refuses the bot token")


def test_4004_with_a_good_token_does_not_stop(case):
    sim = _simulator(case)
    daemon = case.daemon(sim, INTERVAL).wait_ready()
    sim.load(rate=300)
    sim.fault(kind="close", code=4004, shards=[1])
    daemon.wait_log("the API accepts the token that the gateway refused")
    daemon.wait_shards("ready")
    daemon.wait_ready()
    sim.stop_load()
    report = sim.wait_flawless()
    # Its session was alive all the time.
    equal(report["gateway"]["identifies"], 3, "IDENTIFYs")
    equal(report["gateway"]["resumes"], 1, "RESUMEs")
    equal(report["truth"]["lost"], 0, "events lost")


# ---- close codes that no retry heals


def _closed_for_good(case, code, sentence, config=None, phase="ready", **sim):
    simulator = _simulator(case, **sim)
    if phase:
        simulator.fault(kind="close", code=code, phase=phase, for_ms=600000)
    daemon = case.daemon(simulator, {**INTERVAL, **(config or {})})
    _refused_for_good(daemon, sentence, f"code={code}")
    closes = simulator.report()["gateway"]["server_closes"]
    check(set(closes) == {str(code)}, f"closes: {closes}")
    return simulator


def test_4010_invalid_shard(case):
    _closed_for_good(case, 4010, "Discord refuses this shard number and count", phase=None,
                     shard_multiple=2, config={"sharding": {"total": 3,
                                                            "identify_interval": "200ms"}})


def test_4011_sharding_required(case):
    _closed_for_good(case, 4011, "The shard would have more than 2,500 guilds", phase=None,
                     guilds=60, guilds_per_shard=2)


def test_4012_invalid_version(case):
    _closed_for_good(case, 4012, "no longer takes the gateway version", phase="hello")


def test_4013_invalid_intents(case):
    _closed_for_good(case, 4013, "discord.intents has bits that Discord does not know")


def test_4014_disallowed_intents(case):
    sim = _closed_for_good(case, 4014, "privileged intent that is not enabled", phase=None,
                           granted_intents=1)
    equal(sim.report()["session_starts"]["remaining"], 1000, "session starts left")


def test_4010_on_one_shard_parks_it(case):
    sim = _simulator(case)
    daemon = case.daemon(sim, INTERVAL).wait_ready()
    sim.load(rate=300)
    sim.fault(kind="close", code=4010, shards=[1])
    wait_until(lambda: daemon.get("/v1/shards/1")["state"] == "parked", 30, "shard 1 to be parked")
    before = {s["id"]: s["events"] for s in daemon.shards()}
    wait_until(lambda: all(s["events"] > before[s["id"]] + 20 for s in daemon.shards()
                           if s["id"] != 1), 30, "events on the other shards")
    answer = daemon.ask("GET", "/readyz")
    equal(answer.status, 503, "/readyz")
    check("1" in answer.text, f"/readyz does not say which: {answer.text}")
    equal([s["state"] for s in daemon.shards()], ["ready", "parked", "ready"], "states")
    equal(daemon.metric("shardgate_shards", state="parked"), 1, "parked shards")
    equal(sim.report()["gateway"]["identifies"], 3, "IDENTIFYs")
    hits = [line for line in error_lines(daemon) if "Discord refuses this shard number" in line]
    equal(len(hits), 1, "error lines about it")
    sim.stop_load()
    daemon.stop()


# ---- an API that is away


def test_api_away_at_start(case):
    sim = _simulator(case)
    for fault in ({"status": 0}, {"status": 503}, {"status": 429, "retry_after": 0.2}):
        sim.fault(rest={"path": "gateway/bot", "next": 1, **fault})
    daemon = case.daemon(sim, INTERVAL).wait_ready()
    retries = [line for line in daemon.log().splitlines() if "trying again" in line]
    equal(len(retries), 3, "retries said")
    for status in ("503", "429"):
        check(any(status in line for line in retries), f"no retry says {status}: {retries}")
    equal(error_lines(daemon), [], "errors in the log")
    equal(sim.report()["gateway"]["identifies"], 3, "IDENTIFYs")


def test_address_is_blocked_at_start(case):
    """Too many bad requests of anybody behind this address: the page says for how long, and the
    daemon asks once, then no sooner than that."""
    sim = _simulator(case, invalid_limit=3, invalid_block=6000)
    for _ in range(3):
        try:
            urllib.request.urlopen(sim.ready["rest"] + "/api/v10/gateway/bot", timeout=10)
        except urllib.error.HTTPError as refused:
            equal(refused.status, 401, "without a token")
    daemon = case.daemon(sim, INTERVAL).wait_ready()
    retries = [line for line in daemon.log().splitlines() if "trying again" in line]
    equal(len(retries), 1, f"retries {retries}")
    check("429" in retries[0], f"it does not say 429: {retries}")
    invalid = sim.report()["rest"]["invalid"]
    equal((invalid["blocks"], invalid["refused"]), (1, 1), "blocks, calls during them")
    equal(list(invalid["sources"]), ["127.0.0.1"], "whose requests were invalid")
    equal(error_lines(daemon), [], "errors in the log")


def test_api_refuses_connections_at_start(case):
    sim = _simulator(case)
    daemon = case.daemon(sim, {"discord": {"api_url": "http://127.0.0.1:9/api/v10"}})
    daemon.wait_log(r"GET /gateway/bot failed, trying again")
    answer = daemon.ask("GET", "/readyz")
    equal(answer.status, 503, "/readyz")
    equal(daemon.ask("GET", "/healthz").status, 200, "/healthz")
    daemon.stop()


# ---- configuration and command line


def test_configuration_errors_are_all_told(case):
    path = case.write("wrong.toml", '\n'.join([
        "[discord]", 'token = "s3cret-token"', 'intents = ["GUILDS", "GILDS"]', "shrads = 3",
        "[sharding]", "total = 0", "[handler]", 'urls = ["ftp://127.0.0.1/"]', 'timeout = "10"',
        "[log]", 'level = "loud"', ""]))
    code, out, err = case.run([case.daemon_binary, "run", "-c", path])
    equal(code, EXIT_CONFIG, "exit code")
    text = out + err
    for key in ("discord.intents", "shrads", "sharding.total", "handler.urls", "handler.timeout",
                "log.level"):
        check(re.search(re.escape(path) + r":\d+:\d+: .*" + re.escape(key), text),
              f"{key} is not named with its place: {text}")
    check("s3cret-token" not in text, "the token was written")


def test_configuration_that_is_no_toml(case):
    path = case.write("wrong.toml", '[discord]\ntoken = "s3cret-token\n')
    code, out, err = case.run([case.daemon_binary, "run", "-c", path])
    equal(code, EXIT_CONFIG, "exit code")
    check("wrong.toml:2" in out + err, f"the line is not named: {out + err}")
    check("s3cret" not in out + err, "the token was written")


def test_configuration_that_is_not_there(case):
    code, out, err = case.run([case.daemon_binary, "run", "-c", "/nowhere/at/all.toml"])
    equal(code, EXIT_CONFIG, "exit code")
    check("/nowhere/at/all.toml" in out + err, f"the file is not named: {out + err}")


def test_unknown_option(case):
    for arguments in (["run", "--colour"], ["--frobnicate"], ["walk"], []):
        code, out, err = case.run([case.daemon_binary, *arguments])
        equal(code, EXIT_USAGE, f"exit code of {arguments}: {out + err}")


# ---- signals


def _orderly_stop(case, number):
    sim = _simulator(case, shards=8)
    daemon = case.daemon(sim, INTERVAL).wait_ready()
    sim.load(rate=300)
    wait_until(lambda: sim.report()["events"] > 100, 30, "load")
    daemon.signal(number)
    daemon.expect_exit(EXIT_OK)
    sim.stop_load()
    shards = wait_until(lambda: [s for s in sim.state()["shards"] if "last_client_close" in s]
                        if sim.state()["connections"] == 0 else None, 10, "the connections to end")
    equal(len(shards), 8, "shards that were closed")
    for shard in shards:
        check(4000 <= shard["last_client_close"] <= 4999, f"not resumable any more: {shard}")
    equal(sim.report()["gateway"]["sessions_closed"], 0, "sessions ended by 1000 or 1001")
    equal(len(sim.state()["sessions"]), 8, "sessions left to resume")
    equal(error_lines(daemon), [], "errors in the log")
    check(daemon.log().rstrip().endswith("stopped"), "the last line does not say so")


def test_sigterm_leaves_every_session_resumable(case):
    _orderly_stop(case, signal.SIGTERM)


def test_sigint_does_the_same(case):
    _orderly_stop(case, signal.SIGINT)


def test_sigterm_before_the_api_answered(case):
    sim = _simulator(case)
    sim.fault(rest={"status": 200, "path": "gateway/bot", "next": 1, "delay_ms": 9000})
    daemon = case.daemon(sim, INTERVAL)
    wait_until(lambda: sim.report()["rest"]["calls"], 10, "the call")
    daemon.signal(signal.SIGTERM)
    daemon.expect_exit(EXIT_OK, 5)
    equal(sim.report()["gateway"]["connections"], 0, "connections to the gateway")


def test_second_sigterm_leaves_at_once(case):
    sim = _simulator(case)
    daemon = case.daemon(sim, {**INTERVAL, "state": {"directory": "", "stop_flush": "5m"}})
    daemon.wait_ready()
    sim.handler(down=True)
    sim.emit(what="message", count=20)
    wait_until(lambda: daemon.queue()["events"] > 0, 10, "a queue")
    daemon.signal(signal.SIGTERM)
    daemon.wait_log("stopping on request")
    wait_until(lambda: sim.state()["connections"] == 0, 10, "the shards to close")
    holds_for(lambda: daemon.running, 0.3, "it waits for the handler")
    daemon.signal(signal.SIGTERM)
    daemon.expect_exit(EXIT_OK, 3)
    daemon.wait_log("leaving now")
