// SPDX-License-Identifier: Apache-2.0
// Requests for guild members whose answer goes to who asked and not to the handler. Their nonce
// tells it: a chunk says its request's. Equal requests under way are one. Bounded in number, in
// bytes that wait to be read, and in time. Pure. Owner: app/bot_answers. Spec: Discord docs,
// Gateway Events, Request Guild Members and Guild Members Chunk.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shardgate/base/time.hpp"
#include "shardgate/protocol/envelope.hpp"
#include "shardgate/protocol/member_reader.hpp"

namespace shardgate {

struct member_limits {
    std::size_t requests = 16;
    std::size_t readers = 8;                    // of one request
    std::size_t unread = 64U << 20;             // bytes over all
    std::size_t kept = 1U << 20;                // bytes of a request for readers that join late
    std::size_t chunks = 1U << 20;              // Discord's largest guilds have some ten thousand
    unsigned attempts = 3;                      // Discord said RATE_LIMITED to the others
    duration first = std::chrono::seconds(50);  // until the first chunk
    duration next = std::chrono::seconds(15);   // between two
};

struct member_stats {
    std::uint64_t complete = 0, timed_out = 0, rate_limited = 0, too_slow = 0;  // requests
    std::uint64_t shared = 0;     // readers that joined a request under way
    std::uint64_t refused = 0;    // at the bounds
    std::uint64_t abandoned = 0;  // nobody reads any more
    std::uint64_t late = 0;       // chunks nobody waits for
};

class member_requests {
public:
    // `run`: at most eight characters that no other process of this daemon uses.
    explicit member_requests(std::string_view run, member_limits limits = {});

    // What reader() says: joined, a new request under this nonce, or full.
    struct place {
        bool joined = false;
        std::string nonce;  // empty: full
    };
    // `key`: equal for equal requests.
    [[nodiscard]] place add(std::string key, std::shared_ptr<member_reader> reader, time_point now);
    // It could not be sent after all; its reader is told nothing.
    void withdraw(std::string_view nonce);

    // Is this nonce one of ours, of this process or of one before?
    [[nodiscard]] static bool is_ours(std::string_view nonce) noexcept;
    // A chunk with a nonce of ours.
    void on_chunk(const member_chunk& chunk, std::string_view d, time_point now);
    // RATE_LIMITED with a nonce of ours. True: send it again; the limiter holds it until then.
    [[nodiscard]] bool on_rate_limited(std::string_view nonce, duration wait, time_point now);
    void on_timer(time_point now);
    [[nodiscard]] time_point deadline() const noexcept;

    [[nodiscard]] bool has(std::string_view nonce) const { return requests_.contains(nonce); }
    [[nodiscard]] std::size_t size() const noexcept { return requests_.size(); }
    [[nodiscard]] const member_stats& stats() const noexcept { return stats_; }
    [[nodiscard]] std::size_t unread() const noexcept { return *unread_; }

private:
    using chunk_text = std::shared_ptr<const std::string>;
    struct request {
        std::string key;
        std::vector<std::shared_ptr<member_reader>> readers;
        std::vector<chunk_text> chunks;  // so far, as long as they are few
        std::size_t chunk_bytes = 0;
        bool whole = true;  // `chunks` has all there were
        std::vector<bool> seen;
        std::size_t seen_count = 0;
        unsigned attempts = 1;
        time_point due{};
    };
    using requests = std::map<std::string, request, std::less<>>;  // by nonce

    [[nodiscard]] chunk_text keep(std::string_view d) const;
    void end(requests::iterator at, members_end how, duration wait = {});

    std::string prefix_;
    member_limits limits_;
    std::uint64_t next_ = 1;
    requests requests_;
    std::shared_ptr<std::size_t> unread_ = std::make_shared<std::size_t>(0);
    member_stats stats_;
};

}  // namespace shardgate
