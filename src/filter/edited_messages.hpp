// SPDX-License-Identifier: Apache-2.0
// Tells a MESSAGE_UPDATE that changes something from one that does not: the seeds' editedMessages
// (docs/filtering.md). Owner: filter_stage. Pure.
#pragma once

#include <cstddef>

#include "filter/edit_cache.hpp"
#include "shardgate/config/config.hpp"
#include "shardgate/protocol/dispatch.hpp"

namespace shardgate {

class edited_messages {
public:
    edited_messages(config::edited_messages_mode mode, std::size_t capacity);

    // To be told of every MESSAGE_CREATE, MESSAGE_UPDATE and MESSAGE_DELETE, the ones that a name
    // rule drops too. True: an update that changes nothing.
    [[nodiscard]] bool is_unchanged(const dispatch& event);
    [[nodiscard]] std::size_t size() const noexcept { return cache_.size(); }

private:
    [[nodiscard]] bool update_is_unchanged(const dispatch_fields& fields);
    void remember(const dispatch_fields& fields);
    [[nodiscard]] std::uint64_t fingerprint_of(const dispatch_fields& fields) const noexcept;

    config::edited_messages_mode mode_;
    edit_cache cache_;
};

}  // namespace shardgate
