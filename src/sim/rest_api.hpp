// SPDX-License-Identifier: Apache-2.0
// Discord's REST side as far as a gateway client and its bot need it: /gateway, /gateway/bot,
// interaction callbacks and what follows them, messages, and refusals on order (Discord fact sheet
// 2, S1 to S6). Pure.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "sim/director.hpp"
#include "sim/front.hpp"
#include "sim/http_server.hpp"
#include "sim/identify_rules.hpp"
#include "sim/interactions.hpp"
#include "sim/messages.hpp"
#include "sim/options.hpp"
#include "sim/rest_fault.hpp"
#include "sim/webhooks.hpp"
#include "sim/world.hpp"

namespace shardgate::sim {

class rest_api {
public:
    // References outlive this.
    // An interaction's event that need not reach the handler any more.
    std::function<void(std::uint64_t n)> on_answered_for_good;

    rest_api(const options& o, const world& w, identify_rules& rules, interactions& book)
        : options_(o),
          world_(w),
          rules_(rules),
          interactions_(book),
          messages_(w),
          webhooks_(o, book),
          front_(o) {}

    void gateway_url(std::string url) { url_ = std::move(url); }
    void add(rest_fault f, time_point now);
    void clear_faults() { faults_.clear(); }
    void clear();

    [[nodiscard]] http_answer answer(const http_call& call, const moment& now);
    [[nodiscard]] boost::json::object report(time_point now) const;
    [[nodiscard]] const messages& written() const noexcept { return messages_; }
    [[nodiscard]] const webhooks& replies() const noexcept { return webhooks_; }

private:
    // The call behind the front. `path` is without the version.
    [[nodiscard]] http_answer serve(const http_call& call, const std::string& path,
                                    const moment& now);
    [[nodiscard]] http_answer route(const http_call& call, const std::string& path,
                                    const moment& now);
    [[nodiscard]] std::optional<http_answer> refuse(const http_call& call, const std::string& path,
                                                    const moment& now);
    [[nodiscard]] http_answer gateway_bot(const http_call& call, const moment& now);
    [[nodiscard]] http_answer callback(const http_call& call, const std::string& path,
                                       const moment& now);
    [[nodiscard]] http_answer message(const http_call& call, const std::string& path,
                                      std::int64_t unix_ms);
    [[nodiscard]] bool authorized(const http_call& call) const;
    void count(const http_call& call, const std::string& path);

    const options& options_;
    const world& world_;
    identify_rules& rules_;
    interactions& interactions_;
    messages messages_;
    webhooks webhooks_;
    front front_;
    std::string url_;
    std::deque<rest_fault> faults_;
    std::map<std::string, std::uint64_t> calls_;
    std::map<unsigned, std::uint64_t> answers_;
    std::uint64_t unauthorized_ = 0, no_agent_ = 0;
};

// The shard count Discord would recommend (fact sheet 8).
[[nodiscard]] std::uint32_t recommended_shards(const gateway_options& o, std::uint32_t guilds);

}  // namespace shardgate::sim
