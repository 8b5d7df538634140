// SPDX-License-Identifier: Apache-2.0
// Events and requests for the sink's tests.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "shardgate/delivery/delivery.hpp"

namespace shardgate::testing {

// A dispatch as the filter passes it on; the copy is delivery's.
inline event_ptr sample_event(std::uint64_t seq, std::string_view name = "MESSAGE_CREATE",
                              std::string_view d = R"({"a":1})",
                              std::string_view session_id = "abc",
                              guild_mark mark = guild_mark::none) {
    const session_handle session = std::make_shared<const std::string>(session_id);
    const std::string frame = R"({"t":")" + std::string(name) + R"(","s":)" + std::to_string(seq) +
                              R"(,"op":0,"d":)" + std::string(d) + "}";
    dispatch out;
    out.shard = shard_id{3};
    out.shards = shard_count{16};
    out.session = &session;
    out.seq = seq_no{seq};
    out.event = find_event(name);
    out.name = name;
    out.frame = frame;
    out.d = std::string_view(frame).substr(frame.size() - 1 - d.size(), d.size());
    out.mark = mark;
    return queued_event::from(out);
}

inline delivery_request sample_request(std::uint64_t id, event_ptr event, std::size_t url = 0) {
    delivery_request out;
    out.id = id;
    out.url = url;
    delivery_item item;
    item.event = std::move(event);
    out.items.push_back(std::move(item));
    return out;
}

inline delivery_request sample_request(std::uint64_t id, std::size_t url = 0) {
    return sample_request(id, sample_event(id), url);
}

}  // namespace shardgate::testing
