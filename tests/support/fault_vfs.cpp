// SPDX-License-Identifier: Apache-2.0
// See the header. sqlite.org/c3ref/vfs.html and io_methods.html.
#include "support/fault_vfs.hpp"

#include <sqlite3.h>

#include <limits>
#include <mutex>
#include <new>
#include <thread>

namespace shardgate::testing {
namespace {

struct settings {
    std::mutex mutex;
    disk_fault fault = disk_fault::none;
    std::string only;
    unsigned writes_before = 0;
    std::chrono::milliseconds delay{};
    vfs_counts counted;
};

settings& told() {
    static settings s;
    return s;
}

// SQLite allocates szOsFile bytes: this, and behind it the file of the VFS below.
struct fault_file {
    sqlite3_file base;
    const char* name;  // SQLite's, lives as long as the file
    [[nodiscard]] sqlite3_file* below() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

fault_file* mine(sqlite3_file* f) {
    return reinterpret_cast<fault_file*>(f);
}
sqlite3_file* below(sqlite3_file* f) {
    return mine(f)->below();
}

// The fault in force for this file, or none.
disk_fault fault_of(const fault_file& f) {
    settings& s = told();
    if (s.fault == disk_fault::none || s.writes_before > 0) return disk_fault::none;
    const std::string name = f.name == nullptr ? "" : f.name;
    return s.only.empty() || name.find(s.only) != std::string::npos ? s.fault : disk_fault::none;
}

int on_write(sqlite3_file* f, const void* data, int size, sqlite3_int64 at) {
    sqlite3_int64 length = 0;
    below(f)->pMethods->xFileSize(below(f), &length);
    std::chrono::milliseconds delay{};
    {
        settings& s = told();
        const std::lock_guard lock(s.mutex);
        ++s.counted.writes;
        const disk_fault fault = fault_of(*mine(f));
        if (s.writes_before > 0) --s.writes_before;
        if (fault == disk_fault::write_error) return ++s.counted.refused, SQLITE_IOERR_WRITE;
        if (fault == disk_fault::damage) {
            s.fault = disk_fault::none;
            return ++s.counted.refused, SQLITE_CORRUPT;
        }
        if (fault == disk_fault::full && at + size > length)
            return ++s.counted.refused, SQLITE_FULL;
        delay = s.delay;
    }
    if (delay.count() > 0) std::this_thread::sleep_for(delay);
    return below(f)->pMethods->xWrite(below(f), data, size, at);
}

int on_sync(sqlite3_file* f, int flags) {
    {
        settings& s = told();
        const std::lock_guard lock(s.mutex);
        ++s.counted.syncs;
        if (fault_of(*mine(f)) == disk_fault::sync_error)
            return ++s.counted.refused, SQLITE_IOERR_FSYNC;
    }
    return below(f)->pMethods->xSync(below(f), flags);
}

int on_close(sqlite3_file* f) {
    return below(f)->pMethods->xClose(below(f));
}
int on_read(sqlite3_file* f, void* to, int size, sqlite3_int64 at) {
    return below(f)->pMethods->xRead(below(f), to, size, at);
}
int on_truncate(sqlite3_file* f, sqlite3_int64 size) {
    return below(f)->pMethods->xTruncate(below(f), size);
}
int on_file_size(sqlite3_file* f, sqlite3_int64* out) {
    return below(f)->pMethods->xFileSize(below(f), out);
}
int on_lock(sqlite3_file* f, int how) {
    return below(f)->pMethods->xLock(below(f), how);
}
int on_unlock(sqlite3_file* f, int how) {
    return below(f)->pMethods->xUnlock(below(f), how);
}
int on_check(sqlite3_file* f, int* out) {
    return below(f)->pMethods->xCheckReservedLock(below(f), out);
}
int on_control(sqlite3_file* f, int what, void* with) {
    return below(f)->pMethods->xFileControl(below(f), what, with);
}
int on_sector(sqlite3_file* f) {
    return below(f)->pMethods->xSectorSize(below(f));
}
int on_characteristics(sqlite3_file* f) {
    return below(f)->pMethods->xDeviceCharacteristics(below(f));
}

// Version 1: no shared memory. A log works only on a connection that is exclusive from the first
// look on, which is how the files are meant to be opened.
const sqlite3_io_methods& methods() {
    static const sqlite3_io_methods m = [] {
        sqlite3_io_methods io{};
        io.iVersion = 1;
        io.xClose = on_close;
        io.xRead = on_read;
        io.xWrite = on_write;
        io.xTruncate = on_truncate;
        io.xSync = on_sync;
        io.xFileSize = on_file_size;
        io.xLock = on_lock;
        io.xUnlock = on_unlock;
        io.xCheckReservedLock = on_check;
        io.xFileControl = on_control;
        io.xSectorSize = on_sector;
        io.xDeviceCharacteristics = on_characteristics;
        return io;
    }();
    return m;
}

int on_open(sqlite3_vfs* vfs, const char* name, sqlite3_file* f, int flags, int* out) {
    auto* base = static_cast<sqlite3_vfs*>(vfs->pAppData);
    auto* file = new (f) fault_file{};
    file->name = name;
    const int rc = base->xOpen(base, name, file->below(), flags, out);
    file->base.pMethods = file->below()->pMethods == nullptr ? nullptr : &methods();
    return rc;
}

}  // namespace

std::string fault_vfs() {
    static const std::string name = "faults";
    static sqlite3_vfs vfs = [] {
        sqlite3_vfs* base = sqlite3_vfs_find(nullptr);
        sqlite3_vfs v = *base;
        v.zName = name.c_str();
        v.szOsFile = static_cast<int>(sizeof(fault_file)) + base->szOsFile;
        v.pAppData = base;
        v.pNext = nullptr;
        v.xOpen = on_open;
        return v;
    }();
    static const int registered = sqlite3_vfs_register(&vfs, 0);
    return registered == SQLITE_OK ? name : "unregistered";
}

void set_fault(disk_fault what, std::string only) {
    settings& s = told();
    const std::lock_guard lock(s.mutex);
    s.fault = what;
    s.only = std::move(only);
    s.writes_before = 0;
}

void set_fault_after(disk_fault what, unsigned writes) {
    settings& s = told();
    const std::lock_guard lock(s.mutex);
    s.fault = what;
    s.only.clear();
    s.writes_before = writes;
}

void set_write_delay(std::chrono::milliseconds each) {
    settings& s = told();
    const std::lock_guard lock(s.mutex);
    s.delay = each;
}

void heal() {
    set_fault(disk_fault::none);
    set_write_delay({});
}

vfs_counts counts() {
    settings& s = told();
    const std::lock_guard lock(s.mutex);
    return s.counted;
}

}  // namespace shardgate::testing
