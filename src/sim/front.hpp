// SPDX-License-Identifier: Apache-2.0
// What stands before Discord's REST: it counts each source's invalid requests (401, 403, and 429
// of any scope but shared) and shuts out whoever has made too many (Discord docs, Rate Limits,
// Invalid Request Limit; fact sheet S6). Pure.
#pragma once

#include <array>
#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "shardgate/base/time.hpp"
#include "sim/http_server.hpp"
#include "sim/options.hpp"

namespace shardgate::sim {

// The page that a source gets which may not come in: no X-RateLimit headers, no JSON.
[[nodiscard]] http_answer front_page(std::chrono::duration<double> left);

class front {
public:
    static constexpr std::size_t sources_max = 1024;  // then the one that was quiet longest goes

    // `o` outlives this.
    explicit front(const options& o) : options_(o) {}

    // The page instead of an answer, while `source` is blocked.
    [[nodiscard]] std::optional<http_answer> refuse(const std::string& source, time_point now);
    // What Discord has answered it.
    void answered(const std::string& source, const http_answer& a, time_point now);

    [[nodiscard]] boost::json::object report(time_point now) const;
    void clear();

private:
    // The window slides in steps of a sixtieth of it.
    static constexpr std::size_t steps = 60;
    struct visitor {
        std::array<std::uint32_t, steps> made{};  // by step, modulo
        std::int64_t step = 0;                    // the newest
        std::uint64_t in_window = 0, invalid = 0, refused = 0;
        time_point last{};
        std::optional<time_point> blocked_until;
    };
    void slide(visitor& v, time_point now) const;
    visitor& visitor_for(const std::string& source);

    const options& options_;
    std::map<std::string, visitor> visitors_;
    std::uint64_t blocks_ = 0, refused_ = 0, forgotten_ = 0;
};

}  // namespace shardgate::sim
