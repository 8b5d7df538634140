// SPDX-License-Identifier: Apache-2.0
// A disk that fails on demand: an SQLite VFS over the default one. What is told here holds for
// every file of every test of the program until it is told otherwise; any thread.
#pragma once

#include <chrono>
#include <string>

namespace shardgate::testing {

// Registers it once and gives its name. Everything works until told otherwise.
[[nodiscard]] std::string fault_vfs();

enum class disk_fault {
    none,
    write_error,  // every write fails with an I/O error
    sync_error,   // every fsync fails, the data having been written
    full,         // a write that makes a file longer finds no space
    damage,       // the next write finds out that the file is damaged; once
};
// `only` restricts it to files whose name has this in it.
void set_fault(disk_fault what, std::string only = {});
// The next `writes` writes succeed before it begins.
void set_fault_after(disk_fault what, unsigned writes);
void set_write_delay(std::chrono::milliseconds each);
// Back to a disk that works.
void heal();

struct vfs_counts {
    unsigned long writes = 0, syncs = 0, refused = 0;
};
[[nodiscard]] vfs_counts counts();

// Heals at the end of a test, however that comes.
struct fault_scope {
    fault_scope() { heal(); }
    ~fault_scope() { heal(); }
    fault_scope(const fault_scope&) = delete;
    fault_scope& operator=(const fault_scope&) = delete;
};

}  // namespace shardgate::testing
