// SPDX-License-Identifier: Apache-2.0
// What a database file is and which version of it: whose it is, the steps from version to version,
// how it is kept. Must not know what the tables mean.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "store/database.hpp"

namespace shardgate::store {

struct file_format {
    const char* name = "";            // of the file
    std::int32_t application_id = 0;  // in its header: nobody else's file is taken for ours
    // steps[i] brings version i to version i + 1, each in a transaction of its own. Never change a
    // step that was released; add one.
    std::span<const char* const> steps;
    const char* settings = "";  // PRAGMAs of this connection
    bool shrinks = false;       // gives free pages back to the system (auto_vacuum)
    bool keeps_log = false;     // the write-ahead log stays when the file is closed
};

enum class format_state : std::uint8_t {
    ready,
    newer,    // a later shardgate's: `version` is above what we know
    foreign,  // another program's database
    error,    // see the database's status
};
struct format_outcome {
    format_state what = format_state::error;
    std::int64_t version = 0;
};

// What the file's first bytes say, without SQLite and without touching it. `error`: they do not say
// it is ours (missing, empty, short, another's); SQLite will tell.
[[nodiscard]] format_outcome peek_format(const std::string& path, const file_format& format);

// Makes an open connection ours: checks, sets it up, brings its version up to date. Touches nothing
// of a file that is newer or foreign.
[[nodiscard]] format_outcome apply_format(database& db, const file_format& format);

// Reads the whole file and checks its structure. False: the database's status says what is wrong.
bool check_structure(database& db);

}  // namespace shardgate::store
