// SPDX-License-Identifier: Apache-2.0
#include "sim/webhooks.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>

#include "sim/json_text.hpp"
#include "sim/payloads.hpp"

namespace shardgate::sim {

namespace {

namespace json = boost::json;

constexpr std::string_view prefix = "/webhooks/";
constexpr std::string_view original_name = "@original";

std::optional<std::uint64_t> number_of(std::string_view text) {
    std::uint64_t n = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return n;
}

}  // namespace

void webhooks::answered(snowflake interaction, std::string_view body, const moment& now) {
    const open_interaction* on = interactions_.find(interaction);
    if (on == nullptr) return;
    // Autocomplete choices, modals and the like leave no message.
    const bool written = on->answer == 4, deferred = on->answer == 5;
    const bool component = on->answer == 6 || on->answer == 7;
    if (!written && !deferred && !component) return;
    message_body said;
    boost::system::error_code bad;
    const json::value v = json::parse({body.data(), body.size()}, bad);
    const json::value* data = !bad && v.is_object() ? v.get_object().if_contains("data") : nullptr;
    if (data != nullptr && data->is_object())
        static_cast<void>(read_members(data->get_object(), said));
    reply m;
    m.id = component ? component_message(interaction.value) : ids_.next(now.unix_ms);
    m.interaction = interaction;
    m.channel = on->channel;
    m.content = std::move(said.content);
    m.written_ms = now.unix_ms;
    m.original = true;
    m.loading = deferred;
    m.ephemeral = !component && said.ephemeral;  // decided now, for good
    originals_[interaction] = keep(std::move(m)).id;
}

std::optional<webhooks::target> webhooks::read_target(std::string_view path) {
    path.remove_prefix(prefix.size());
    const std::size_t slash = path.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    target to;
    to.application = path.substr(0, slash);
    to.token = path.substr(slash + 1);
    const std::size_t end = to.token.find('/');
    if (end != std::string_view::npos) {
        constexpr std::string_view below = "/messages/";
        const std::string_view rest = to.token.substr(end);
        to.token = to.token.substr(0, end);
        if (!rest.starts_with(below)) return std::nullopt;
        to.message = rest.substr(below.size());
        if (to.message != original_name && !number_of(to.message)) return std::nullopt;
    }
    if (to.token.empty()) return std::nullopt;
    return to;
}

std::optional<callback_reply> webhooks::refuse(const target& to, time_point now) {
    const auto webhook = number_of(to.application);
    if (!webhook || *webhook != application_id()) {
        ++counts_.unknown_webhook;
        return refusal(404, 10015, "Unknown Webhook");
    }
    const open_interaction* on = interactions_.find(to.token);
    if (on == nullptr) {
        ++counts_.unknown_token;
        return refusal(401, 50027, "Invalid Webhook Token");
    }
    if (now - on->created > options_.scaled(options_.gateway.interaction_life)) {
        ++counts_.expired;
        return refusal(401, 50027, "Invalid Webhook Token");
    }
    // Choices are all that autocomplete is ever told.
    if (!on->answered || on->type == 4) {
        ++counts_.too_early;
        return refusal(404, 10015, "Unknown Webhook");
    }
    return std::nullopt;
}

callback_reply webhooks::answer(const http_call& call, std::string_view path, const moment& now) {
    const auto to = read_target(path);
    if (!to) return refusal(404, 0, "404: Not Found");
    const bool creates = to->message.empty();
    const bool fits =
        creates ? call.method == "POST"
                : call.method == "GET" || call.method == "PATCH" || call.method == "DELETE";
    if (!fits) return refusal(405, 0, "405: Method Not Allowed");
    if (auto no = refuse(*to, now.at)) return std::move(*no);
    const open_interaction& on = *interactions_.find(to->token);
    if (creates) return create(call, on, now);
    reply* m = find(on.id, to->message);
    if (m == nullptr) {
        ++counts_.unknown_message;
        return refusal(404, 10008, "Unknown Message");
    }
    return touch(call, *m, now);
}

std::optional<callback_reply> webhooks::read(const http_call& call, message_body& into) {
    auto no = call.content_type.starts_with("application/json")
                  ? read_message(call.body, into)
                  : std::optional(refusal(400, 50035, "Invalid Form Body"));
    if (no) ++counts_.malformed;
    return no;
}

callback_reply webhooks::create(const http_call& call, const open_interaction& on,
                                const moment& now) {
    message_body body;
    if (auto no = read(call, body)) return std::move(*no);
    if (body.content.empty() && !body.has_more) {
        ++counts_.malformed;
        return refusal(400, 50006, "Cannot send an empty message");
    }
    // Right after a deferral it is the message that was promised (fact sheet 2.6).
    reply* original = find(on.id, original_name);
    if (original != nullptr && original->loading) {
        fill(*original, body, now.unix_ms);
        return {200, text(*original)};
    }
    reply m;
    m.id = ids_.next(now.unix_ms);
    m.interaction = on.id;
    m.channel = on.channel;
    m.content = std::move(body.content);
    m.written_ms = now.unix_ms;
    m.ephemeral = body.ephemeral;
    ++counts_.created;
    return {200, text(keep(std::move(m)))};
}

callback_reply webhooks::touch(const http_call& call, reply& m, const moment& now) {
    if (call.method == "GET") {
        ++counts_.read;
        return {200, text(m)};
    }
    if (call.method == "DELETE") {
        ++counts_.deleted;
        m.deleted = true;
        return {};
    }
    message_body body;
    if (auto no = read(call, body)) return std::move(*no);
    const bool empties = m.loading || body.has_content ? body.content.empty() : false;
    if (empties && !body.has_more) {
        ++counts_.malformed;
        return refusal(400, 50006, "Cannot send an empty message");
    }
    fill(m, body, now.unix_ms);
    return {200, text(m)};
}

void webhooks::fill(reply& m, const message_body& body, std::int64_t unix_ms) {
    if (body.has_content) m.content = body.content;
    if (m.loading) {
        ++counts_.filled;
        m.loading = false;
    } else {
        ++counts_.edited;
        ++m.edits;
        m.edited_ms = unix_ms;
    }
}

webhooks::reply* webhooks::find(snowflake interaction, std::string_view message) {
    std::uint64_t id = 0;
    if (message == original_name) {
        const auto known = originals_.find(interaction);
        if (known == originals_.end()) return nullptr;
        id = known->second;
    } else {
        id = number_of(message).value_or(0);
    }
    const auto at = replies_.find(id);
    if (at == replies_.end() || at->second.deleted || at->second.interaction != interaction)
        return nullptr;
    return &at->second;
}

webhooks::reply& webhooks::keep(reply made) {
    while (order_.size() >= kept) {
        const auto oldest = replies_.find(order_.front());
        order_.pop_front();
        ++counts_.forgotten;
        if (oldest == replies_.end()) continue;
        if (oldest->second.original) originals_.erase(oldest->second.interaction);
        replies_.erase(oldest);
    }
    const std::uint64_t id = made.id;
    order_.push_back(id);
    return replies_.insert_or_assign(id, std::move(made)).first->second;
}

std::string webhooks::text(const reply& m) {
    std::string out;
    json_text w(out);
    const unsigned flags = (m.ephemeral ? 64U : 0U) | (m.loading ? 128U : 0U);
    w(R"({"webhook_id":)").id(application_id())(R"(,"type":)")(m.original ? "20" : "0");
    w(R"(,"tts":false,"timestamp":")").stamp(m.written_ms)(R"(","pinned":false,"mentions":[],)");
    w(R"("mention_roles":[],"mention_everyone":false,"interaction_metadata":{"id":)");
    w.id(m.interaction.value)(R"(},"id":)").id(m.id)(R"(,"flags":)").number(flags);
    w(R"(,"embeds":[],"edited_timestamp":)");
    if (m.edits == 0)
        w("null");
    else
        w("\"").stamp(m.edited_ms)("\"");
    w(R"(,"content":)")(json::serialize(json::value(m.content)));
    w(R"(,"components":[],"channel_id":)").id(m.channel)(R"(,"author":)");
    write_bot(w);
    w(R"(,"attachments":[],"application_id":)").id(application_id())("}");
    return out;
}

json::array webhooks::list() const {
    json::array out;
    for (std::size_t i = order_.size() - std::min(order_.size(), listed); i < order_.size(); ++i) {
        const reply& m = replies_.at(order_[i]);
        out.push_back(json::object{{"id", std::to_string(m.id)},
                                   {"interaction", std::to_string(m.interaction.value)},
                                   {"channel_id", std::to_string(m.channel)},
                                   {"content", m.content},
                                   {"original", m.original},
                                   {"loading", m.loading},
                                   {"ephemeral", m.ephemeral},
                                   {"edits", m.edits},
                                   {"deleted", m.deleted}});
    }
    return out;
}

json::object webhooks::report() const {
    const counts& c = counts_;
    return {{"created", c.created},
            {"filled", c.filled},
            {"edited", c.edited},
            {"read", c.read},
            {"deleted", c.deleted},
            {"too_early", c.too_early},
            {"expired", c.expired},
            {"unknown_token", c.unknown_token},
            {"unknown_webhook", c.unknown_webhook},
            {"unknown_message", c.unknown_message},
            {"malformed", c.malformed},
            {"kept", order_.size()},
            {"forgotten", c.forgotten}};
}

void webhooks::clear() {
    replies_.clear();
    order_.clear();
    originals_.clear();
    counts_ = {};
}

}  // namespace shardgate::sim
