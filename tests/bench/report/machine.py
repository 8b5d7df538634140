# SPDX-License-Identifier: Apache-2.0
"""What numbers depend on and a reader must know: the machine, and the build by its own account."""

import os
import platform
import re
import subprocess


# Switches that do not change what is measured.
NO_CODE = {f"SHARDGATE_{name}" for name in ("TESTS", "BENCH", "FUZZ", "FUZZ_SECONDS", "WERROR", "PCH")}


def cpu():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        found = re.search(r"^(?:model name|Model|Hardware)\s*:\s*(.*)$", file.read(), re.M)
    return found.group(1).strip() if found else platform.machine()


def system():
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def facts():
    kernel = re.match(r"[\d.]*\d|", platform.release()).group()  # without what names a build of it
    return {"cpu": cpu(), "cores": len(os.sched_getaffinity(0)), "kernel": kernel, "system": system()}


def cached(directory):
    """CMake's cache as {name: value}, without what are paths on this machine."""
    out = {}
    with open(os.path.join(directory, "CMakeCache.txt"), encoding="utf-8") as file:
        for name, kind, value in re.findall(r"^([A-Za-z_]\w*):(\w+)=(.*)$", file.read(), re.M):
            if kind in ("BOOL", "STRING", "UNINITIALIZED") and "/" not in value:
                out[name] = value
    return out


def options(directory):
    """How it was compiled: the flags, and what of the project's own switches is on."""
    cache = cached(directory)
    kind = cache.get("CMAKE_BUILD_TYPE", "")
    flags = f"{cache.get('CMAKE_CXX_FLAGS', '')} {cache.get('CMAKE_CXX_FLAGS_' + kind.upper(), '')}".split()
    if cache.get("CMAKE_INTERPROCEDURAL_OPTIMIZATION", "OFF") == "ON":
        flags.append("LTO")
    flags += [f"{name}={value}" for name, value in sorted(cache.items())
              if name.startswith("SHARDGATE_") and name not in NO_CODE and value not in ("", "OFF")]
    return flags


def build(directory):
    """What the program in that build directory says it is."""
    said = subprocess.run([os.path.join(directory, "src/shardgate"), "--version"], capture_output=True, text=True,
                          check=True).stdout
    first = re.match(r"shardgate (\S+) \((.*), git (\S+), (.*)\)$", said.splitlines()[0])
    libraries = dict(re.findall(r"^  (\S+) (\S+)$", said, re.M))
    try:
        flags = options(directory)
    except OSError:  # no build directory but an installation laid out like one
        flags = []
    return {"version": first.group(1), "type": first.group(2), "revision": first.group(3),
            "compiler": first.group(4), "options": flags, "libraries": libraries}


def node():
    try:
        return subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
