// SPDX-License-Identifier: Apache-2.0
// What must hold in the random world, whatever happens.
#include <charconv>

#include "unit/delivery/random_world.hpp"

namespace shardgate::testing {

std::string random_world::key_of(const queued_event& e) {
    std::string key;
    e.append_key(key);
    return key;
}

// Of an event that the core made itself.
std::string random_world::lane_of(const queued_event& e) {
    const std::string shard = "s" + std::to_string(e.shard.value);
    switch (handler.ordering) {
    case config::ordering_mode::none: return "n" + std::to_string(++single_lanes);
    case config::ordering_mode::shard: return shard;
    case config::ordering_mode::guild: break;
    }
    if (e.guild.value != 0) return "g" + std::to_string(e.guild.value);
    return e.channel.value != 0 ? "c" + std::to_string(e.channel.value) : shard;
}

void random_world::add(const std::string& key, event e) {
    e.place = ++last_place;
    open_in_lane[e.lane].emplace(e.place, key);
    open_in_shard[e.shard].emplace(e.place, key);
    if (e.fence) fences_in_shard[e.shard].emplace(e.place, key);
    events.insert_or_assign(key, std::move(e));
}

void random_world::close(const std::string& key) {
    event& e = events.at(key);
    EXPECT_TRUE(e.open) << key << " was settled twice";
    EXPECT_FALSE(e.in_flight) << key << " was settled in flight";
    e.open = false;
    if (e.place == 0) {  // made by the core
        core_gaps[e.shard].erase(key);
        return;
    }
    open_in_lane[e.lane].erase(e.place);
    open_in_shard[e.shard].erase(e.place);
    fences_in_shard[e.shard].erase(e.place);
}

void random_world::on_settled(const queued_event& settled_one, settled_as how) {
    const std::string key = key_of(settled_one);
    ++fates_seen[how];
    ASSERT_TRUE(events.contains(key)) << key;
    const event& e = events.at(key);
    EXPECT_FALSE(e.own) << "the listener hears of Discord's events only";
    close(key);
    if (how != settled_as::shed) return;
    const auto name = name_of(settled_one.event);
    ++shed_names[name.empty() ? "UNKNOWN" : std::string(name)];
    for (const auto& [lane, open] : open_in_lane)
        for (const auto& [place, other] : open) {
            const event& o = events.at(other);
            EXPECT_TRUE(o.own || o.in_flight || o.rank >= e.rank)
                << key << " was shed before " << other;
        }
}

void random_world::check_start(delivery_request r) {
    EXPECT_FALSE(paused);
    flight f;
    f.url = url_epoch * 100 + r.url;
    std::size_t in_flight = 1;
    for (const flight& other : flights)
        in_flight += other.url == f.url ? 1U : 0U;
    EXPECT_LE(in_flight, std::size_t{handler.connections} * handler.pipelining);
    ASSERT_FALSE(r.items.empty());
    EXPECT_LE(r.items.size(), handler.batch_events);
    for (const delivery_item& item : r.items)
        check_item(item, f);
    f.request = std::move(r);
    flights.push_back(std::move(f));
}

void random_world::check_item(const delivery_item& item, flight& f) {
    const std::string key = key_of(*item.event);
    auto at = events.find(key);
    if (at == events.end()) {
        ASSERT_TRUE(item.event->is_own()) << key << " came from nowhere";
        event made;
        made.shard = item.event->shard.value;
        made.lane = lane_of(*item.event);
        made.fence = item.event->name() == "SHARDGATE_GAP";
        made.own = true;
        at = events.emplace(key, made).first;
    }
    event& e = at->second;
    EXPECT_TRUE(e.open) << key;
    EXPECT_FALSE(e.in_flight) << key;
    EXPECT_EQ(item.attempt, ++e.attempts) << key;
    if (handler.ordering != config::ordering_mode::none) {
        for (const flight& other : flights)
            for (const std::string& under_way : other.keys)
                EXPECT_NE(events.at(under_way).lane, e.lane) << "two requests of a lane";
    }
    // The first that are open in its lane, in their order.
    for (const auto& [place, other] : open_in_lane[e.lane]) {
        if (e.place == 0 || place >= e.place) break;
        EXPECT_TRUE(events.at(other).in_flight) << key << " overtakes " << other;
    }
    check_fences(e);
    e.in_flight = true;
    if (e.place == 0 && e.fence) core_gaps[e.shard].insert(key);
    f.keys.push_back(key);
}

void random_world::check_fences(const event& e) {
    for (const std::string& gap : core_gaps[e.shard])
        EXPECT_EQ(&events.at(gap), &e) << "sent while a gap event is open";
    const places& fences = fences_in_shard[e.shard];
    if (e.place == 0) {
        if (!e.fence) return;
        for (const auto& [place, other] : open_in_shard[e.shard])
            EXPECT_FALSE(events.at(other).in_flight) << "a gap event beside " << other;
        return;
    }
    if (!fences.empty()) {
        EXPECT_GE(fences.begin()->first, e.place) << "sent before " << fences.begin()->second;
    }
    if (e.fence) {
        EXPECT_EQ(open_in_shard[e.shard].begin()->first, e.place);
    }
}

void random_world::check_accepted(const queued_event& accepted) {
    const event& e = events.at(key_of(accepted));
    if (e.place == 0 || handler.ordering == config::ordering_mode::none) return;
    EXPECT_GT(e.place, highest[e.lane]) << key_of(accepted) << " was accepted out of order";
    highest[e.lane] = e.place;
}

std::uint64_t random_world::dead_total() const {
    const delivery_snapshot s = core->snapshot();
    return s.dead_letters + s.dead_letters_dropped + dead_gone;
}

std::string random_world::describe(const delivery_snapshot& s) {
    std::string text = std::to_string(s.events) + " events";
    for (const url_snapshot& u : s.urls)
        text += "; " + u.url + " " + std::string(name_of(u.state)) + ", " +
                std::to_string(u.in_flight) + " of " + std::to_string(u.window) + " in flight";
    return text;
}

void random_world::check_state() {
    const delivery_snapshot s = core->snapshot();
    std::uint64_t shed = 0;
    for (const auto n : s.shed)
        shed += n;
    EXPECT_EQ(shed, fates_seen[settled_as::shed]);
    EXPECT_EQ(s.pushed, s.accepted + shed + dead_total() +
                            fates_seen[settled_as::answered_and_dropped] +
                            fates_seen[settled_as::expired] + s.events);
    std::size_t in_flight = 0;
    for (const flight& f : flights)
        in_flight += f.keys.size();
    EXPECT_GE(s.events, in_flight);
    if (s.events > queue.max_events || s.bytes > queue.max_bytes)
        for (const auto& [lane, open] : open_in_lane)
            for (const auto& [place, key] : open) {
                const event& e = events.at(key);
                EXPECT_TRUE(e.own || e.in_flight) << "over the bound, and " << key << " is kept";
            }
    EXPECT_GT(core->deadline(), now) << "asked for again at once, for nothing: " << describe(s);
    if (!paused && flights.empty() && s.events > 0) {
        EXPECT_NE(core->deadline(), never);
    }
}

void random_world::check_gap(const queued_event& e, const std::string& key) {
    const std::string_view frame = e.frame();
    if (e.name() != "SHARDGATE_GAP" || !gaps_told.insert(key).second) return;
    const auto counts = frame.find(R"("counts":{)");
    if (counts == std::string_view::npos) return;  // null: a lost session's
    std::string_view rest = frame.substr(counts + 10);
    while (rest.front() != '}') {
        rest.remove_prefix(rest.find('"') + 1);
        const std::string name(rest.substr(0, rest.find('"')));
        rest.remove_prefix(name.size() + 2);
        std::uint64_t n = 0;
        const auto end = std::from_chars(rest.data(), rest.data() + rest.size(), n).ptr;
        told[name] += n;
        rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    }
}

}  // namespace shardgate::testing
