// SPDX-License-Identifier: Apache-2.0
// Which members of `d` count for which event (Discord docs, Gateway Events, Receive Events).
#include "protocol/dispatch_reader.hpp"

#include <limits>

namespace shardgate {
namespace {

// The token goes into the path of a request, so it has to be what RFC 3986 allows in a path segment
// (pchar) without any escape.
bool is_path_segment(std::string_view token) {
    constexpr std::string_view marks = "-._~!$&'()*+,;=:@";
    for (const char c : token) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool digit = c >= '0' && c <= '9';
        if (!letter && !digit && marks.find(c) == std::string_view::npos) return false;
    }
    return true;
}

class reader {
public:
    reader(json::cursor& at, event_id event, const value_hasher* hasher, dispatch_fields& fields)
        : at_(at),
          event_(event),
          fields_(fields),
          hash_messages_(hasher != nullptr &&
                         (event == event_id::message_create || event == event_id::message_update)),
          fingerprint_(hasher) {}

    bool read() {
        const bool well_formed =
            at_.for_each_member([this](std::string_view key) { return member(key); });
        if (well_formed) finish();
        return well_formed;
    }

private:
    using hashed = message_fingerprint::member;

    bool is_guild_lifecycle() const {
        return event_ == event_id::guild_create || event_ == event_id::guild_delete;
    }

    bool member(std::string_view key) {
        switch (key.size()) {
        case 2:
            if (key == "id") return take_snowflake(at_, fields_.id);
            break;
        case 8:
            if (key == "guild_id") return other(), take_snowflake(at_, guild_id_);
            break;
        case 10:
            if (key == "channel_id") return other(), take_snowflake(at_, fields_.channel);
            break;
        case 11:
            if (key == "unavailable" && is_guild_lifecycle()) return unavailable();
            break;
        default: break;
        }
        other();
        if (hash_messages_) return message_member(key);
        if (event_ == event_id::interaction_create) return interaction_member(key);
        if (event_ == event_id::rate_limited && key == "meta") return meta();
        return at_.skip_value();
    }

    void other() { only_stub_ = false; }

    bool unavailable() {
        fields_.unavailable.reset();
        if (at_.peek() == 't') fields_.unavailable = true;
        if (at_.peek() == 'f') fields_.unavailable = false;
        return at_.skip_value();
    }

    bool meta() {
        guild_id_ = {};
        if (at_.peek() != '{') return at_.skip_value();
        return at_.for_each_member([this](std::string_view key) {
            return key == "guild_id" ? take_snowflake(at_, guild_id_) : at_.skip_value();
        });
    }

    bool message_member(std::string_view key) {
        switch (key.size()) {
        case 4: return key == "poll" ? add(hashed::poll) : at_.skip_value();
        case 5: return key == "flags" ? add(hashed::flags) : at_.skip_value();
        case 6: return key == "pinned" ? add(hashed::pinned) : at_.skip_value();
        case 7: return key == "content" ? add(hashed::content) : at_.skip_value();
        case 10: return key == "components" ? add(hashed::components) : at_.skip_value();
        case 11: return key == "attachments" ? add(hashed::attachments) : at_.skip_value();
        case 13: return key == "sticker_items" ? add(hashed::sticker_items) : at_.skip_value();
        case 16:
            return key == "edited_timestamp" ? add(hashed::edited_timestamp) : at_.skip_value();
        default: return at_.skip_value();
        }
    }

    bool add(hashed m) {
        const json::cursor value = at_;
        if (!at_.skip_value()) return false;
        fingerprint_.add(m, value);
        return true;
    }

    bool interaction_member(std::string_view key) {
        if (key == "type") {
            std::uint64_t type = 0;
            const bool known = !at_.done() && json::parse_unsigned(at_.scalar(), type) &&
                               type <= std::numeric_limits<std::uint32_t>::max();
            fields_.interaction_type = known ? static_cast<std::uint32_t>(type) : 0;
        } else if (key == "token") {
            fields_.interaction_token = {};
            if (at_.peek() == '"') {
                const std::string_view token = json::inside(at_.scalar());
                if (is_path_segment(token)) fields_.interaction_token = token;
            }
        } else if (key == "message") {
            fields_.interaction_has_message = at_.peek() == '{';
        }
        return at_.skip_value();
    }

    void finish() {
        const bool by_id = is_guild_lifecycle() || event_ == event_id::guild_update;
        fields_.guild = by_id ? fields_.id : guild_id_;
        fields_.only_stub = event_ == event_id::guild_create && only_stub_;
        if (!hash_messages_) return;
        fields_.edit_fingerprint = fingerprint_.of_edits();
        fields_.content_fingerprint = fingerprint_.of_content();
        fields_.has_content = fingerprint_.has_content();
        fields_.has_editable = fingerprint_.has_any();
    }

    json::cursor& at_;
    event_id event_;
    dispatch_fields& fields_;
    bool hash_messages_;
    message_fingerprint fingerprint_;
    snowflake guild_id_{};
    bool only_stub_ = true;
};

}  // namespace

bool take_snowflake(json::cursor& at, snowflake& id) {
    id = {};
    if (at.done()) return false;
    const char first = at.peek();
    if (first == '{' || first == '[') return at.skip_value();
    std::string_view digits = at.scalar();
    if (first == '"') digits = json::inside(digits);
    std::uint64_t value = 0;
    if (json::parse_unsigned(digits, value)) id = snowflake(value);
    return at.skip_value();
}

bool read_dispatch(json::cursor& at, event_id event, const value_hasher* hasher,
                   dispatch_fields& fields) {
    fields = {};
    if (at.peek() != '{') return at.skip_value();
    return reader(at, event, hasher, fields).read();
}

}  // namespace shardgate
