// SPDX-License-Identifier: Apache-2.0
// What `check` sees of a state directory, and that it leaves no trace there. That it keeps away
// while a daemon runs is shown end to end: locks of one's own process do not show.
#include "shardgate/store/glance.hpp"

#include <map>
#include <utility>

#include "fixture.hpp"

namespace shardgate {
namespace {

using namespace testing;

class Glance : public store_fixture {
public:
    void store_plan() {
        store_batch b;
        b.facts = {{"plan", "2 8 0 7 1"}, {"bot", "42"}};
        for (std::uint32_t shard = 0; shard < 2; ++shard) {
            session_row row;
            row.gen = generation{2};
            row.shard = shard_id{shard};
            row.shards = shard_count{8};
            row.session_id = "session";
            b.sessions.push_back(row);
        }
        store(std::move(b));
    }
    // Name to size and time of change, of everything there.
    [[nodiscard]] std::map<std::string, std::pair<std::uintmax_t, fs::file_time_type>> listing()
        const {
        std::map<std::string, std::pair<std::uintmax_t, fs::file_time_type>> out;
        for (const auto& entry : fs::directory_iterator(options.directory))
            out[entry.path().filename()] = {entry.file_size(), entry.last_write_time()};
        return out;
    }
};

TEST_F(Glance, SeesFactsAndSessionsAndLeavesNoTrace) {
    open();
    store_plan();
    close();
    const auto before = listing();
    const auto seen = glance_at_state(options.directory);
    ASSERT_TRUE(seen.has_value());
    EXPECT_EQ(listing(), before);
    using facts = std::vector<std::pair<std::string, std::string>>;
    EXPECT_EQ(seen->facts, (facts{{"bot", "42"}, {"plan", "2 8 0 7 1"}}));
    ASSERT_EQ(seen->sessions.size(), 2U);
    EXPECT_EQ(seen->sessions[1].gen, generation{2});
    EXPECT_EQ(seen->sessions[1].shard, shard_id{1});
    EXPECT_EQ(seen->sessions[1].shards, shard_count{8});
    open();
    EXPECT_EQ(state.facts.size(), 2U);
}

TEST_F(Glance, ReadsADirectoryWhoseNameAUriWouldMisread) {
    for (const char* name : {"a?mode=memory", "b#c", "d%41", "e f"}) {
        options.directory = (root / name).string();
        open();
        store_plan();
        close();
        const auto seen = glance_at_state(options.directory);
        ASSERT_TRUE(seen.has_value()) << name;
        EXPECT_EQ(seen->facts.size(), 2U) << name;
        // A path with two slashes at its front names the same.
        EXPECT_TRUE(glance_at_state("/" + options.directory + "/").has_value()) << name;
    }
}

TEST_F(Glance, SaysNothingOfWhatADaemonUsesOrAKilledOneLeft) {
    open();
    store_plan();
    EXPECT_GT(fs::file_size(file("spool.db-wal")), 0U);
    EXPECT_FALSE(glance_at_state(options.directory).has_value());
    crash_into("killed");
    EXPECT_FALSE(glance_at_state(options.directory).has_value());
}

TEST_F(Glance, SaysNothingWhereThereIsNoState) {
    EXPECT_FALSE(glance_at_state(options.directory).has_value());
    EXPECT_FALSE(fs::exists(options.directory));
    fs::create_directory(options.directory);
    EXPECT_FALSE(glance_at_state(options.directory).has_value());
    EXPECT_TRUE(fs::is_empty(options.directory));
    fs::create_directory(file("spool.db"));
    EXPECT_FALSE(glance_at_state(options.directory).has_value());
}

TEST_F(Glance, SaysNothingOfAFileThatIsDamaged) {
    open();
    store_plan();
    close();
    std::ifstream in(file("spool.db"), std::ios::binary);
    const std::string good((std::istreambuf_iterator<char>(in)), {});
    // The header stays; every page behind it is noise.
    std::string bad = good;
    for (std::size_t i = 100; i < bad.size(); ++i)
        bad[i] = static_cast<char>(i * 31 + 7);
    for (const std::string& text : {bad, good.substr(0, 100), good.substr(0, 50), std::string()}) {
        std::ofstream(file("spool.db"), std::ios::binary | std::ios::trunc) << text;
        const auto before = listing();
        EXPECT_FALSE(glance_at_state(options.directory).has_value()) << text.size();
        EXPECT_EQ(listing(), before);
    }
}

TEST_F(Glance, SaysNothingOfAnotherVersionsFile) {
    open();
    store_plan();
    close();
    std::fstream db(file("spool.db"), std::ios::binary | std::ios::in | std::ios::out);
    db.seekp(63);  // user_version's last byte (sqlite.org/fileformat2.html, section 1.3)
    db.put(99);
    db.close();
    EXPECT_FALSE(glance_at_state(options.directory).has_value());
}

}  // namespace
}  // namespace shardgate
