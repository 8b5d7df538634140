# SPDX-License-Identifier: Apache-2.0
"""The harness itself: what the other tests rely on."""

import os
import signal
import subprocess
import sys
import time

import harness
from disk import TORN, FaultDisk
from harness import Failure, Program, check, equal, merged, parse_metrics, to_toml


def _python(case, name, text):
    return Program(case, name, [sys.executable, "-c", text])


def _fails(function):
    try:
        function()
    except Failure as why:
        return str(why)
    raise Failure("this should have failed")


def test_toml(case):
    equal(to_toml({"a": {"s": 'x"\\\n\x7f', "b": True, "n": 5, "l": ["p", 1], "t": {"k": "v"},
                         "none": None}}),
          '[a]\ns = "x\\"\\\\\\n\\u007f"\nb = true\nn = 5\nl = ["p", 1]\nt = { k = "v" }\n')
    base = {"a": {"x": 1, "y": 2}}
    equal(merged(base, {"a": {"y": 3}, "b": {"z": 4}}), {"a": {"x": 1, "y": 3}, "b": {"z": 4}})
    equal(base, {"a": {"x": 1, "y": 2}})


def test_metrics(case):
    page = parse_metrics('# HELP a A.\n# TYPE a gauge\na 1.5\nb{x="1",y="q\\"}"} +Inf\n')
    equal(page[("a", ())], 1.5)
    equal(page[("b", (("x", "1"), ("y", 'q\\"}')))], float("inf"))


def test_waiting_ends(case):
    why = _fails(lambda: harness.wait_until(lambda: False, 0.05, "the moon"))
    check("the moon" in why, why)
    why = _fails(lambda: harness.holds_for(lambda: False, 0.05, "the sun"))
    check("the sun" in why, why)


def test_exit_codes_and_logs(case):
    program = _python(case, "says", "import sys; print('hello 42', flush=True); sys.exit(78)")
    equal(program.wait_log(r"hello (\d+)").group(1), "42")
    program.expect_exit(78)
    check("before its log had" in _fails(lambda: program.wait_log("never")), "wrong failure")


def test_what_is_wrong_afterwards_is_found(case):
    dies = _python(case, "dies", "import sys; sys.exit(3)")
    dies.wait_exit()
    leaks = _python(case, "leaks", "print('ERROR: AddressSanitizer: x')")
    leaks.wait_exit()
    case.secrets.add("s3cr3t-value")
    tells = _python(case, "tells", "print('token s3cr3t-value')")
    tells.wait_exit()
    stays = _python(case, "stays", "import signal, time; signal.signal(signal.SIGTERM, "
                                   "signal.SIG_IGN); print('up', flush=True); time.sleep(600)")
    stays.wait_log("up")
    stays.stop_seconds = 0.2
    wrong = "\n".join(case.finish())
    for part in ("dies ended with 3", "leaks: ERROR: AddressSanitizer", "tells wrote a secret",
                 "stays did not stop"):
        check(part in wrong, f"{part!r} is not in {wrong!r}")
    case._programs.clear()


def test_a_killed_program_is_no_fault(case):
    program = _python(case, "stays", "import time; print('up', flush=True); time.sleep(600)")
    program.wait_log("up")
    program.kill()
    equal(program.process.returncode, -signal.SIGKILL)


def test_the_simulator_answers(case):
    sim = case.simulator(guilds=5, shards=2)
    equal(sim.state()["guilds"], 5)
    check(os.path.exists(sim.ready["ca"]), "no CA file")
    bot = harness.Endpoint(sim.ready["rest"], {"Authorization": "Bot " + sim.ready["token"]})
    equal(bot.get("/api/v10/gateway/bot")["shards"], 2)
    sim.stop()


def test_a_program_is_launched_again(case):
    program = _python(case, "again", "import os, time; print('pid', os.getpid(), flush=True); "
                                     "time.sleep(600)")
    first = program.wait_log(r"pid (\d+)").group(1)
    program.kill()
    program.launch_again()
    second = program.wait_log(r"pid (\d+)").group(1)
    check(first != second, "the same process")
    check(first not in program.log_now() and first in program.log(), "whose log is it?")
    check("still runs" in _fails(program.launch_again), "two at once")
    program.kill()


_WRITES = """
import errno, os, sys
path = os.path.join(sys.argv[1], "file")
for line in sys.stdin:
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT)
        if line.strip() == "write": os.pwrite(fd, b"x" * 1024, os.fstat(fd).st_size)
        if line.strip() == "again": os.pwrite(fd, b"y" * 1024, 0)
        if line.strip() == "sync": os.fsync(fd)
        print("fine", flush=True)
    except OSError as error:
        print(errno.errorcode[error.errno], flush=True)
    finally:
        os.close(fd)
"""


def test_a_disk_fails_as_told(case):
    directory = os.path.join(case.directory, "state")
    disk = FaultDisk(case, directory)
    writer = subprocess.Popen([sys.executable, "-c", _WRITES, directory], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True, bufsize=1,
                              env={**os.environ, **disk.environment})

    def does(what):
        writer.stdin.write(what + "\n")
        return writer.stdout.readline().strip()
    try:
        equal([does("write"), does("sync")], ["fine", "fine"])
        for words, wanted in (("write=eio", ["EIO", "EIO", "fine"]),
                              ("write=full", ["ENOSPC", "fine", "fine"]),
                              ("sync=eio", ["fine", "fine", "EIO"]),
                              ("write=eio match=other", ["fine", "fine", "fine"]),
                              ("write=eio after=1", ["fine", "EIO", "fine"]),
                              ("", ["fine", "fine", "fine"])):
            disk.do(words)
            equal([does("write"), does("again"), does("sync")], wanted, words)
        disk.do("delay_ms=300")
        started = time.monotonic()
        does("write")
        check(time.monotonic() - started >= 0.29, "no delay")
        equal(disk.counts(), {"writes": 14, "syncs": 7, "bytes": 14 * 1024, "failed": 5,
                              "delayed": 1, "torn": 0})
        size = os.path.getsize(os.path.join(directory, "file"))
        disk.do("torn=1")
        does("write")
        equal(writer.wait(10), TORN, "exit code")
        equal(os.path.getsize(os.path.join(directory, "file")), size + 512, "half of it")
    finally:
        writer.kill()
        writer.communicate()
