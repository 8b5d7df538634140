// SPDX-License-Identifier: Apache-2.0
#include "sim/message_body.hpp"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace shardgate::sim {

namespace {

namespace json = boost::json;

constexpr std::size_t longest_content = 2000;  // characters
constexpr std::int64_t ephemeral_flag = 64;

// Code points: bytes that do not go on with one.
std::size_t characters(std::string_view utf8) {
    return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
        return (static_cast<unsigned>(c) & 0xC0U) != 0x80U;
    }));
}

// What makes a message beside its content.
bool more_in(const json::object& o) {
    static constexpr std::array<const char*, 4> names{"embeds", "components", "sticker_ids",
                                                      "attachments"};
    return std::any_of(names.begin(), names.end(), [&](const char* name) {
        const json::value* v = o.if_contains(name);
        return v != nullptr && v->is_array() && !v->get_array().empty();
    });
}

}  // namespace

callback_reply refusal(unsigned status, int code, std::string_view text) {
    return {status, json::serialize(json::object{{"message", text}, {"code", code}})};
}

bool read_members(const json::object& o, message_body& into) {
    const json::value* given = o.if_contains("content");
    into.has_content = given != nullptr;
    if (given != nullptr && given->is_string()) into.content = given->get_string();
    if (given != nullptr && !given->is_string() && !given->is_null()) return false;
    if (characters(into.content) > longest_content) return false;
    into.has_more = more_in(o);
    const json::value* flags = o.if_contains("flags");
    into.ephemeral =
        flags != nullptr && flags->is_int64() && (flags->get_int64() & ephemeral_flag) != 0;
    return true;
}

std::optional<callback_reply> read_message(std::string_view text, message_body& into) {
    boost::system::error_code bad;
    const json::value v = json::parse({text.data(), text.size()}, bad);
    if (bad || !v.is_object())
        return refusal(400, 50109, "The request body contains invalid JSON.");
    if (!read_members(v.get_object(), into)) return refusal(400, 50035, "Invalid Form Body");
    return std::nullopt;
}

}  // namespace shardgate::sim
