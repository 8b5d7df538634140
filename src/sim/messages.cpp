// SPDX-License-Identifier: Apache-2.0
#include "sim/messages.hpp"

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>

#include "sim/json_text.hpp"
#include "sim/payloads.hpp"

namespace shardgate::sim {

namespace {

namespace json = boost::json;

constexpr std::size_t longest_content = 2000;  // characters

callback_reply error(unsigned status, int code, std::string_view text) {
    return {status, json::serialize(json::object{{"message", text}, {"code", code}})};
}

// Code points: bytes that do not go on with one.
std::size_t characters(std::string_view utf8) {
    return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
        return (static_cast<unsigned>(c) & 0xC0U) != 0x80U;
    }));
}

// What makes a message beside its content.
bool has_more(const json::object& o) {
    static constexpr std::array<const char*, 4> names{"embeds", "components", "sticker_ids",
                                                      "attachments"};
    return std::any_of(names.begin(), names.end(), [&](const char* name) {
        const json::value* v = o.if_contains(name);
        return v != nullptr && v->is_array() && !v->get_array().empty();
    });
}

}  // namespace

callback_reply messages::post(std::string_view channel, std::string_view body,
                              std::int64_t unix_ms) {
    std::uint64_t to = 0;
    const auto [end, ec] = std::from_chars(channel.data(), channel.data() + channel.size(), to);
    if (ec != std::errc() || end != channel.data() + channel.size() || !world_.has_channel(to))
        return error(404, 10003, "Unknown Channel");
    boost::system::error_code bad;
    const json::value v = json::parse({body.data(), body.size()}, bad);
    if (bad || !v.is_object()) return error(400, 50109, "The request body contains invalid JSON.");
    const json::object& o = v.get_object();
    const json::value* given = o.if_contains("content");
    if (given != nullptr && !given->is_string() && !given->is_null())
        return error(400, 50035, "Invalid Form Body");
    written m;
    if (given != nullptr && given->is_string()) m.content = given->get_string();
    if (characters(m.content) > longest_content) return error(400, 50035, "Invalid Form Body");
    if (m.content.empty() && !has_more(o)) return error(400, 50006, "Cannot send an empty message");
    m.id = ids_.next(unix_ms);
    m.channel = to;
    std::string text;
    json_text w(text);
    w(R"({"type":0,"tts":false,"timestamp":")")
        .stamp(unix_ms)(R"(","pinned":false,"mentions":[],)");
    w(R"("mention_roles":[],"mention_everyone":false,"id":)").id(m.id);
    w(R"(,"flags":0,"embeds":[],"edited_timestamp":null,"content":)");
    w(json::serialize(json::value(m.content)))(R"(,"components":[],"channel_id":)").id(to);
    w(R"(,"author":{"username":"simulated","id":)").id(user_id(1, 0));
    w(R"(,"global_name":null,"discriminator":"0001","bot":true,"avatar":null},"attachments":[]})");
    if (newest_.size() >= kept) newest_.pop_front();
    newest_.push_back(std::move(m));
    return {200, std::move(text)};
}

json::array messages::list() const {
    json::array out;
    for (const written& m : newest_)
        out.push_back(json::object{{"id", std::to_string(m.id)},
                                   {"channel_id", std::to_string(m.channel)},
                                   {"content", m.content}});
    return out;
}

}  // namespace shardgate::sim
