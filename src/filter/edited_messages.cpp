// SPDX-License-Identifier: Apache-2.0
// What the cache learns from each message event (Discord docs, Gateway Events, Message Update).
#include "filter/edited_messages.hpp"

namespace shardgate {

using config::edited_messages_mode;

edited_messages::edited_messages(edited_messages_mode mode, std::size_t capacity)
    : mode_(mode), cache_(mode == edited_messages_mode::off ? 0 : capacity) {}

bool edited_messages::is_unchanged(const dispatch& event) {
    if (mode_ == edited_messages_mode::off || event.fields.id == snowflake{}) return false;
    switch (event.event) {
    case event_id::message_create: remember(event.fields); return false;
    case event_id::message_update: return update_is_unchanged(event.fields);
    case event_id::message_delete: cache_.erase(event.fields.id); return false;
    default: return false;
    }
}

bool edited_messages::update_is_unchanged(const dispatch_fields& fields) {
    if (fields.edit_fingerprint == 0) return false;  // not computed: nothing can be said
    const std::uint64_t known = cache_.find(fields.id);
    if (fields.has_content) {
        const bool unchanged = known != 0 && known == fingerprint_of(fields);
        if (!unchanged) remember(fields);
        return unchanged;
    }
    // A partial update (Discord sent them until 2024 and still may) says nothing of what it lacks.
    // With embeds alone it is an unfurl. With more, what it leaves of the message is not known.
    if (mode_ == edited_messages_mode::content) return false;
    if (!fields.has_editable) return known != 0;
    cache_.erase(fields.id);
    return false;
}

void edited_messages::remember(const dispatch_fields& fields) {
    const std::uint64_t fingerprint = fingerprint_of(fields);
    if (fields.has_content && fingerprint != 0) cache_.put(fields.id, fingerprint);
}

std::uint64_t edited_messages::fingerprint_of(const dispatch_fields& fields) const noexcept {
    return mode_ == edited_messages_mode::content ? fields.content_fingerprint
                                                  : fields.edit_fingerprint;
}

}  // namespace shardgate
