// SPDX-License-Identifier: Apache-2.0
// The words for a guild mark, as the handler reads them in X-Shardgate-Guild.
#include "shardgate/protocol/dispatch.hpp"

namespace shardgate {

std::string_view name_of(guild_mark mark) noexcept {
    switch (mark) {
    case guild_mark::none: return {};
    case guild_mark::loaded: return "loaded";
    case guild_mark::joined: return "joined";
    case guild_mark::available: return "available";
    case guild_mark::left: return "left";
    case guild_mark::unavailable: return "unavailable";
    }
    return {};
}

}  // namespace shardgate
