#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs end-to-end tests: run.py NAME..., all of them without a name, --list to see the names,
--list-measured those of the tests marked @measured.

A name is "file.function" without the "test_" of both: test_stop.py's test_twice is "stop.twice"; a
file's name alone is all of its tests. Exit code 0 = passed, 1 = failed, 77 = all skipped.
SHARDGATE_BIN and SHARDGATE_SIM_BIN name the programs, SHARDGATE_E2E_PATIENCE multiplies every
deadline, SHARDGATE_E2E_KEEP=1 keeps the directory of a failed test.
"""

import ast
import importlib
import os
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import harness  # noqa: E402  (found by the path above)

SKIPPED = 77


def discover(mark=None):
    """{name: (module, function)}, in the order of the files; only those with a mark, if one is
    named. Reads, does not import."""
    found = {}
    for file in sorted(os.listdir(HERE)):
        if not (file.startswith("test_") and file.endswith(".py")):
            continue
        with open(os.path.join(HERE, file), encoding="utf-8") as source:
            tree = ast.parse(source.read(), file)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                if mark and mark not in [getattr(d, "id", "") for d in node.decorator_list]:
                    continue
                module = file[:-3]
                found[f"{module[5:]}.{node.name[5:]}"] = (module, node.name)
    return found


def select(found, wanted):
    if not wanted:
        return list(found)
    names = []
    for name in wanted:
        hits = [n for n in found if n == name or n.split(".")[0] == name]
        if not hits:
            sys.exit(f"run.py: there is no test {name!r}; --list shows them")
        names += [n for n in hits if n not in names]
    return names


def run_one(name, module, function):
    """"passed", "failed" or "skipped"."""
    case = harness.Case(name)
    wrong, skipped = [], None
    started = time.monotonic()
    try:
        getattr(importlib.import_module(module), function)(case)
    except harness.Skip as why:
        skipped = str(why)
    except harness.Failure as why:
        frames = traceback.extract_tb(why.__traceback__)
        here = [f for f in frames if os.path.basename(f.filename).startswith("test_")]
        at = f"{os.path.basename(here[-1].filename)}:{here[-1].lineno}: " if here else ""
        wrong.append(at + str(why))
    except BaseException as error:  # also Ctrl-C: nothing that was started may stay behind
        wrong.append(traceback.format_exc())
        if isinstance(error, KeyboardInterrupt):
            case.finish()
            case.clean(False)
            raise
    wrong += case.finish()
    seconds = time.monotonic() - started
    result = "failed" if wrong else "skipped" if skipped is not None else "passed"
    print(f"{result}  {name}  {seconds:.1f} s" + (f"  ({skipped})" if skipped else ""), flush=True)
    if wrong:
        for line in wrong:
            print("  " + line.rstrip().replace("\n", "\n  "))
        case.print_logs(sys.stdout)
    kept = case.clean(bool(wrong))
    if kept:
        print(f"  kept: {kept}")
    sys.stdout.flush()
    return result


def main(arguments):
    found = discover()
    if arguments == ["--list"]:
        print("\n".join(found))
        return 0
    if arguments == ["--list-measured"]:
        print("\n".join(discover("measured")))
        return 0
    if any(a.startswith("-") for a in arguments):
        print(__doc__)
        return 0 if arguments in (["-h"], ["--help"]) else 64
    results = [run_one(name, *found[name]) for name in select(found, arguments)]
    if len(results) > 1:
        print(", ".join(f"{results.count(r)} {r}" for r in ("passed", "failed", "skipped")))
    if "failed" in results:
        return 1
    return SKIPPED if results and all(r == "skipped" for r in results) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
