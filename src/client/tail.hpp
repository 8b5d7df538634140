// SPDX-License-Identifier: Apache-2.0
// `shardgate tail`: events as they go by, from the daemon's live stream, until it is interrupted.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "client/session.hpp"

namespace shardgate::client {

// Server-sent events taken apart (WHATWG HTML, "Server-sent events"): data and event fields; what
// is longer than the bound is left out. Pure.
class event_stream {
public:
    // `take` gets each event's name ("message" when it has none) and data.
    explicit event_stream(std::function<void(std::string_view name, std::string_view data)> take)
        : take_(std::move(take)) {}
    void feed(std::string_view bytes);

private:
    static constexpr std::size_t longest = 1U << 20;
    void line(std::string_view text);

    std::function<void(std::string_view, std::string_view)> take_;
    std::string line_, name_, data_;
    bool has_data_ = false, too_long_ = false;
};

// "12:00:01.250  MESSAGE_CREATE  shard 3/16  guild 41". Pure; an event that cannot be read is shown
// as it is.
[[nodiscard]] std::string tail_line(std::string_view data);

[[nodiscard]] int tail(const session& s);

}  // namespace shardgate::client
