#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The dashboard in Debian's Chromium (dashboard.mjs), against a real daemon and the simulator.

SHARDGATE_BIN and SHARDGATE_SIM_BIN name the programs; SHARDGATE_DASHBOARD_SHOTS a directory for
screenshots; SHARDGATE_NODE_MODULES where playwright-core is installed already (else npm installs it
from package-lock.json into a directory of its own). Exit code 77 = skipped, and why.
"""

import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
sys.dont_write_bytecode = True

import harness  # noqa: E402

SKIPPED = 77


def modules(node_dir):
    """A directory with node_modules/playwright-core in it; None without npm or its registry."""
    given = os.environ.get("SHARDGATE_NODE_MODULES")
    if given:
        return given
    for file in ("package.json", "package-lock.json"):
        shutil.copy(os.path.join(HERE, file), node_dir)
    done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=node_dir,
                          capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        print(done.stderr[-2000:])
        return None
    return os.path.join(node_dir, "node_modules")


def skip(why):
    print(f"skipped: dashboard: {why}")
    return SKIPPED


def run(case, environment):
    sim = case.simulator(guilds=200, guild_bytes=2000, shards=16, max_concurrency=4, seed=7,
                         identify_interval=200, identify_tolerance=100, unfurls=0.2, edits=0.1)
    daemon = case.daemon(sim, {
        "sharding": {"identify_interval": "300ms"}, "resharding": {"overlap": "4s"},
        "queue": {"retry_initial": "50ms", "retry_max": "200ms"},
        "admin": {"listen": "127.0.0.1:0", "token": "adm1n-t0ken-of-the-test"}})
    daemon.wait_ready()
    sim.expect(resharding="filtered")
    sim.load(mix="A", rate=180, seconds=600)
    environment = {**os.environ, **environment, "URL": daemon.address, "CONTROL": sim.address,
                   "TOKEN": daemon.config["admin"]["token"], "HANDLER": sim.ready["handler"],
                   "SHOTS": os.environ.get("SHARDGATE_DASHBOARD_SHOTS", ""),
                   "PATIENCE": str(harness.PATIENCE)}
    done = subprocess.run(["node", os.path.join(HERE, "dashboard.mjs")], env=environment,
                          timeout=400 * harness.PATIENCE)
    sim.stop_load()
    return done.returncode


def main():
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        return skip("no chromium (Debian: apt-get install chromium)")
    if not shutil.which("node"):
        return skip("no node")
    if not os.environ.get("SHARDGATE_NODE_MODULES") and not shutil.which("npm"):
        return skip("no npm")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout
    if int(version.strip().lstrip("v").split(".")[0] or 0) < 20:
        return skip(f"node {version.strip()} is older than 20")
    with tempfile.TemporaryDirectory(prefix="sg-npm-") as node_dir:
        found = modules(node_dir)
        if not found:
            return skip("npm could not install playwright-core")
        case = harness.Case("dashboard")
        wrong = []
        try:
            if run(case, {"MODULES": found, "CHROMIUM": chromium}) != 0:
                wrong.append("the browser's test failed")
        except BaseException as error:  # nothing that was started may stay behind
            wrong.append(repr(error))
        wrong += case.finish()
        if wrong:
            print("\n".join(wrong))
            case.print_logs(sys.stdout)
        case.clean(bool(wrong))
        return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
