# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the scripts share; sourced, never run. Sets `root` and goes there.

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

say() { printf '==> %s\n' "$*" >&2; }
fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# Runs a command as root: directly, or through sudo.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "this needs root, and there is no sudo: $*"
    fi
}

# How many compilers may run at once. The largest file takes about 1.2 GB.
jobs() {
    if [ -n "${SHARDGATE_JOBS:-}" ]; then
        echo "$SHARDGATE_JOBS"
        return
    fi
    local cores memory limit=max fit
    cores=$(nproc)
    memory=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
    [ -r /sys/fs/cgroup/memory.max ] && limit=$(cat /sys/fs/cgroup/memory.max)
    if [ "$limit" != max ] && [ $((limit / 1048576)) -lt "$memory" ]; then
        memory=$((limit / 1048576))
    fi
    fit=$((memory / 1300))
    [ "$fit" -lt 1 ] && fit=1
    [ "$fit" -lt "$cores" ] && cores=$fit
    echo "$cores"
}

# The sources the checks look at: tracked ones, and new ones that are not ignored.
source_files() {
    git -c safe.directory="$root" ls-files -co --exclude-standard -- "$@" |
        while read -r file; do [ -f "$file" ] && printf '%s\n' "$file"; done
}
