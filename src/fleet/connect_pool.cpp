// SPDX-License-Identifier: Apache-2.0
#include "shardgate/fleet/connect_pool.hpp"

#include <utility>

namespace shardgate {

connect_pool::ticket connect_pool::acquire(bool resuming, std::function<void()> go) {
    const ticket t = ++last_;
    waiting_.emplace(t, std::move(go));
    (resuming ? resumes_ : identifies_).push_back(t);
    serve();
    return t;
}

void connect_pool::release(ticket t) {
    if (holders_.erase(t) != 0)
        --held_;
    else
        waiting_.erase(t);
    serve();
}

void connect_pool::serve() {
    if (serving_) return;  // a served shard may give its place back from inside `go`
    serving_ = true;
    while (held_ < slots_) {
        auto& line = resumes_.empty() ? identifies_ : resumes_;
        if (line.empty()) break;
        const ticket t = line.front();
        line.pop_front();
        const auto it = waiting_.find(t);
        if (it == waiting_.end()) continue;  // left the line meanwhile
        auto go = std::move(it->second);
        waiting_.erase(it);
        holders_.insert(t);
        ++held_;
        go();
    }
    serving_ = false;
}

}  // namespace shardgate
