// SPDX-License-Identifier: Apache-2.0
#include "reshard/twin_marks.hpp"

#include <algorithm>

namespace shardgate {

void twin_marks::add(item i) {
    if (limit_ == 0) return;
    // Nobody has asked for long: there is nothing on disk to be marked.
    if (items_.size() >= limit_) items_.pop_front();
    items_.push_back(i);
}

twin_marks::item* twin_marks::find(seq_no seq) {
    const auto it = std::lower_bound(items_.begin(), items_.end(), seq,
                                     [](const item& i, seq_no s) { return i.seq < s; });
    return it == items_.end() || it->seq != seq ? nullptr : &*it;
}

void twin_marks::met(seq_no seq, shard_id shard, seq_no twin, std::uint32_t session) {
    item* const i = find(seq);
    if (i == nullptr) return;
    i->is = what::twin;
    i->shard = shard;
    i->twin = twin;
    i->session = session;
}

void twin_marks::done(seq_no seq) {
    if (item* const i = find(seq)) i->is = what::done;
}

std::optional<seq_no> twin_marks::first_unsafe(const query& unsafe) {
    while (!items_.empty()) {
        const item& i = items_.front();
        if (i.is == what::held) return i.seq;
        if (i.is == what::twin) {
            const auto first = unsafe(i.shard, i.session);
            if (first && *first <= i.twin) return i.seq;
        }
        items_.pop_front();
    }
    return std::nullopt;
}

}  // namespace shardgate
