// SPDX-License-Identifier: Apache-2.0
// Any batches, restarts, crashes and failures of the disk: what is there is what was stored.
#include <map>
#include <random>
#include <set>

#include "fixture.hpp"

namespace shardgate {
namespace {

using namespace testing;

// What the storage should hold, kept by the simplest means.
struct model {
    struct row {
        lane_key lane;
        std::string key;
    };
    std::map<std::uint64_t, row> rows;
    std::map<std::uint64_t, std::string> dead;
    std::map<std::uint32_t, std::pair<std::string, std::uint64_t>> sessions;  // shard: id, safe
    std::map<std::uint32_t, std::map<std::uint64_t, guild_state>> guilds;
    std::map<std::string, std::string> facts;
    std::map<std::uint64_t, interaction_answer> interactions;
    std::uint64_t last_position = 0;
    static constexpr std::size_t dead_max = 20;

    void apply(const store_batch& b) {
        for (const auto& k : b.guilds_cleared)
            guilds.erase(k.shard.value);
        for (const auto& g : b.guilds) {
            if (g.state == guild_state::absent)
                guilds[g.of.shard.value].erase(g.guild.value);
            else
                guilds[g.of.shard.value][g.guild.value] = g.state;
        }
        for (const auto& k : b.sessions_ended) {
            sessions.erase(k.shard.value);
            guilds.erase(k.shard.value);
        }
        for (const auto& s : b.sessions)
            sessions[s.shard.value] = {s.session_id, s.safe.value};
        for (const auto& r : b.spool.rows) {
            rows[r.position] = {r.lane, key_of(r.event)};
            last_position = std::max(last_position, r.position);
        }
        for (const std::uint64_t p : b.spool.done)
            rows.erase(p);
        for (const auto& d : b.spool.dead)
            dead[d.number] = d.reason;
        while (dead.size() > dead_max)
            dead.erase(dead.begin());
        for (const std::uint64_t n : b.spool.dead_done)
            dead.erase(n);
        for (const auto& i : b.spool.interactions)
            interactions[i.id.value] = i.how;
        for (const auto& [name, value] : b.facts)
            facts[name] = value;
    }
};

class world {
public:
    explicit world(unsigned seed) : random_(seed) {}

    std::uint64_t upto(std::uint64_t n) { return random_() % n; }

    store_batch batch(const model& m) {
        store_batch b;
        for (std::uint64_t n = upto(30); n > 0; --n) {
            event_spec s;
            s.guild = 1 + upto(5);
            s.shard = static_cast<std::uint32_t>(upto(3));
            s.seq = ++seq_;
            s.session = "s" + std::to_string(s.shard);
            s.name = upto(2) == 0 ? "MESSAGE_CREATE" : "TYPING_START";
            s.frame = std::string(1 + upto(3000), 'x');
            b.spool.rows.push_back(row_of(++position_, s));
            if (upto(4) == 0) ++position_;
        }
        for (const auto& [position, row] : m.rows)
            if (upto(3) == 0) b.spool.done.push_back(position);
        if (upto(3) == 0)
            b.spool.dead.push_back({++number_, 400, 1, wall_now(), "r" + std::to_string(number_),
                                    event_spec{}.make()});
        if (upto(5) == 0 && number_ > 0) b.spool.dead_done.push_back(1 + upto(number_));
        if (upto(3) == 0)
            b.spool.interactions.push_back(
                {snowflake{upto(10)}, static_cast<interaction_answer>(upto(5)), wall_now()});
        if (upto(2) == 0) b.facts.emplace_back("f" + std::to_string(upto(4)), std::to_string(seq_));
        shards(b);
        return b;
    }

private:
    void shards(store_batch& b) {
        for (std::uint32_t shard = 0; shard < 3; ++shard) {
            const shard_key key{generation{1}, shard_id{shard}};
            const std::uint64_t what = upto(6);
            if (what == 0) b.sessions_ended.push_back(key);
            if (what == 1) b.guilds_cleared.push_back(key);
            if (what > 2) {
                session_row s;
                s.gen = generation{1};
                s.shard = shard_id{shard};
                s.session_id = "s" + std::to_string(shard);
                s.safe = seq_no{upto(seq_ + 1)};
                b.sessions.push_back(s);
                for (std::uint64_t n = upto(4); n > 0; --n)
                    b.guilds.push_back(
                        {key, snowflake{1 + upto(9)}, static_cast<guild_state>(upto(5))});
            }
        }
    }

    std::mt19937 random_;
    std::uint64_t seq_ = 0, position_ = 0, number_ = 0;
};

class StoreProperty : public store_fixture {
public:
    StoreProperty() {
        options.vfs = fault_vfs();
        options.dead_letters_max = model::dead_max;
    }
    ~StoreProperty() override {
        heal();
        disk.reset();
    }

    void expect_state(const model& m) {
        ASSERT_FALSE(state.spool_lost);
        ASSERT_EQ(state.spool.rows, m.rows.size());
        ASSERT_EQ(state.spool.last_position, m.last_position);
        std::map<std::uint64_t, std::string> dead;
        for (const auto& d : state.spool.dead)
            dead[d.number] = d.reason;
        ASSERT_EQ(dead, m.dead);
        std::map<std::uint64_t, interaction_answer> interactions;
        for (const auto& i : state.spool.interactions)
            interactions[i.id.value] = i.how;
        ASSERT_EQ(interactions, m.interactions);
        ASSERT_EQ((std::map<std::string, std::string>(state.facts.begin(), state.facts.end())),
                  m.facts);
        ASSERT_EQ(state.sessions.size(), m.sessions.size());
        for (const stored_session& s : state.sessions) {
            const auto found = m.sessions.find(s.row.shard.value);
            ASSERT_NE(found, m.sessions.end());
            ASSERT_EQ(s.row.safe.value, found->second.second);
            const auto guilds = m.guilds.find(s.row.shard.value);
            const std::size_t expected = guilds == m.guilds.end() ? 0 : guilds->second.size();
            ASSERT_EQ(s.guilds.size(), expected);
            for (const auto& [id, is] : s.guilds)
                ASSERT_EQ(guilds->second.at(id.value), is);
            expect_spooled(s, m);
        }
    }
    static void expect_spooled(const stored_session& s, const model& m) {
        std::set<std::uint64_t> expected;
        for (const auto& [position, row] : m.rows) {
            const std::size_t dash = row.key.rfind('-');
            const std::uint64_t seq = std::stoull(row.key.substr(dash + 1));
            if (row.key.substr(0, dash) == s.row.session_id && seq > s.row.safe.value)
                expected.insert(seq);
        }
        ASSERT_EQ(s.spooled, (numbers(expected.begin(), expected.end())));
    }
    void expect_lanes(const model& m) {
        std::map<std::uint64_t, std::vector<std::pair<std::uint64_t, std::string>>> expected;
        for (const auto& [position, row] : m.rows)
            expected[row.lane.id].emplace_back(position, row.key);
        for (std::uint64_t guild = 1; guild <= 5; ++guild) {
            std::vector<std::pair<std::uint64_t, std::string>> found;
            for (const spool_row& r : lane(guild_lane(guild)))
                found.emplace_back(r.position, key_of(r.event));
            ASSERT_EQ(found, expected[guild]);
        }
    }

    void run(unsigned seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        world w(seed);
        model m;
        open();
        for (int step = 0; step < 40; ++step) {
            const store_batch b = w.batch(m);
            if (w.upto(4) == 0) fail(b, w);
            store(b);
            m.apply(b);
            const std::uint64_t what = w.upto(8);
            if (what == 0) reopen();
            if (what == 1) {
                crash_into("crash-" + std::to_string(seed) + "-" + std::to_string(step));
                open();
            }
            if (what <= 1) expect_state(m);
            if (what <= 2) expect_lanes(m);
            if (HasFatalFailure()) return;
        }
        close();
        fs::remove_all(options.directory);
    }
    // The disk refuses somewhere in the batch, or at its end.
    void fail(const store_batch& b, world& w) {
        if (w.upto(2) == 0)
            set_fault_after(disk_fault::write_error, static_cast<unsigned>(w.upto(6)));
        else
            set_fault(disk_fault::sync_error);
        const write_outcome out = write(b);
        heal();
        // It may have been small enough to go through.
        ASSERT_NE(out.what, write_result::reset) << out.detail;
    }
};

TEST_F(StoreProperty, WhatIsThereIsWhatWasStored) {
    for (unsigned seed = 1; seed <= 6 && !HasFatalFailure(); ++seed)
        run(seed);
}

}  // namespace
}  // namespace shardgate
