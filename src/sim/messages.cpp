// SPDX-License-Identifier: Apache-2.0
#include "sim/messages.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>

#include "sim/json_text.hpp"
#include "sim/message_body.hpp"
#include "sim/payloads.hpp"

namespace shardgate::sim {

namespace json = boost::json;

callback_reply messages::post(std::string_view channel, std::string_view body,
                              std::int64_t unix_ms) {
    std::uint64_t to = 0;
    const auto [end, ec] = std::from_chars(channel.data(), channel.data() + channel.size(), to);
    if (ec != std::errc() || end != channel.data() + channel.size() || !world_.has_channel(to))
        return refusal(404, 10003, "Unknown Channel");
    message_body said;
    if (auto no = read_message(body, said)) return std::move(*no);
    if (said.content.empty() && !said.has_more)
        return refusal(400, 50006, "Cannot send an empty message");
    written m;
    m.content = std::move(said.content);
    m.id = ids_.next(unix_ms);
    m.channel = to;
    std::string text;
    json_text w(text);
    w(R"({"type":0,"tts":false,"timestamp":")")
        .stamp(unix_ms)(R"(","pinned":false,"mentions":[],)");
    w(R"("mention_roles":[],"mention_everyone":false,"id":)").id(m.id);
    w(R"(,"flags":0,"embeds":[],"edited_timestamp":null,"content":)");
    w(json::serialize(json::value(m.content)))(R"(,"components":[],"channel_id":)").id(to);
    w(R"(,"author":)");
    write_bot(w);
    w(R"(,"attachments":[]})");
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
