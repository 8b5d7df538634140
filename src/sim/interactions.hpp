// SPDX-License-Identifier: Apache-2.0
// Interactions and their answers: three seconds, once, with a type that fits (Discord docs,
// Receiving and Responding; fact sheet 2.5, S4, S30). Pure.
#pragma once

#include <array>
#include <boost/json/object.hpp>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "shardgate/base/ids.hpp"
#include "shardgate/base/time.hpp"
#include "sim/options.hpp"

namespace shardgate::sim {

struct open_interaction {
    snowflake id{};
    std::uint64_t channel = 0;
    std::string token;
    std::uint32_t type = 0;
    bool from_component = false;
    std::uint64_t n = 0;
    time_point created{};
    std::optional<time_point> answered;
    std::uint32_t answer = 0;  // callback type
};

// A REST answer: status and JSON body (empty = none).
struct callback_reply {
    unsigned status = 204;
    std::string body;
};

class interactions {
public:
    // `o` outlives this.
    explicit interactions(const options& o) : options_(o) {}

    // An interaction happens. The token stays valid for the object's life here.
    std::string_view create(snowflake id, std::uint32_t type, bool from_component,
                            std::uint64_t seed, time_point now);
    void number(snowflake id, std::uint64_t n, std::uint64_t channel);
    // Nobody was there to get it.
    void forget(snowflake id);
    // Null when there is none; valid until the next one is made or forgotten.
    [[nodiscard]] const open_interaction* find(snowflake id) const;
    [[nodiscard]] const open_interaction* find(std::string_view token) const;

    [[nodiscard]] callback_reply answer(snowflake id, std::string_view token, std::string_view body,
                                        bool with_response, time_point now);

    // The event's number if its answer leaves nothing to do for the handler (types 4 and 8): it may
    // keep the event to itself.
    [[nodiscard]] std::optional<std::uint64_t> answered_for_good(snowflake id) const;

    struct counts {
        std::uint64_t created = 0;
        std::uint64_t in_time = 0, late = 0, twice = 0, illegal = 0, malformed = 0;
    };
    // Indexed by interaction type; 0 = calls for an unknown id or token.
    [[nodiscard]] const std::array<counts, 7>& totals() const noexcept { return counts_; }
    [[nodiscard]] std::uint64_t unknown() const noexcept { return unknown_; }
    [[nodiscard]] boost::json::object report(time_point now) const;
    // The newest `limit`, newest last.
    [[nodiscard]] boost::json::array list(time_point now, std::size_t limit) const;
    void clear();

private:
    static constexpr std::size_t kept = 200000;
    void drop(snowflake id);

    const options& options_;
    std::unordered_map<snowflake, open_interaction> open_;
    std::unordered_map<std::string_view, const open_interaction*> by_token_;  // keys are open_'s
    std::deque<snowflake> order_;
    std::array<counts, 7> counts_{};
    std::uint64_t unknown_ = 0;
    std::array<std::uint64_t, 16> answers_{};  // legal ones by callback type
    duration slowest_{};
};

// The message a component of which was used (its interaction carries it).
[[nodiscard]] constexpr std::uint64_t component_message(std::uint64_t interaction) noexcept {
    return interaction - (5ULL << 32);
}

// Whether callback `type` may answer this interaction (fact sheet 2.5, table).
[[nodiscard]] bool may_answer(std::uint32_t callback, std::uint32_t interaction,
                              bool from_component) noexcept;

}  // namespace shardgate::sim
