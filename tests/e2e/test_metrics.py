# SPDX-License-Identifier: Apache-2.0
"""The metrics page and the alerts as Prometheus's own tool sees them; every name documented."""

import os
import re
import shutil
import subprocess

from harness import Skip, check, equal
from streams import settle, start

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def promtool():
    found = shutil.which("promtool")
    if not found:
        raise Skip("no promtool (Debian package prometheus)")
    return found


def run(command, text=None):
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def busy_page(case):
    """A daemon that has done a little of everything."""
    sim, daemon = start(case)
    sim.load(mix="A", rate=500, count=500)
    sim.wait_load_done()
    settle(sim)
    return daemon.ask("GET", "/metrics").text


def test_promtool_has_nothing_to_say(case):
    tool = promtool()
    equal(run([tool, "check", "metrics"], busy_page(case)), (0, ""), "promtool check metrics")
    code, said = run([tool, "check", "rules", os.path.join(ROOT, "config", "prometheus", "alerts.yml")])
    equal(code, 0, f"promtool check rules: {said}")


def test_every_series_is_documented(case):
    page = busy_page(case)
    with open(os.path.join(ROOT, "docs", "metrics.md"), encoding="utf-8") as file:
        documented = dict(re.findall(r"^\| `([a-z_]+)(?:\{([a-z_,]+)\})?` \|", file.read(), re.MULTILINE))
    seen = {}
    for name, labels in re.findall(r"^([a-z_]+)(?:\{(.*?)\})? ", page, re.MULTILINE):
        family = re.sub(r"_(bucket|sum|count)$", "", name)
        seen.setdefault(family if family in documented else name, set()).update(
            re.findall(r'([a-z_]+)="', labels))
    for name, labels in seen.items():
        check(name in documented, f"{name} is not in docs/metrics.md")
        equal(labels - {"le"} - set(documented[name].split(",")), set(), f"undocumented labels of {name}")
    check(len(seen) > 50, f"only {len(seen)} families")
