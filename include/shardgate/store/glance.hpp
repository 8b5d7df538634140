// SPDX-License-Identifier: Apache-2.0
// A look into the state directory of a daemon that does not run, for `check`: which plan and whose
// sessions lie there. Takes no lock, writes nothing, makes no file; a daemon that starts meanwhile
// does not notice. Owner: app.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "shardgate/base/ids.hpp"

namespace shardgate {

struct state_glance {
    struct session {
        generation gen{};
        shard_id shard{};
        shard_count shards{};
    };
    std::vector<std::pair<std::string, std::string>> facts;
    std::vector<session> sessions;
};

// Nothing when there is no state, when a daemon uses it, when one was killed (what is in force may
// then be in the write-ahead log alone), or when it is damaged or another version's. Blocks.
[[nodiscard]] std::optional<state_glance> glance_at_state(const std::string& directory);

}  // namespace shardgate
