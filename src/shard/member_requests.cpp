// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "shardgate/shard/member_requests.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "shardgate/shard/compose.hpp"

namespace shardgate {

member_requests::member_requests(std::string_view run, member_limits limits)
    : prefix_(std::string(own_nonce) + std::string(run.substr(0, 8)) + ":"), limits_(limits) {}

bool member_requests::is_ours(std::string_view nonce) noexcept {
    return nonce.starts_with(own_nonce);
}

member_requests::place member_requests::add(std::string key, std::shared_ptr<member_reader> reader,
                                            time_point now) {
    for (auto& [nonce, r] : requests_) {
        if (r.key != key || !r.whole || r.readers.size() >= limits_.readers) continue;
        bool reads = true;
        for (const chunk_text& c : r.chunks)
            reads = reads && reader->on_chunk(c);
        if (reads) r.readers.push_back(std::move(reader));
        ++stats_.shared;
        return {true, nonce};
    }
    if (requests_.size() >= limits_.requests) {
        ++stats_.refused;
        return {};
    }
    std::string nonce = prefix_ + std::to_string(next_++ % 10'000'000'000U);
    request& r = requests_[nonce];
    r.key = std::move(key);
    r.readers.push_back(std::move(reader));
    r.due = later(now, limits_.first);
    return {false, std::move(nonce)};
}

void member_requests::withdraw(std::string_view nonce) {
    if (const auto at = requests_.find(nonce); at != requests_.end()) requests_.erase(at);
    ++stats_.refused;
}

// Counted until the last who holds it lets go.
member_requests::chunk_text member_requests::keep(std::string_view d) const {
    auto text = std::make_unique<std::string>(d);
    // Between JSON's tokens only: inside a string they would be escaped.
    std::replace(text->begin(), text->end(), '\n', ' ');
    std::replace(text->begin(), text->end(), '\r', ' ');
    *unread_ += d.size();
    return {text.release(), [count = unread_](const std::string* s) {
                *count -= s->size();
                delete s;
            }};
}

void member_requests::on_chunk(const member_chunk& chunk, std::string_view d, time_point now) {
    const auto at = requests_.find(chunk.nonce);
    const bool sane = chunk.count > 0 && chunk.index < chunk.count && chunk.count <= limits_.chunks;
    if (at == requests_.end() || !sane) {
        ++stats_.late;
        return;
    }
    request& r = at->second;
    if (r.seen.size() < chunk.count) r.seen.resize(chunk.count);
    if (r.seen[chunk.index]) return;  // a resume brought it again
    r.seen[chunk.index] = true;
    ++r.seen_count;
    r.due = later(now, limits_.next);
    if (*unread_ + d.size() > limits_.unread) return end(at, members_end::too_slow);
    const chunk_text text = keep(d);
    std::erase_if(r.readers, [&](const auto& reader) { return !reader->on_chunk(text); });
    r.chunk_bytes += d.size();
    r.whole = r.whole && r.chunk_bytes <= limits_.kept;
    if (r.whole)
        r.chunks.push_back(text);
    else
        r.chunks.clear();
    if (r.seen_count == chunk.count) return end(at, members_end::complete);
    if (r.readers.empty() && !r.whole) {
        ++stats_.abandoned;
        requests_.erase(at);
    }
}

bool member_requests::on_rate_limited(std::string_view nonce, duration wait, time_point now) {
    const auto at = requests_.find(nonce);
    if (at == requests_.end()) return false;
    request& r = at->second;
    if (r.attempts < limits_.attempts && later(now, wait) < r.due) {
        ++r.attempts;
        return true;
    }
    end(at, members_end::rate_limited, wait);
    return false;
}

void member_requests::on_timer(time_point now) {
    for (auto at = requests_.begin(); at != requests_.end();) {
        const auto next = std::next(at);
        if (at->second.due <= now) end(at, members_end::timed_out);
        at = next;
    }
}

time_point member_requests::deadline() const noexcept {
    time_point first = never;
    for (const auto& [nonce, r] : requests_)
        first = std::min(first, r.due);
    return first;
}

void member_requests::end(requests::iterator at, members_end how, duration wait) {
    switch (how) {
    case members_end::complete: ++stats_.complete; break;
    case members_end::timed_out: ++stats_.timed_out; break;
    case members_end::rate_limited: ++stats_.rate_limited; break;
    case members_end::too_slow: ++stats_.too_slow; break;
    }
    const request done = std::move(at->second);
    requests_.erase(at);
    for (const auto& reader : done.readers)
        reader->on_end(how, wait);
}

}  // namespace shardgate
