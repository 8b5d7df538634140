// SPDX-License-Identifier: Apache-2.0
#include "shardgate/reshard/identity_keys.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace shardgate {

namespace {

// More than any set has; what is longer was not written by us.
constexpr std::size_t most_shards = 65536;

bool take(std::string_view& text, std::uint64_t& out) {
    while (!text.empty() && text.front() == ' ')
        text.remove_prefix(1);
    const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
    if (read.ec != std::errc{}) return false;
    text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
    return true;
}

}  // namespace

std::string text_of(const key_ranges& ranges) {
    std::string out = std::to_string(ranges.when);
    for (const key_range& r : ranges.of)
        out += ' ' + std::to_string(r.from) + ' ' + std::to_string(r.until);
    return out;
}

std::optional<key_ranges> read_key_ranges(std::string_view text) {
    key_ranges out;
    if (!take(text, out.when)) return std::nullopt;
    key_range r;
    while (take(text, r.from)) {
        if (!take(text, r.until) || out.of.size() >= most_shards) return std::nullopt;
        out.of.push_back(r);
    }
    if (!text.empty()) return std::nullopt;
    return out;
}

void identity_keys::set(generation gen, key_ranges ranges) {
    forget(gen);
    sets_.emplace_back(gen, std::move(ranges));
}

void identity_keys::forget(generation gen) {
    std::erase_if(sets_, [&](const auto& s) { return s.first == gen; });
    if (!sets_.empty()) return;
    occurrences_ = {};
    uncounted_ = 0;
}

const key_ranges* identity_keys::of(generation gen) const noexcept {
    const auto it =
        std::find_if(sets_.begin(), sets_.end(), [&](const auto& s) { return s.first == gen; });
    return it == sets_.end() ? nullptr : &it->second;
}

void identity_keys::on_new_session(generation gen, shard_id shard) {
    for (auto& [of, ranges] : sets_) {
        if (of != gen || shard.value >= ranges.of.size()) continue;
        key_range& r = ranges.of[shard.value];
        // Within the windows a new session's events have twins like any other's.
        r = r.until == UINT64_MAX ? key_range{} : key_range{0, 0};
    }
}

bool identity_keys::wants(generation gen, shard_id shard, seq_no seq) const noexcept {
    const key_ranges* const ranges = of(gen);
    if (ranges == nullptr || shard.value >= ranges->of.size()) return false;
    const key_range& r = ranges->of[shard.value];
    return seq.value >= r.from && seq.value < r.until;
}

std::string_view identity_keys::next(generation gen, const event_identity& id) {
    const key_ranges* const ranges = of(gen);
    const std::uint64_t when = ranges == nullptr ? 0 : ranges->when;
    if (std::exchange(counted_for_, when) != when) {
        occurrences_ = {};
        uncounted_ = 0;
    }
    std::uint32_t n = 1;
    if (!id.unique) {
        const auto it = occurrences_.find(id);
        if (it != occurrences_.end())
            n = ++it->second;
        else if (occurrences_.size() < remembered)
            occurrences_.emplace(id, n);
        else  // a number that nobody else has is better than one twice
            n = (1U << 31) + ++uncounted_;
    }
    key_.clear();
    append_key(key_, id, when, n);
    return key_;
}

}  // namespace shardgate
