# SPDX-License-Identifier: Apache-2.0
"""Refused events: kept over restarts, listed, sent again, deleted."""

from crashes import Stand

from harness import check, equal, wait_until


def _refused(stand, count, **rule):
    """So many events that the handler refuses; their keys as the dead letters tell them."""
    before = stand.daemon.queue()["dead_letters"]
    stand.sim.handler(rules=[{"event": "MESSAGE_CREATE", "status": 422, **rule}])
    stand.sim.emit(what="message", count=count)
    wait_until(lambda: stand.daemon.queue()["dead_letters"] == before + count, 30, "dead letters")
    stand.sim.handler(clear=True)
    return [letter["key"] for letter in stand.daemon.dead_letters()]


def test_restart(case):
    stand = Stand(case, shards=2)
    daemon, sim = stand.daemon, stand.sim
    keys = _refused(stand, 5)
    stand.wait_safe()
    stand.kill()
    stand.start_again()
    letters = daemon.dead_letters("?payload=1")
    equal(sorted(letter["key"] for letter in letters), sorted(keys), "keys after the kill")
    for letter in letters:
        equal((letter["event"], letter["status"]), ("MESSAGE_CREATE", 422), "event and status")
        check(letter["payload"]["d"]["_n"] > 0, f"payload: {letter['payload']}")
    equal(daemon.metric("shardgate_dead_letters"), 5, "the metric")
    stand.settled(missing=5)

    # One by its key, then all that is left.
    equal(daemon.post("/v1/dead-letters/retry", {"keys": [keys[0]]}), {"retried": 1})
    stand.settled(missing=4)
    wait_until(lambda: daemon.queue()["dead_letters"] == 4, 10, "one less")
    equal(daemon.post("/v1/dead-letters/retry"), {"retried": 4})
    stand.settled()
    arrived = {e["key"] for e in sim.handler_report()["last_events"] if e["name"] == "MESSAGE_CREATE"}
    check(set(keys) <= arrived, "another key than before")
    wait_until(lambda: daemon.queue()["dead_letters"] == 0, 10, "none left")
    stand.wait_safe()
    stand.daemon.stop()
    stand.start_again(connected=False)
    stand.wait_connected()
    equal(daemon.dead_letters(), [], "after an orderly restart")


def test_deleted_is_deleted(case):
    stand = Stand(case, shards=2)
    daemon = stand.daemon
    keys = _refused(stand, 3)

    def delete(query=""):
        answer = daemon.ask("DELETE", "/v1/dead-letters" + query,
                            headers={"Content-Type": "application/json"})
        equal(answer.status, 200, f"DELETE {query}: {answer}")
        return answer.json()["deleted"]
    equal(delete(f"?key={keys[1]}"), 1, "one deleted")
    equal(delete("?key=nobody"), 0, "none deleted")
    equal([l["key"] for l in daemon.dead_letters()], [keys[0], keys[2]], "the others")
    stand.wait_safe()
    equal(delete(), 2, "all deleted")
    # On disk too, within a moment; what a crash brings back until then is no lie.
    wait_until(lambda: daemon.queue()["dead_letters"] == 0, 10, "none left")
    daemon.stop()
    stand.start_again(connected=False)
    stand.wait_connected()
    equal(daemon.dead_letters(), [], "after the restart")
    stand.settled(missing=3)


def test_bounded_on_disk_too(case):
    stand = Stand(case, shards=2, config={"queue": {"dead_letters_max": 4}})
    stand.sim.handler(rules=[{"event": "MESSAGE_CREATE", "status": 400}])
    stand.sim.emit(what="message", count=10)
    wait_until(lambda: stand.sim.report()["handler"]["by_status"].get("400", 0) >= 10, 30, "refusals")
    stand.sim.handler(clear=True)
    stand.wait_safe()
    keys = [letter["key"] for letter in stand.daemon.dead_letters()]
    equal(len(keys), 4, "dead letters")
    stand.kill()
    stand.start_again()
    equal(sorted(l["key"] for l in stand.daemon.dead_letters()), sorted(keys), "after the kill")
