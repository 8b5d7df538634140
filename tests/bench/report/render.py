#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the tables of a report into docs/benchmarks.md, between <!-- begin: NAME --> and <!-- end: NAME -->; the
prose around them stays. A section without numbers says so."""

import argparse
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE]
sys.dont_write_bytecode = True

import tables  # noqa: E402

REPORT = os.path.join(HERE, "report.json")
DOCUMENT = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(HERE))), "docs", "benchmarks.md")
EMPTY = "Not measured yet."
MARKED = re.compile(r"<!-- begin: (.*?) -->\n(.*?)<!-- end: (.*?) -->", re.S)
MARKER = re.compile(r"<!-- (?:begin|end): .*? -->")


class Wrong(Exception):
    """A document or report that cannot be used, and why."""


def machine_line(facts):
    return f"{facts['cpu']}, {facts['cores']} cores; {facts['system']}, Linux {facts['kernel']}"


def build_line(build):
    said = f"{build['version']}, git {build['revision']}, {build['compiler']}, {build['type']}"
    return said + (f" ({' '.join(build['options'])})" if build.get("options") else "")


def machine(report):
    """What the numbers were measured on: one line, or one for each machine and what is its."""
    lines = {}
    for name in tables.SECTIONS:
        if name in report["sections"]:
            lines.setdefault(machine_line(report["sections"][name]["machine"]), []).append(name)
    for line, names in lines.items():
        yield line + ("." if len(lines) == 1 else f": {', '.join(names)}.")


def foot(section):
    """Where the numbers come from."""
    options = section["options"]
    rounds = options.get("rounds", 1)
    of = "one run" if rounds == 1 else f"medians of {rounds} rounds"
    if "seconds" in options:
        of += f" of {options['seconds']:g} s"
    if section.get("node"):
        of += f"; node {section['node']}"
    yield ""
    yield f"`{section['command']}`, {section['date']}: {of}. {build_line(section['build'])}."
    if section.get("faults"):
        yield ""
        yield f"**Not as promised:** {section['faults']}"


def body(name, report):
    """The lines between a section's markers."""
    if name == "machine":
        return list(machine(report)) or [EMPTY]
    section = report["sections"].get(name)
    if section is None:
        return [EMPTY]
    return [*tables.SECTIONS[name](section), *foot(section)]


def names_of(document):
    """The sections a document has; what is wrong with its markers raises."""
    found = MARKED.findall(document)
    for begin, _, end in found:
        if begin != end:
            raise Wrong(f"<!-- begin: {begin} --> is followed by <!-- end: {end} -->")
    names = [begin for begin, _, _ in found]
    if len(MARKER.findall(document)) != 2 * len(names):
        raise Wrong("a begin or an end of a section is missing")
    unknown = [name for name in names if name != "machine" and name not in tables.SECTIONS]
    if unknown:
        raise Wrong(f"unknown section: {', '.join(unknown)}")
    if len(names) != len(set(names)):
        raise Wrong("a section is there twice")
    return names


def render(document, report):
    """The document with the report's numbers. Rendering that again changes nothing."""
    names_of(document)

    def filled(found):
        name = found.group(1)
        text = "\n".join(body(name, report))
        return f"<!-- begin: {name} -->\n\n{text}\n\n<!-- end: {name} -->"

    return MARKED.sub(filled, document)


def load(path):
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    if not isinstance(report, dict) or not isinstance(report.get("sections"), dict):
        raise Wrong(f"{path} is no report: it has no sections")
    return report


def render_file(report_path, document_path=DOCUMENT):
    report = load(report_path)
    with open(document_path, encoding="utf-8") as file:
        before = file.read()
    after = render(before, report)
    if after != before:
        with open(document_path, "w", encoding="utf-8") as file:
            file.write(after)
    return after != before


def main():
    parser = argparse.ArgumentParser(prog="script/bench --render", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", nargs="?", default=REPORT, help="default tests/bench/report/report.json")
    parser.add_argument("--document", default=DOCUMENT, help="default docs/benchmarks.md")
    o = parser.parse_args()
    try:
        changed = render_file(o.report, o.document)
    except (Wrong, OSError, json.JSONDecodeError) as problem:
        sys.exit(f"{problem}")
    print(f"{os.path.relpath(o.document)}: {'written' if changed else 'as it was'}")


if __name__ == "__main__":
    main()
