// SPDX-License-Identifier: Apache-2.0
#include "app/event_tap.hpp"

#include <string_view>

namespace shardgate {

namespace {

// Our own frames are {"op":0,"t":NAME,"s":null,"d":D} (queued_event::own).
std::string_view payload_of(std::string_view frame) {
    constexpr std::string_view before = R"("s":null,"d":)";
    const std::size_t at = frame.find(before);
    if (at == std::string_view::npos || frame.back() != '}') return {};
    frame.remove_prefix(at + before.size());
    frame.remove_suffix(1);
    return frame;
}

}  // namespace

void event_tap::on_push(const dispatch& event) {
    watched_event seen;
    seen.name = event.forward_as.empty() ? event.name : event.forward_as;
    seen.shard = event.shard.value;
    seen.shards = event.shards.value;
    seen.generation = event.gen.value;
    seen.guild = event.fields.guild.value;
    seen.channel = event.fields.channel.value;
    seen.seq = event.seq.value;
    seen.received = event.received_wall;
    seen.mark = name_of(event.mark);
    seen.d = event.d;
    watcher_->on_event(seen);
}

void event_tap::on_push_own(const queued_event& event) {
    watched_event seen;
    seen.name = event.name();
    seen.shard = event.shard.value;
    seen.shards = event.shards.value;
    seen.generation = event.gen.value;
    seen.guild = event.guild.value;
    seen.channel = event.channel.value;
    seen.received = event.received_wall;
    seen.d = payload_of(event.frame());
    watcher_->on_event(seen);
}

}  // namespace shardgate
