// SPDX-License-Identifier: Apache-2.0
// What `shardgate check --online` makes of what it was answered. Pure; a finding each, for a person
// and for scripts, without a secret.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shardgate/config/config.hpp"
#include "shardgate/delivery/delivery.hpp"
#include "shardgate/fleet/bot_gateway.hpp"

namespace shardgate {

struct finding {
    enum class grade : std::uint8_t { good, doubtful, bad };
    std::string name;  // token, budget, shards, start, intents, handler, descriptors
    grade how = grade::good;
    std::string detail;  // one sentence
};

// Token, session starts, number of shards, how long until the last one is ready.
[[nodiscard]] std::vector<finding> judge_gateway(const bot_gateway_answer& answer,
                                                 const config::settings& settings);
// GET /applications/@me: whether the privileged intents that are asked for are switched on.
[[nodiscard]] finding judge_intents(const http_outcome& answer, std::uint64_t intents);
// The test event at one URL.
[[nodiscard]] finding judge_handler(std::string_view url, const delivery_outcome& outcome);
// `most`: the hard limit, which the daemon raises its own to.
[[nodiscard]] finding judge_descriptors(std::uint64_t most, std::uint64_t shards,
                                        const config::settings& settings);

[[nodiscard]] std::string_view name_of(finding::grade g) noexcept;
// "ok    token: …" a line; or {"ok":true,"checks":[{"name","state","detail"}]}.
[[nodiscard]] std::string findings_text(const std::vector<finding>& all);
[[nodiscard]] std::string findings_json(const std::vector<finding>& all);
[[nodiscard]] bool none_bad(const std::vector<finding>& all) noexcept;

}  // namespace shardgate
