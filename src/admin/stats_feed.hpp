// SPDX-License-Identifier: Apache-2.0
// The dashboard's figures as server-sent events: one text a second, made once for all who look and
// not at all while nobody does. Pure. What is in it: docs/admin-api.md.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "admin/http_message.hpp"
#include "shardgate/admin/daemon_view.hpp"

namespace shardgate::admin {

class stats_feed {
public:
    static constexpr std::size_t most_clients = 16;
    static constexpr duration period = std::chrono::seconds(1);

    // `view` outlives close().
    explicit stats_feed(const daemon_view& view);

    // Null when there are too many.
    [[nodiscard]] std::shared_ptr<body_stream> open();
    void close() noexcept;
    [[nodiscard]] std::size_t clients() const noexcept;

private:
    class client;
    struct state;
    std::shared_ptr<state> state_;
};

}  // namespace shardgate::admin
