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
    reader(const json::cursor& at, event_id event, const value_hasher* hasher,
           dispatch_fields& fields)
        : at_(at),
          event_(event),
          fields_(fields),
          hash_messages_(hasher != nullptr &&
                         (event == event_id::message_create || event == event_id::message_update)),
          fingerprint_(hasher) {}

    [[nodiscard]] const json::cursor& behind() const { return at_; }

    bool run() {
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
        if (snowflake* const id = id_of(key)) {
            if (id != &fields_.id) other();
            return take_snowflake(at_, *id);
        }
        if (key == "unavailable" && is_guild_lifecycle()) return unavailable();
        other();
        if (hash_messages_) return message_member(key);
        if (event_ == event_id::interaction_create) return interaction_member(key);
        if (event_ == event_id::rate_limited && key == "meta") return meta();
        return at_.skip_value();
    }

    // Where a member goes that is an id for every event; else null.
    snowflake* id_of(std::string_view key) {
        switch (key.size()) {
        case 2: return key == "id" ? &fields_.id : nullptr;
        case 8: return key == "guild_id" ? &guild_id_ : nullptr;
        case 10: return key == "channel_id" ? &fields_.channel : nullptr;
        default: return nullptr;
        }
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
        const unsigned m = hashed_member(key);
        if (m == message_fingerprint::member_count) return at_.skip_value();
        if (at_.skip_empty()) return fingerprint_.add_missing(hashed(m)), true;
        const json::cursor value = at_;
        if (!at_.skip_value()) return false;
        fingerprint_.add(hashed(m), value);
        return true;
    }

    // The member that `key` names; member_count when none.
    static unsigned hashed_member(std::string_view key) {
        constexpr unsigned none = message_fingerprint::member_count;
        const auto is = [key](std::string_view name, hashed m) {
            return key == name ? static_cast<unsigned>(m) : none;
        };
        switch (key.size()) {
        case 4: return is("poll", hashed::poll);
        case 5: return is("flags", hashed::flags);
        case 6: return is("pinned", hashed::pinned);
        case 7: return is("content", hashed::content);
        case 10: return is("components", hashed::components);
        case 11: return is("attachments", hashed::attachments);
        case 13: return is("sticker_items", hashed::sticker_items);
        case 16: return is("edited_timestamp", hashed::edited_timestamp);
        default: return none;
        }
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

    json::cursor at_;  // a copy, so that it can stay in registers
    event_id event_;
    dispatch_fields& fields_;
    bool hash_messages_;
    message_fingerprint fingerprint_;
    snowflake guild_id_{};
    bool only_stub_ = true;
};

}  // namespace

bool read_dispatch(json::cursor& at, event_id event, const value_hasher* hasher,
                   dispatch_fields& fields) {
    fields = {};
    if (at.peek() != '{') return at.skip_value();
    reader read(at, event, hasher, fields);
    if (!read.run()) return false;
    at = read.behind();
    return true;
}

}  // namespace shardgate
