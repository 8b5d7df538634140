// SPDX-License-Identifier: Apache-2.0
// Who may start a session: token, shard array, large-bot multiple, guilds per shard, intents,
// pacing per key, daily budget (Discord fact sheet 2.3, 5.3, 8, S2, S14, S15). Pure.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "shardgate/base/time.hpp"
#include "shardgate/protocol/close_code.hpp"
#include "sim/options.hpp"

namespace shardgate::sim {

struct identify_request {
    std::string token;
    std::uint32_t shard = 0;
    std::uint32_t shards = 1;
    bool shard_given = false;
    std::uint64_t intents = 0;
    bool compress = false;
    time_point connected{};  // when its connection was opened; for the timeline
};

struct identify_verdict {
    enum class outcome : std::uint8_t { accepted, close, invalid_session, token_reset };
    outcome what = outcome::accepted;
    close_code code = 0;  // for close
    const char* reason = "";
};

// Reads IDENTIFY's d. A wrong type somewhere is a decode error: nullopt. A shard array that is not
// one comes back as shard 1 of 0, which check() refuses.
[[nodiscard]] std::optional<identify_request> read_identify(const boost::json::value& d);

class identify_rules {
public:
    struct budget {
        std::uint32_t total = 0;
        std::uint32_t remaining = 0;
        duration reset_after{};  // zero when no window runs
    };
    struct record {
        time_point when{};
        std::uint32_t shard = 0, shards = 0, key = 0;
        bool accepted = false;
        duration waited{};  // connected, before the IDENTIFY came
    };

    // `o` outlives this and may change while running.
    explicit identify_rules(const options& o);

    // Judges and, when accepted, spends one start and the key's slot. `guilds` are those of the
    // shard asked for.
    identify_verdict check(const identify_request& r, std::uint32_t guilds, time_point now);
    [[nodiscard]] bool token_valid(const std::string& token) const;
    // After it no token is valid any more.
    void reset_token() noexcept { revoked_ = true; }
    [[nodiscard]] bool revoked() const noexcept { return revoked_; }

    [[nodiscard]] budget budget_at(time_point now) const;
    void set_remaining(std::uint32_t remaining, time_point now);
    [[nodiscard]] std::uint64_t pacing_violations() const noexcept { return violations_; }
    // IDENTIFYs that came when no start was left; those with a token reset by the first one too.
    [[nodiscard]] std::uint64_t beyond_budget() const noexcept { return beyond_; }
    // Every IDENTIFY that got as far as pacing; the newest 20,000.
    [[nodiscard]] const std::vector<record>& timeline() const noexcept { return timeline_; }
    void clear(time_point now);

private:
    [[nodiscard]] std::optional<identify_verdict> refuse(const identify_request& r,
                                                         std::uint32_t guilds) const;
    bool paced(const identify_request& r, std::uint32_t key, time_point now);
    void roll_window(time_point now);
    void note(const identify_request& r, std::uint32_t key, bool accepted, time_point now);

    const options& options_;
    std::unordered_map<std::uint32_t, time_point> last_;  // per key: the last accepted IDENTIFY
    std::uint32_t remaining_;
    std::optional<time_point> window_start_;
    bool revoked_ = false;
    std::uint64_t violations_ = 0, beyond_ = 0;
    std::vector<record> timeline_;
};

}  // namespace shardgate::sim
