// SPDX-License-Identifier: Apache-2.0
// The live tail: events as server-sent events, for those who look. Nobody looks: the daemon does
// not call. A client that is too slow gets fewer and is told how many it missed. Pure.
// Format: WHATWG HTML, "Server-sent events"; docs/admin-api.md.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "admin/http_message.hpp"
#include "shardgate/admin/daemon_view.hpp"

namespace shardgate::admin {

// Empty = all. `payload`: with what the event says, secrets withheld.
struct tail_filter {
    std::vector<std::string> types;
    std::vector<std::uint64_t> guilds;
    std::vector<std::uint32_t> shards;
    bool payload = false;
};

struct tail_limits {
    std::size_t clients = 16;
    std::size_t buffered = 128 * 1024;  // bytes a client has waiting
    std::size_t payload = 16 * 1024;    // larger ones are withheld
    duration pace = std::chrono::milliseconds(100);
    duration heartbeat = std::chrono::seconds(15);
};

class event_tail final : public event_watcher {
public:
    // `view` outlives close().
    explicit event_tail(daemon_view& view, tail_limits limits = {});
    ~event_tail() override;

    // Null when there are too many. Its client is gone when nobody holds it any more.
    [[nodiscard]] std::shared_ptr<body_stream> open(tail_filter filter);
    void on_event(const watched_event& event) override;
    void close();

    [[nodiscard]] std::size_t clients() const noexcept;
    [[nodiscard]] std::uint64_t dropped() const noexcept;  // events, over all clients

private:
    class client;
    struct state;
    std::shared_ptr<state> state_;
};

}  // namespace shardgate::admin
