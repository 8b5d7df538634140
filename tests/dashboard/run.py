#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The dashboard in Debian's Chromium (dashboard.mjs), against a real daemon and the simulator.

SHARDGATE_BIN and SHARDGATE_SIM_BIN name the programs; SHARDGATE_DASHBOARD_SHOTS a directory for
screenshots; SHARDGATE_NODE_MODULES a node_modules with playwright-core. Else it is in node_modules
here, or npm installs it from package-lock.json into SHARDGATE_NPM_DIR (a directory that goes away
again without one). Exit code 77 = skipped, and why.
"""

import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), folder) for folder in ("e2e", "support")]
sys.dont_write_bytecode = True

import harness  # noqa: E402
import npm  # noqa: E402

SKIPPED = 77


def modules(gone):
    """(node_modules with playwright-core, None), or (None, why there is none)."""
    given = os.environ.get("SHARDGATE_NODE_MODULES")
    if given:
        return given, None
    keep = os.environ.get("SHARDGATE_NPM_DIR") or os.path.join(gone, "npm")
    found, why = npm.directory_with("playwright-core", HERE, keep)
    return found and os.path.join(found, "node_modules"), why


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
    why = npm.no_node()
    if why:
        return skip(why)
    with tempfile.TemporaryDirectory(prefix="sg-npm-") as gone:
        found, why = modules(gone)
        if why:
            return skip(why)
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
