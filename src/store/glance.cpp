// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "shardgate/store/glance.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>

#include "store/spool_tables.hpp"
#include "store/state_directory.hpp"

namespace shardgate {
namespace {

using store::database;
using store::query;

// The bytes whose locks are SQLite's (sqlite.org/src, os.h: PENDING_BYTE and what follows).
constexpr ::off_t first_lock = 0x40000000;
constexpr ::off_t locks = 512;

// A daemon locks its file for as long as it has it; asking does not lock. False as well when that
// cannot be known.
bool nobody_uses(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return false;
    struct stat is {};
    struct flock held {};
    held.l_type = F_WRLCK;
    held.l_whence = SEEK_SET;
    held.l_start = first_lock;
    held.l_len = locks;
    const bool known =
        ::fstat(fd, &is) == 0 && S_ISREG(is.st_mode) && ::fcntl(fd, F_GETLK, &held) == 0;
    ::close(fd);
    return known && held.l_type == F_UNLCK;
}

// All of it is in the file itself, and in the one version that is known.
bool readable(const std::string& path) {
    const store::file_format& format = store::spool_format();
    const store::format_outcome is = store::peek_format(path, format);
    return is.what == store::format_state::ready &&
           is.version == static_cast<std::int64_t>(format.steps.size()) &&
           store::file_size(path + "-wal") == 0 && nobody_uses(path);
}

bool read_all(database& db, state_glance& out) {
    query facts(db, "SELECT name, value FROM facts ORDER BY name");
    while (facts.row()) {
        std::string name(facts.bytes());
        out.facts.emplace_back(std::move(name), std::string(facts.bytes()));
    }
    query sessions(db, "SELECT gen, shard, shards FROM sessions ORDER BY gen, shard");
    while (sessions.row()) {
        state_glance::session s;
        s.gen = generation{static_cast<std::uint32_t>(sessions.number())};
        s.shard = shard_id{static_cast<std::uint32_t>(sessions.number())};
        s.shards = shard_count{static_cast<std::uint32_t>(sessions.number())};
        out.sessions.push_back(s);
    }
    return !facts.failed() && !sessions.failed();
}

}  // namespace

std::optional<state_glance> glance_at_state(const std::string& directory) {
    std::string path = directory;
    if (!path.ends_with('/')) path += '/';
    path += store::spool_format().name;
    if (!readable(path)) return std::nullopt;
    state_glance out;
    database db;
    if (!db.open_unchanging(path) || !read_all(db, out)) return std::nullopt;
    // What changed under the look was not read for what it is.
    if (!readable(path)) return std::nullopt;
    return out;
}

}  // namespace shardgate
