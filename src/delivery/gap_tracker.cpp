// SPDX-License-Identifier: Apache-2.0
#include "delivery/gap_tracker.hpp"

#include <algorithm>
#include <charconv>

namespace shardgate {

void gap_tracker::on_shed(const victim& what, time_point now) {
    const auto [it, fresh] = runs_.try_emplace(key{what.gen, what.shard});
    changed_.insert(it->first);
    run& r = it->second;
    if (fresh) {
        r.shards = what.shards;
        r.from = r.to = what.received;
        r.began = now;
    }
    r.from = std::min(r.from, what.received);
    r.to = std::max(r.to, what.received);
    ++r.counts[what.event];
}

std::optional<gap> gap_tracker::take(bool relaxed, time_point now) {
    for (auto it = runs_.begin(); it != runs_.end(); ++it) {
        const run& r = it->second;
        if (untold_.contains(it->first)) continue;
        if (!relaxed && now < later(r.began, patience)) continue;
        gap g;
        g.gen = it->first.first;
        g.shard = it->first.second;
        g.shards = r.shards;
        g.from = r.from;
        g.to = r.to;
        for (const auto& [event, n] : r.counts)
            g.counts.emplace_back(event == event_id::unknown ? "UNKNOWN" : name_of(event), n);
        changed_.insert(it->first);
        runs_.erase(it);
        untold_.insert(key{g.gen, g.shard});
        return g;
    }
    return std::nullopt;
}

void gap_tracker::on_told(generation gen, shard_id shard) {
    untold_.erase(key{gen, shard});
}

// ---- kept over a restart -----------------------------------------------------------------------

namespace {

constexpr std::string_view prefix = "gap/";

// Reads the number that `text` begins with, and what follows it up to `end`.
template <class T>
bool take_number(std::string_view& text, char end, T& out) {
    const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
    if (read.ec != std::errc{}) return false;
    text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
    if (text.empty()) return end == '\0';
    if (text.front() != end) return false;
    text.remove_prefix(1);
    return true;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> gap_tracker::take_changes(bool told_too) {
    std::vector<std::pair<std::string, std::string>> out;
    std::set<key> later_on;
    for (const key& k : changed_) {
        if (!told_too && !runs_.contains(k)) {
            later_on.insert(k);
            continue;
        }
        std::string text;
        if (const auto it = runs_.find(k); it != runs_.end()) {
            const run& r = it->second;
            text = std::to_string(r.shards.value) + ' ' +
                   std::to_string(r.from.time_since_epoch().count()) + ' ' +
                   std::to_string(r.to.time_since_epoch().count());
            for (const auto& [event, n] : r.counts)
                text.append(" ").append(name_of(event)).append("=").append(std::to_string(n));
        }
        out.emplace_back(std::string(prefix) + std::to_string(k.first.value) + '/' +
                             std::to_string(k.second.value),
                         std::move(text));
    }
    changed_ = std::move(later_on);
    return out;
}

bool gap_tracker::restore(std::string_view name, std::string_view text, time_point now) {
    if (!name.starts_with(prefix)) return false;
    name.remove_prefix(prefix.size());
    key k;
    run r;
    std::int64_t from = 0, to = 0;
    if (text.empty() || !take_number(name, '/', k.first.value) ||
        !take_number(name, '\0', k.second.value) || !take_number(text, ' ', r.shards.value) ||
        !take_number(text, ' ', from) || !take_number(text, ' ', to))
        return true;
    r.from = wall_ms{std::chrono::milliseconds(from)};
    r.to = wall_ms{std::chrono::milliseconds(to)};
    r.began = now;
    while (!text.empty()) {
        const std::size_t end = text.find('=');
        if (end == std::string_view::npos) break;
        const event_id event = find_event(text.substr(0, end));
        text.remove_prefix(end + 1);
        std::uint64_t n = 0;
        const bool more = take_number(text, ' ', n);
        r.counts[event] += n;
        if (!more) break;
    }
    runs_.insert_or_assign(k, std::move(r));
    return true;
}

void gap_tracker::forget_kept() {
    for (const auto& item : runs_)
        changed_.insert(item.first);
}

}  // namespace shardgate
