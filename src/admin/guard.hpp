// SPDX-License-Identifier: Apache-2.0
// Who may ask: bearer tokens, and without a token the rules that keep web pages out. Pure.
// Contract: interface.md section 4; bearer tokens: RFC 6750 section 2.1.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "admin/http_message.hpp"
#include "shardgate/config/config.hpp"

namespace shardgate::admin {

enum class access : std::uint8_t {
    open,     // anybody: a probe that knows no token and may send any Host
    page,     // anybody who may show our page; without a token only this machine's browsers
    metrics,  // the metrics token, if there is one
    token,    // the admin token, if there is one
    bare,     // the same, as the whole value of Authorization
};

struct guard_rules {
    secret token;
    secret metrics_token;
    bool any_host = false;  // a unix socket: no web page reaches it, and its Host means nothing
};

// nullopt = let it in; else the answer. `authority` is the request's Host, empty if it had none.
[[nodiscard]] std::optional<http_response> refuse(const http_request& request,
                                                  std::string_view authority, access needed,
                                                  const guard_rules& rules);

// Whether a request that changes something says that its body is JSON: a page of another origin
// cannot say so without the browser asking first (Fetch, CORS-safelisted request-header).
[[nodiscard]] bool is_json(const http_request& request);

// "127.0.0.1", "localhost" or "[::1]", with or without a port.
[[nodiscard]] bool is_local_host(std::string_view authority) noexcept;

}  // namespace shardgate::admin
