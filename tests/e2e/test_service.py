# SPDX-License-Identifier: Apache-2.0
"""Under a service manager: its notification socket, its watchdog, its unit file."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time

from harness import Skip, check, equal, wait_until
from streams import start

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNIT = os.path.join(ROOT, "config", "systemd", "shardgate.service")
WATCHDOG_SECONDS = 2


class Manager:
    """The service manager's end of NOTIFY_SOCKET; `name` begins with @ for an abstract one."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + name[1:] if name.startswith("@") else name)
        self.socket.setblocking(False)
        self.environment = {"NOTIFY_SOCKET": name}
        self.heard = []  # (when, line)

    def listen(self):
        while True:
            try:
                text = self.socket.recv(4096).decode("utf-8")
            except BlockingIOError:
                return self.heard
            self.heard += [(time.monotonic(), line) for line in text.split("\n")]

    def lines(self):
        return [line for _, line in self.listen()]

    def wait(self, line, seconds=30):
        wait_until(lambda: any(re.fullmatch(line, said) for said in self.lines()), seconds,
                   f"the manager to hear {line!r}")


def serve(case, name):
    manager = Manager(name)
    sim = case.simulator(guilds=4, guild_bytes=1000, shards=2, max_concurrency=2,
                         identify_interval=100, identify_tolerance=50)
    daemon = case.daemon(sim, {"sharding": {"identify_interval": "150ms"}},
                         environment={**manager.environment,
                                      "WATCHDOG_USEC": str(WATCHDOG_SECONDS * 1000000)})
    return manager, daemon


def test_the_manager_hears_of_every_step(case):
    manager, daemon = serve(case, os.path.join(case.directory, "notify"))
    manager.wait("READY=1")
    manager.wait("STATUS=2 of 2 shards ready, handler up")
    daemon.signal(signal.SIGHUP)
    manager.wait("RELOADING=1")
    manager.wait(r"MONOTONIC_USEC=\d+")
    wait_until(lambda: manager.lines().count("READY=1") == 2, 20, "READY=1 after the reload")
    at = manager.lines()
    check(at.index("RELOADING=1") < len(at) - 1 - at[::-1].index("READY=1"), "READY=1 came first")
    began = next(int(line[15:]) for line in at if line.startswith("MONOTONIC_USEC="))
    check(0 < began <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000, "MONOTONIC_USEC")
    daemon.stop()
    manager.wait("STOPPING=1")
    manager.wait(r"EXTEND_TIMEOUT_USEC=\d+")


def test_a_loop_that_hangs_does_not_feed_the_watchdog(case):
    manager, daemon = serve(case, f"@shardgate-e2e-{os.getpid()}")
    daemon.wait_ready()
    fed = lambda: manager.lines().count("WATCHDOG=1")  # noqa: E731
    first = fed()
    wait_until(lambda: fed() >= first + 3, 30, "the watchdog to be fed")
    daemon.signal(signal.SIGSTOP)
    manager.listen()
    stopped = fed()
    deadline = time.monotonic() + WATCHDOG_SECONDS
    wait_until(lambda: time.monotonic() > deadline, 30, "the watchdog's time to pass")
    check(fed() <= stopped + 1, "a stopped process fed the watchdog")
    daemon.signal(signal.SIGCONT)
    wait_until(lambda: fed() >= stopped + 2, 30, "the watchdog to be fed again")


def test_without_a_manager_nothing_is_told(case):
    _, daemon = start(case)
    daemon.stop()


def test_the_unit_is_sound_and_hardened(case):
    """systemd-analyze: no complaint, exposure at most 2.0."""
    if not shutil.which("systemd-analyze"):
        raise Skip("no systemd-analyze")
    with open(UNIT, encoding="utf-8") as file:
        text = file.read()
    # The program is where it was built, not where the package puts it.
    unit = case.write("shardgate.service",
                      text.replace("/usr/bin/shardgate ", case.daemon_binary + " "))
    code, out, err = case.run(["systemd-analyze", "verify", "--man=no", unit])
    ours = [line for line in (out + err).splitlines() if "shardgate.service" in line]
    equal((code, ours), (0, []), f"systemd-analyze verify: {out}{err}")
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", unit],
                          capture_output=True, text=True, timeout=60, check=False)
    exposure = re.search(r"exposure level for [^:]*: ([\d.]+)", done.stdout)
    check(exposure and float(exposure.group(1)) <= 2.0, f"exposure: {done.stdout[-200:]}")
    prevent = re.search(r"RestartPreventExitStatus=(.*)", text).group(1).split()
    equal(set(prevent) >= {"69", "78"}, True, "RestartPreventExitStatus")
