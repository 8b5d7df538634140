// SPDX-License-Identifier: Apache-2.0
// The events in a POST's body, whatever the envelope and however many: name, key, number. Looks
// only at what it needs; check_body() reads everything. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/post_reader.hpp"

namespace shardgate::sim {

// Views into the request.
struct posted_event {
    std::string_view name, key, shard, guild, interaction;
    std::string_view text;  // the event in its envelope
    std::uint64_t n = 0;    // 0 = none
    std::uint32_t attempt = 1;
};

// False when the body is not what the interface promises.
[[nodiscard]] bool read_events(const post& request, std::vector<posted_event>& out);

// An event in an envelope without headers about it, as other gateway programs post it: the name is
// read from the body, and there is no key.
[[nodiscard]] bool read_plain(const post& request, std::vector<posted_event>& out);

// The number behind the last "_n" member, 0 without one. A quote inside a JSON string is escaped,
// so that no user's text can look like the member.
[[nodiscard]] std::uint64_t number_of(std::string_view json) noexcept;

// The raw JSON of a member at an object's own depth; empty when it is not there.
[[nodiscard]] std::string_view member_of(std::string_view object, std::string_view name) noexcept;

// Parses the body whole and holds it against the headers. Empty when all is well, else what is
// wrong.
[[nodiscard]] std::string check_body(const post& request);

}  // namespace shardgate::sim
