# SPDX-License-Identifier: Apache-2.0
"""Packages from npm for a test, by the package-lock.json beside it: installed once, and without
the network when they are there already."""

import filecmp
import json
import os
import shutil
import subprocess

OLDEST_NODE = 20


def no_node():
    """Why there is no node to run a test with; None when there is."""
    if not shutil.which("node"):
        return "no node"
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    major = version.strip().lstrip("v").split(".")[0]
    if not major.isdigit() or int(major) < OLDEST_NODE:
        return f"node {version.strip()} is older than {OLDEST_NODE}"
    return None


def has(directory, package, lock):
    """Whether node_modules in a directory has the package in the version of the lock file."""
    with open(lock, encoding="utf-8") as file:
        wanted = json.load(file)["packages"][f"node_modules/{package}"]["version"]
    try:
        with open(os.path.join(directory, "node_modules", package, "package.json"),
                  encoding="utf-8") as file:
            return json.load(file)["version"] == wanted
    except OSError:
        return False


def directory_with(package, here, keep):
    """(a directory whose node_modules has the package, None), or (None, why there is none).

    `here` has package.json and package-lock.json, and may have node_modules. `keep` is where npm
    installs otherwise; what it installed there by the same lock file is taken as it is."""
    lock = os.path.join(here, "package-lock.json")
    if has(here, package, lock):
        return here, None
    done = os.path.join(keep, "installed.json")  # the lock file, when all of it is there
    if has(keep, package, lock) and os.path.exists(done) and filecmp.cmp(lock, done, shallow=False):
        return keep, None
    if not shutil.which("npm"):
        return None, "no npm"
    shutil.rmtree(keep, ignore_errors=True)
    os.makedirs(keep)
    for file in ("package.json", "package-lock.json"):
        shutil.copy(os.path.join(here, file), keep)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    try:
        npm = subprocess.run(command, cwd=keep, capture_output=True, text=True, timeout=300, check=False)
        said = npm.stderr[-2000:]
    except subprocess.TimeoutExpired:
        npm, said = None, "npm did not end within 300 s"
    if npm is None or npm.returncode != 0:
        print(said)
        return None, f"npm could not install {package}"
    shutil.copy(lock, done)
    return keep, None
