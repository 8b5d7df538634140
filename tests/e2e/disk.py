# SPDX-License-Identifier: Apache-2.0
"""A disk that fails on demand: tests/support/fault_disk.cpp preloaded into a program, and steered
while it runs. What the words mean stands there."""

import mmap
import os
import struct

from waiting import Skip, wait_until

PAGE = 4096
COUNTERS_AT = 2048
NAMES = ("writes", "syncs", "bytes", "failed", "delayed", "torn")

# Exit code of a program whose last write was torn.
TORN = 99


class FaultDisk:
    """`environment` is for the program that writes below `directory`."""

    def __init__(self, case, directory):
        library = os.environ.get("SHARDGATE_FAULT_DISK")
        if not library:
            raise Skip("SHARDGATE_FAULT_DISK does not name the library to preload")
        os.makedirs(directory, mode=0o700, exist_ok=True)
        path = os.path.join(case.directory, "disk.control")
        with open(path, "wb") as file:
            file.write(bytes(PAGE))
        with open(path, "r+b") as file:
            self._page = mmap.mmap(file.fileno(), PAGE)
        asan = os.environ.get("ASAN_OPTIONS", "")
        self.environment = {
            "LD_PRELOAD": os.path.abspath(library),
            "SHARDGATE_FAULT_DIRECTORY": directory,
            "SHARDGATE_FAULT_CONTROL": path,
            # The sanitizer's runtime wants to be first; here it comes second.
            "ASAN_OPTIONS": (asan + ":" if asan else "") + "verify_asan_link_order=0",
        }

    def do(self, words):
        """From now on; "" is a sound disk."""
        text = words.encode()
        # The first byte last: until then the page says nothing, which is no fault.
        self._page[0:1] = b"\0"
        self._page[1:1024] = text[1:].ljust(1023, b"\0")
        self._page[0:1] = text[:1] or b"\0"

    def heal(self):
        self.do("")

    def counts(self):
        values = struct.unpack_from("=6Q", self._page, COUNTERS_AT)
        return dict(zip(NAMES, values))

    def wait_more(self, name, more=1, seconds=30):
        """Until a counter has grown by so much."""
        first = self.counts()[name]
        return wait_until(lambda: self.counts()[name] >= first + more, seconds,
                          f"{more} more {name} of the disk")


def overwrite(path, at, data):
    """Puts bytes into a file that nobody has open."""
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(data)
