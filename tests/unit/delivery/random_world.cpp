// SPDX-License-Identifier: Apache-2.0
// What happens in the random world. What must hold: random_world_rules.cpp.
#include "unit/delivery/random_world.hpp"

#include <array>

namespace shardgate::testing {

namespace {

constexpr std::uint32_t shard_number = 3;
constexpr std::array<const char*, 9> names{
    "MESSAGE_CREATE", "MESSAGE_CREATE", "MESSAGE_UPDATE",   "TYPING_START",      "PRESENCE_UPDATE",
    "GUILD_UPDATE",   "NOVELTY",        "GUILD_MEMBER_ADD", "INTERACTION_CREATE"};

}  // namespace

void random_world::choose_settings() {
    using config::balance_mode, config::ordering_mode, config::overflow_policy;
    constexpr std::array orderings{ordering_mode::guild, ordering_mode::guild, ordering_mode::shard,
                                   ordering_mode::none};
    constexpr std::array balances{balance_mode::shard, balance_mode::guild, balance_mode::failover};
    constexpr std::array<std::uint32_t, 4> batches{1, 1, 3, 16};
    constexpr std::array<std::uint32_t, 4> connections{1, 2, 4, 16};
    constexpr std::array<std::uint64_t, 3> bounds{12, 60, 100000};
    handler.ordering = orderings[chance.below(orderings.size())];
    handler.balance = balances[chance.below(balances.size())];
    handler.batch_events = batches[chance.below(batches.size())];
    if (chance.below(2) == 0) handler.batch_linger = 20ms;
    handler.connections = connections[chance.below(connections.size())];
    handler.pipelining = 1 + static_cast<std::uint32_t>(chance.below(2));
    handler.urls = {"http://a/"};
    if (chance.below(2) == 0) handler.urls.emplace_back("http://b/");
    queue.max_events = bounds[chance.below(bounds.size())];
    if (chance.below(3) == 0) queue.max_bytes = 8000;
    queue.overflow =
        chance.below(2) == 0 ? overflow_policy::drop_oldest : overflow_policy::drop_newest;
    queue.dead_letters_max = chance.below(2) == 0 ? 3 : 1000;
    interactions.auto_defer = chance.below(4) != 0;
    if (chance.below(2) == 0) interactions.modal_submit = config::modal_submit_mode::message;
}

void random_world::step() {
    const bool well = (last_place / 40) % 3 != 1;  // the handler has its bad times
    switch (chance.below(16)) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
    case 5: push_something(); break;
    case 6:
        if (chance.below(8) == 0) push_own_something();
        break;
    case 7:
    case 8:
    case 9:
    case 10: answer_something(well); break;
    case 11: report_callback(well); break;
    case 12: pass(std::chrono::milliseconds(chance.below(400))); break;
    case 13: pass_to_deadline(10s); break;
    case 14:
        if (chance.below(10) == 0) core->pause(paused = !paused, now);
        if (chance.below(20) == 0) change_urls();
        break;
    default:
        if (chance.below(20) == 0) empty_dead_letters();
    }
    work();
}

void random_world::push_something() {
    for (std::uint64_t n = 1 + chance.below(4); n > 0; --n) {
        const std::uint64_t guild = chance.below(8);
        const auto shard = static_cast<std::uint32_t>(guild % shard_number);
        std::string name = names[chance.below(names.size())];
        if (chance.below(60) == 0) name = "READY";
        const bool interaction = name == "INTERACTION_CREATE";
        interaction_type = 2 + static_cast<std::uint32_t>(chance.below(4));
        event e;
        e.shard = shard;
        e.fence = name == "READY";
        e.rank = shed_class_of(find_event(name));
        // 0: no guild; then a channel of its own half of the time.
        channel = guild == 0 && !e.fence ? chance.below(2) * 77 : 0;
        const std::uint64_t in = e.fence ? 0 : guild;
        switch (handler.ordering) {
        case config::ordering_mode::none: e.lane = "n" + std::to_string(++single_lanes); break;
        case config::ordering_mode::shard: e.lane = "s" + std::to_string(shard); break;
        case config::ordering_mode::guild:
            e.lane = in != 0        ? "g" + std::to_string(in)
                     : channel != 0 ? "c" + std::to_string(channel)
                                    : "s" + std::to_string(shard);
        }
        add("session-" + std::to_string(last_seq + 1), e);
        push(name, in, shard, interaction ? snowflake_made(0ms) + chance.below(1U << 20) : 0);
    }
}

void random_world::push_own_something() {
    own_event_factory make("own" + std::to_string(last_place));
    const auto shard = static_cast<std::uint32_t>(chance.below(shard_number));
    const bool fence = chance.below(2) == 0;
    const auto made = fence ? make.gap(shard_id{shard}, shard_count{16}, generation{1},
                                       "session_lost", wall(), wall(), nullptr, now, wall())
                            : make.guilds_loaded(shard_id{shard}, shard_count{16}, generation{1}, 1,
                                                 0, now, wall());
    event e;
    e.shard = shard;
    e.fence = fence;
    e.own = true;
    e.lane = handler.ordering == config::ordering_mode::none ? "n" + std::to_string(++single_lanes)
                                                             : "s" + std::to_string(shard);
    add(key_of(*made), e);
    core->push_own(made, now);
}

delivery_outcome random_world::random_outcome(bool well) {
    delivery_outcome o;
    const auto dice = chance.below(20);
    if (well ? dice < 16 : dice < 1) {
        o.status = 204;
    } else if (dice == 1 || dice == 16) {
        o.status = 422;
    } else if (dice < 6) {
        o.connection_refused = true;
        o.maybe_received = false;
    } else if (dice < 10) {
        o.timed_out = true;
    } else if (dice < 12) {
        o.status = 429;
        o.retry_after = std::chrono::seconds(chance.below(4));
    } else {
        o.status = 500;
    }
    return o;
}

void random_world::answer_something(bool well) {
    if (flights.empty()) return;
    const auto at = static_cast<std::ptrdiff_t>(chance.below(flights.size()));
    flight f = std::move(flights[static_cast<std::size_t>(at)]);
    flights.erase(flights.begin() + at);
    answer(std::move(f), random_outcome(well));
}

void random_world::answer(flight f, const delivery_outcome& outcome) {
    const bool accepted = outcome.status == 204;
    for (const std::string& key : f.keys)
        events.at(key).in_flight = false;
    for (const delivery_item& item : f.request.items)
        if (accepted) check_accepted(*item.event);
    const std::uint64_t dead = dead_total();
    core->on_outcome(f.request.id, outcome, now, wall());
    const bool buried = dead_total() > dead;
    // Nobody is told what becomes of the daemon's own events.
    for (std::size_t i = 0; i < f.keys.size(); ++i) {
        if (!events.at(f.keys[i]).own || !(accepted || buried)) continue;
        check_gap(*f.request.items[i].event, f.keys[i]);
        close(f.keys[i]);
    }
}

void random_world::report_callback(bool well) {
    if (calls.empty()) return;
    constexpr std::array bad{callback_result::already_answered, callback_result::too_late,
                             callback_result::refused, callback_result::not_sent,
                             callback_result::unknown};
    const snowflake id = calls.back();
    calls.pop_back();
    core->on_callback(id, well ? callback_result::answered : bad[chance.below(bad.size())], now,
                      wall());
}

void random_world::change_urls() {
    std::vector<std::string> urls{"http://c" + std::to_string(++url_epoch) + "/"};
    if (chance.below(2) == 0) urls.push_back("http://d" + std::to_string(url_epoch) + "/");
    core->set_urls(urls, now);
}

void random_world::empty_dead_letters() {
    const auto letters = core->dead_letters(100000);
    dead_gone += letters.size();
    if (chance.below(3) == 0) {
        EXPECT_EQ(core->clear_dead_letters({}), letters.size());
        return;
    }
    for (const dead_letter& letter : letters) {
        event again = events.at(key_of(*letter.event));
        again.fence = again.in_flight = false;
        again.open = true;
        again.attempts = 0;
        if (handler.ordering == config::ordering_mode::none)
            again.lane = "n" + std::to_string(++single_lanes);
        add(key_of(*letter.event), again);
    }
    EXPECT_EQ(core->retry_dead_letters({}, now), letters.size());
}

void random_world::work() {
    while (auto r = core->next_request(now))
        check_start(std::move(*r));
    while (auto c = core->next_callback(now, wall()))
        calls.push_back(c->id);
    while (auto r = core->next_request(now))
        check_start(std::move(*r));
    check_state();
}

void random_world::finish() {
    core->pause(paused = false, now);
    // The last rounds give what was shed its gap events.
    for (int round = 0; round < 4; ++round) {
        for (int i = 0; i < 20000 && !core->idle(); ++i) {
            work();
            std::vector<flight> all = std::exchange(flights, {});
            for (flight& f : all) {
                delivery_outcome o;
                o.status = 204;
                answer(std::move(f), o);
            }
            work();
            while (!calls.empty())
                report_callback(true);
            if (flights.empty()) pass_to_deadline(1h);
        }
        ASSERT_TRUE(core->idle());
        pass(2min);
        if (round < 3) push_something();
    }
    const delivery_snapshot s = core->snapshot();
    EXPECT_EQ(s.events, 0U);
    EXPECT_EQ(s.bytes, 0U);
    EXPECT_EQ(s.lanes, 0U);
    EXPECT_EQ(told, shed_names);
    for (const auto& [key, e] : events)
        EXPECT_FALSE(e.open) << key;
}

}  // namespace shardgate::testing
