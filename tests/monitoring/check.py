#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Alerts and dashboard against the metrics that exist (docs/metrics.md, which a unit test holds
against the page) and the runbook: no name that is not there, no alert without an entry. And the
compose file that starts them: no file that is not there."""

import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# What docs promise to scripts (the handbook's list of metrics).
PROMISED = """shards gateway_events_total gateway_received_bytes_total filtered_events_total
    handler_requests_total handler_request_seconds delivery_lag_seconds queue_events queue_bytes
    queue_oldest_age_seconds queue_dropped_total dead_letters interactions_total
    heartbeat_latency_seconds identify_total resume_total closes_total session_start_limit_remaining
    reshard_state loop_lag_seconds""".split()
NAME = re.compile(r"\b((?:shardgate|process)_[a-z_]+)\b")


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def documented():
    """{name: labels}, histograms with their series."""
    found = {}
    for name, labels, kind in re.findall(r"^\| `([a-z_]+)(?:\{([a-z_,]+)\})?` \| (\w+) \|",
                                         read("docs", "metrics.md"), re.MULTILINE):
        found[name] = set(labels.split(",")) - {""}
        if kind == "histogram":
            for end in ("_bucket", "_sum", "_count"):
                found[name + end] = found[name] | {"le"}
    return found


def check_expression(where, expression, metrics, wrong):
    for name, labels in re.findall(r"\b((?:shardgate|process)_[a-z_]+)\b(?:\{([^}]*)\})?", expression):
        if name not in metrics:
            wrong.append(f"{where}: there is no metric {name}")
            continue
        for label in re.findall(r"([a-z_]+)\s*(?:=~|!~|!=|=)", labels):
            if label not in metrics[name] | {"instance", "job"}:
                wrong.append(f"{where}: {name} has no label {label}")


def check_alerts(metrics, wrong):
    text = read("config", "prometheus", "alerts.yml")
    headings = {h.lower() for h in re.findall(r"^#+ (\w+)\s*$", read("docs", "operations.md"),
                                              re.MULTILINE)}
    alerts = re.split(r"^ +- alert: ", text, flags=re.MULTILINE)[1:]
    if len(alerts) < 10:
        wrong.append(f"only {len(alerts)} alerts could be read")
    for alert in alerts:
        name = alert.split("\n", 1)[0].strip()
        check_expression(name, re.search(r"expr: (.*)", alert).group(1), metrics, wrong)
        anchor = re.search(r'runbook: "docs/operations.md#(\w+)"', alert)
        if not anchor or anchor.group(1) != name.lower() or name.lower() not in headings:
            wrong.append(f"{name}: docs/operations.md has no entry under its name")
    for heading in headings:
        if heading.startswith("shardgate") and len(heading) > 9:
            if not any(a.split("\n", 1)[0].strip().lower() == heading for a in alerts):
                wrong.append(f"docs/operations.md: there is no alert {heading}")


def check_dashboard(metrics, wrong):
    dashboard = json.loads(read("config", "grafana", "shardgate.json"))
    targets = [(panel["title"], target["expr"]) for panel in dashboard["panels"]
               for target in panel.get("targets", [])]
    if len(targets) < 20:
        wrong.append(f"only {len(targets)} expressions in the dashboard")
    for title, expression in targets:
        if not NAME.search(expression):
            wrong.append(f"dashboard, {title}: asks for nothing")
        check_expression(f"dashboard, {title}", expression, metrics, wrong)
    if subprocess.run([os.path.join(ROOT, "script", "make-dashboard"), "--check"], check=False).returncode:
        wrong.append("config/grafana/shardgate.json is not what script/make-dashboard writes")


def check_compose(wrong):
    """Docker makes an empty directory of a mounted file that is missing, and says nothing."""
    text = read("docker", "compose.yml")
    mounted = re.findall(r"^ +- (\.[^:\s]*):/\S+", text, re.MULTILINE)
    built = re.findall(r"dockerfile: ([^\s,}]+)", text)
    if len(mounted) < 6 or len(built) != 1:
        wrong.append(f"docker/compose.yml: only {mounted} and {built} could be read")
    files = [os.path.join("docker", name) for name in mounted] + built
    copied = re.findall(r"^COPY ((?:(?!--)\S+ )+)\S+$", read("docker", "Dockerfile"), re.MULTILINE)
    files += [name for names in copied for name in names.split()]
    for name in files:
        if not os.path.exists(os.path.join(ROOT, name)):
            wrong.append(f"docker: {name} is named and does not exist")
    for secret in re.findall(r"file: \./([^\s}]+)", text):  # yours: in neither repository nor image
        if f"docker/{secret}" not in read("docker", "Dockerfile.dockerignore").split():
            wrong.append(f"docker/{secret} would be copied into the image")
        if f"docker/{secret}" not in read(".gitignore").split():
            wrong.append(f"docker/{secret} would be committed")


def main():
    metrics, wrong = documented(), []
    wrong += [f"docs/metrics.md: no {name}" for name in PROMISED if f"shardgate_{name}" not in metrics]
    check_alerts(metrics, wrong)
    check_dashboard(metrics, wrong)
    check_compose(wrong)
    print("\n".join(wrong) or f"{len(metrics)} series documented, alerts, dashboard and compose file agree")
    return 1 if wrong else 0


sys.exit(main())
