# SPDX-License-Identifier: Apache-2.0
"""Claims and deadlines: what every end-to-end test says and waits with."""

import http.client
import os
import time

# A sanitizer or a loaded machine makes everything slower, and nothing wrong.
PATIENCE = float(os.environ.get("SHARDGATE_E2E_PATIENCE", "1"))


class Failure(AssertionError):
    """The test's claim does not hold."""


class Skip(Exception):
    """The test cannot run here; its text says why."""


def measured(test):
    """Marks a test of time or memory. A sanitizer changes both, so it is also run without one."""
    return test


def check(holds, message):
    if not holds:
        raise Failure(message)


def equal(got, wanted, what="value"):
    check(got == wanted, f"{what}: got {got!r}, wanted {wanted!r}")


def wait_until(condition, seconds=30, what="the condition", interval=0.02):
    """What `condition()` returns once it is true. Failed requests count as not yet."""
    deadline = time.monotonic() + seconds * PATIENCE
    last = None
    while True:
        try:
            value = condition()
            if value:
                return value
            last = value
        except (OSError, http.client.HTTPException) as error:
            last = error
        if time.monotonic() >= deadline:
            raise Failure(f"not within {seconds * PATIENCE:g} s: {what} (last: {last!r})")
        time.sleep(interval)


def holds_for(condition, seconds, what="the condition", interval=0.05):
    """Fails as soon as `condition()` is false within the time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        check(condition(), f"no longer true: {what}")
        time.sleep(interval)
