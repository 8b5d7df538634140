// SPDX-License-Identifier: Apache-2.0
// What a bot says to an interaction after its first answer: POST /webhooks/{application}/{token},
// and GET, PATCH, DELETE of …/messages/@original or a message's id (Discord docs, Receiving and
// Responding, Followup Messages; fact sheet 2.6, S5). Kept for tests; nothing happens in the world
// by it. Pure.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "sim/director.hpp"
#include "sim/http_server.hpp"
#include "sim/interactions.hpp"
#include "sim/message_body.hpp"
#include "sim/options.hpp"

namespace shardgate::sim {

class webhooks {
public:
    static constexpr std::size_t kept = 20000;   // messages, the newest
    static constexpr std::size_t listed = 1000;  // of those

    // References outlive this.
    webhooks(const options& o, const interactions& book) : options_(o), interactions_(book) {}

    // The first answer to an interaction was taken: its message, if it makes or has one.
    void answered(snowflake interaction, std::string_view body, const moment& now);

    // `path` begins with /webhooks/.
    [[nodiscard]] callback_reply answer(const http_call& call, std::string_view path,
                                        const moment& now);

    // The newest, oldest first.
    [[nodiscard]] boost::json::array list() const;
    [[nodiscard]] boost::json::object report() const;
    void clear();

private:
    struct reply {
        std::uint64_t id = 0;
        snowflake interaction{};
        std::uint64_t channel = 0;
        std::string content;
        std::int64_t written_ms = 0, edited_ms = 0;
        std::uint32_t edits = 0;
        bool original = false, loading = false, ephemeral = false, deleted = false;
    };
    struct target {
        std::string_view application, token, message;  // no message: a new one
    };
    struct counts {
        std::uint64_t created = 0, filled = 0, edited = 0, read = 0, deleted = 0;
        std::uint64_t too_early = 0, expired = 0, unknown_token = 0, unknown_webhook = 0;
        std::uint64_t unknown_message = 0, malformed = 0, forgotten = 0;
    };

    [[nodiscard]] static std::optional<target> read_target(std::string_view path);
    [[nodiscard]] std::optional<callback_reply> refuse(const target& to, time_point now);
    [[nodiscard]] callback_reply create(const http_call& call, const open_interaction& on,
                                        const moment& now);
    [[nodiscard]] callback_reply touch(const http_call& call, reply& m, const moment& now);
    [[nodiscard]] std::optional<callback_reply> read(const http_call& call, message_body& into);
    [[nodiscard]] reply* find(snowflake interaction, std::string_view message);
    reply& keep(reply made);
    [[nodiscard]] static std::string text(const reply& m);
    void fill(reply& m, const message_body& body, std::int64_t unix_ms);

    const options& options_;
    const interactions& interactions_;
    id_source ids_;
    std::unordered_map<std::uint64_t, reply> replies_;
    std::deque<std::uint64_t> order_;
    std::unordered_map<snowflake, std::uint64_t> originals_;
    counts counts_;
};

}  // namespace shardgate::sim
