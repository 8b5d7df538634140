// SPDX-License-Identifier: Apache-2.0
// The admin API: a request in, an answer out. Pure but for what `view` and `extras` are asked.
// Contract: interface.md section 4. How each route is called: docs/admin-api.md.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admin/feeds.hpp"
#include "admin/guard.hpp"
#include "admin/http_message.hpp"
#include "admin/metrics_page.hpp"
#include "admin/target.hpp"
#include "shardgate/admin/daemon_view.hpp"

namespace shardgate::admin {

class router {
public:
    // `view` and `feeds` outlive the router. Without feeds the calls that never end are refused.
    router(guard_rules rules, daemon_view& view, std::function<page_extras()> extras,
           live_feeds* feeds = nullptr);

    // Answers everything, and HEAD as GET: the codec leaves the body out. Nothing: the answer
    // comes through `later`, perhaps never. Without one, calls that need it are refused (503).
    [[nodiscard]] std::optional<http_response> handle(const http_request& request,
                                                      later_answer later = {}) const;

    // Of the next request on.
    void set_tokens(const secret& token, const secret& metrics_token) {
        rules_.token = token;
        rules_.metrics_token = metrics_token;
    }

    // What is answered, for the API's description: method, and path with "*" for any one segment.
    [[nodiscard]] static std::vector<std::pair<std::string, std::string>> calls();

private:
    struct route;
    struct question {  // a request whose path is known
        const target& at;
        const std::string& body;
    };
    struct match;

    [[nodiscard]] static const std::vector<route>& table();
    [[nodiscard]] static match find(std::string_view method, const target& t);
    [[nodiscard]] http_response healthz(const question& q) const;
    [[nodiscard]] http_response readyz(const question& q) const;
    [[nodiscard]] http_response metrics(const question& q) const;
    [[nodiscard]] http_response status(const question& q) const;
    [[nodiscard]] http_response shards(const question& q) const;
    [[nodiscard]] http_response shard(const question& q) const;
    [[nodiscard]] http_response queue(const question& q) const;
    [[nodiscard]] std::optional<http_response> reload(const question& q, later_answer later) const;
    [[nodiscard]] http_response list_dead_letters(const question& q) const;
    [[nodiscard]] http_response retry_dead_letters(const question& q) const;
    [[nodiscard]] http_response delete_dead_letters(const question& q) const;
    [[nodiscard]] http_response reshard_progress(const question& q) const;
    [[nodiscard]] http_response abort_reshard(const question& q) const;
    [[nodiscard]] std::optional<http_response> reshard(const question& q, later_answer later) const;
    [[nodiscard]] http_response guilds(const question& q) const;
    [[nodiscard]] http_response change_handler(const question& q) const;
    [[nodiscard]] http_response page(const question& q) const;
    [[nodiscard]] http_response page_part(const question& q) const;
    [[nodiscard]] http_response openapi(const question& q) const;
    [[nodiscard]] http_response events(const question& q) const;
    [[nodiscard]] http_response stats(const question& q) const;
    [[nodiscard]] http_response send_to_shard(const question& q) const;
    [[nodiscard]] std::optional<http_response> members(const question& q, later_answer later) const;
    [[nodiscard]] http_response discordeno(const question& q) const;
    [[nodiscard]] http_response timecheck(const question& q) const;
    [[nodiscard]] http_response send(const question& q) const;
    [[nodiscard]] http_response reconnect(const question& q) const;

    guard_rules rules_;
    daemon_view& view_;
    std::function<page_extras()> extras_;
    live_feeds* feeds_;
};

}  // namespace shardgate::admin
