// SPDX-License-Identifier: Apache-2.0
// GET /gateway/bot: the gateway's address, the recommended shard count and the identify budget
// (Discord docs, Gateway, Get Gateway Bot), through discord.api_url. Loop thread only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "shardgate/base/result.hpp"
#include "shardgate/config/config.hpp"
#include "shardgate/identify/pacer.hpp"
#include "shardgate/transport/http_client.hpp"

namespace shardgate {

struct bot_gateway {
    std::string url;  // wss://…
    std::uint32_t shards = 1;
    session_start_limit limit;
};

// What asking for it came to.
struct bot_gateway_answer {
    enum class kind : std::uint8_t {
        ok,
        unauthorized,  // 401: the token is wrong or was reset; asking again is of no use
        failed,        // everything else: try again, not before `retry_after`
    } what = kind::failed;
    bot_gateway gateway;
    duration retry_after{0};
    std::string detail;  // one sentence for the log
};

// The answer's body, checked. Pure.
[[nodiscard]] result<bot_gateway> parse_bot_gateway(std::string_view body);

// One request; never throws.
[[nodiscard]] boost::asio::awaitable<bot_gateway_answer> fetch_bot_gateway(
    http_client& rest, const config::discord& discord);

}  // namespace shardgate
