// SPDX-License-Identifier: Apache-2.0
// A request and an answer of the admin API as plain values, between the HTTP codec and the router.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shardgate/base/time.hpp"

namespace shardgate::admin {

// ASCII only: header names, schemes and host names are (RFC 9110 section 5.1).
[[nodiscard]] inline bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [&](char x, char y) { return lower(x) == lower(y); });
}

struct http_request {
    std::string method;
    std::string target;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    bool http_1_0 = false;
    bool keep_alive = true;

    // The first of that name; nullptr = none.
    [[nodiscard]] const std::string* header(std::string_view name) const noexcept {
        for (const auto& [key, value] : headers)
            if (equals_ignoring_case(key, name)) return &value;
        return nullptr;
    }
    [[nodiscard]] std::size_t count(std::string_view name) const noexcept {
        return static_cast<std::size_t>(
            std::count_if(headers.begin(), headers.end(),
                          [&](const auto& h) { return equals_ignoring_case(h.first, name); }));
    }
};

// A body that comes piece by piece: the server asks for more when the peer has taken what there
// was. Bounded by whoever makes it; who does not read is dropped by the server.
class body_stream {
public:
    enum class next : std::uint8_t {
        more,  // ask again when this is sent
        wait,  // ask again when woken, at the latest at deadline()
        end    // that was all
    };
    virtual ~body_stream() = default;
    // Appends what there is.
    [[nodiscard]] virtual next read(std::string& into, time_point now) = 0;
    [[nodiscard]] virtual time_point deadline() const { return never; }
    // How long to gather before it is asked again: many small events, few writes.
    [[nodiscard]] virtual duration pace() const { return duration{0}; }
    // Set while somebody waits for more; whoever has some calls it.
    std::function<void()> wake;
};

struct http_response {
    unsigned status = 200;
    std::string content_type = "application/json";
    std::string body;
    std::shared_ptr<body_stream> stream;                       // in place of the body
    std::vector<std::pair<std::string, std::string>> headers;  // ours, never from outside
};

// Takes an answer that was not there at once: called at most once, on the loop.
using later_answer = std::function<void(http_response)>;

}  // namespace shardgate::admin
