// SPDX-License-Identifier: Apache-2.0
// What the bot writes: POST /channels/{id}/messages (Discord docs, Message, Create Message). It is
// taken or refused and can be read by a test; nothing happens in the world by it. Pure.
#pragma once

#include <boost/json/array.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "sim/interactions.hpp"
#include "sim/world.hpp"

namespace shardgate::sim {

class messages {
public:
    static constexpr std::size_t kept = 1000;  // the newest

    // `w` outlives this.
    explicit messages(const world& w) : world_(w) {}

    [[nodiscard]] callback_reply post(std::string_view channel, std::string_view body,
                                      std::int64_t unix_ms);

    // The newest, oldest first: {"id","channel_id","content"}.
    [[nodiscard]] boost::json::array list() const;
    void clear() { newest_.clear(); }

private:
    struct written {
        std::uint64_t id = 0, channel = 0;
        std::string content;
    };

    const world& world_;
    id_source ids_;
    std::deque<written> newest_;
};

}  // namespace shardgate::sim
