// SPDX-License-Identifier: Apache-2.0
// Files that are not as they were written: moved aside and told, never a crash, never a lie.
#include <sqlite3.h>
#include <sys/stat.h>

#include <random>

#include "fixture.hpp"

namespace shardgate {
namespace {

using namespace testing;

std::string garbage(std::size_t size, unsigned seed = 1) {
    std::mt19937 random(seed);
    std::string out(size, '\0');
    for (char& c : out)
        c = static_cast<char>(random());
    return out;
}

class Damage : public store_fixture {
public:
    // A spool with something in it, closed.
    void fill(std::size_t rows = 50, std::size_t frame = 3000) {
        open();
        event_spec spec;
        spec.frame = std::string(frame, 'x');
        std::vector<spool_row> all;
        for (std::uint64_t i = 1; i <= rows; ++i)
            all.push_back(row_of(i, spec));
        store_rows(std::move(all));
        close();
    }
    void expect_moved_aside() {
        open();
        EXPECT_TRUE(state.spool_lost);
        EXPECT_EQ(state.spool.rows, 0U);
        ASSERT_EQ(state.notices.size(), 1U);
        const auto moved = files_with("spool.db.damaged-");
        ASSERT_FALSE(moved.empty());
        EXPECT_NE(state.notices[0].find(file("spool.db").string()), std::string::npos);
        EXPECT_NE(state.notices[0].find("spool.db.damaged-"), std::string::npos);
        store_rows({row_of(1, {})});
        reopen();
        EXPECT_FALSE(state.spool_lost);
        EXPECT_EQ(state.spool.rows, 1U);
    }
};

TEST_F(Damage, InTheHeaderIsMovedAside) {
    fill();
    overwrite(file("spool.db"), 0, garbage(4096));
    const std::string before = bytes_of(file("spool.db"));
    expect_moved_aside();
    EXPECT_EQ(bytes_of(file(files_with("spool.db.damaged-")[0])), before);
}

TEST_F(Damage, BehindTheMagicWordsIsMovedAside) {
    fill();
    overwrite(file("spool.db"), 100, garbage(3900));
    expect_moved_aside();
}

TEST_F(Damage, OfAFileCutShortIsMovedAside) {
    fill();
    fs::resize_file(file("spool.db"), 5 * 4096 + 100);
    expect_moved_aside();
}

TEST_F(Damage, OfAFileCutInItsHeaderIsMovedAside) {
    fill();
    fs::resize_file(file("spool.db"), 60);
    expect_moved_aside();
}

TEST_F(Damage, OfAFileThatIsNoDatabaseIsMovedAside) {
    fs::create_directory(options.directory);
    std::ofstream(file("spool.db")) << garbage(100000);
    expect_moved_aside();
}

TEST_F(Damage, OfAFileThatLostAllButItsLogIsMovedAside) {
    open();
    store_rows({row_of(1, {})});
    crash_into("crashed");
    fs::resize_file(file("spool.db"), 0);
    expect_moved_aside();
    EXPECT_EQ(files_with("-wal").size(), 3U);  // the moved one's and those in use
}

TEST_F(Damage, InATableThatIsGoneIsMovedAside) {
    fill();
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(file("spool.db").c_str(), &db), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(db, "DROP TABLE sessions", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(db);
    expect_moved_aside();
}

TEST_F(Damage, OfARowThatCannotBeIsMovedAside) {
    for (const char* sql :
         {"UPDATE events SET lane_kind = 9", "UPDATE events SET rank = -1",
          "UPDATE events SET rank = 4",
          "INSERT INTO interactions VALUES(1, 99, 9000000000000000000)",
          "INSERT INTO sessions VALUES(1,1,1,x'41',x'',1,1,1,1); INSERT INTO guilds "
          "VALUES(1,1,1,9)",
          "INSERT INTO dead_letters SELECT position, 1, 1, 1, x'', gen, shard, shards, session, "
          "seq, event, name, guild, channel, id, 77, itype, has_message, own_key, token, "
          "received_wall, bytes, frame FROM events"}) {
        fill(3, 100);
        sqlite3* db = nullptr;
        ASSERT_EQ(sqlite3_open(file("spool.db").c_str(), &db), SQLITE_OK);
        ASSERT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK)
            << sqlite3_errmsg(db);
        sqlite3_close(db);
        SCOPED_TRACE(sql);
        expect_moved_aside();
        close();
        fs::remove_all(options.directory);
    }
}

TEST_F(Damage, TwiceInASecondOverwritesNothing) {
    fs::create_directory(options.directory);
    for (int i = 0; i < 3; ++i) {
        std::ofstream(file("spool.db")) << garbage(5000, static_cast<unsigned>(i));
        open();
        EXPECT_TRUE(state.spool_lost);
        close();
    }
    const auto moved = files_with("spool.db.damaged-");
    ASSERT_EQ(moved.size(), 3U);
    EXPECT_NE(bytes_of(file(moved[0])), bytes_of(file(moved[1])));
    EXPECT_NE(bytes_of(file(moved[0])), bytes_of(file(moved[2])));
}

TEST_F(Damage, OfTheLogsTailLosesTheLastBatchAlone) {
    open();
    store_rows({row_of(1, {})});
    store_rows({row_of(2, {})});
    crash_into("crashed");
    const auto size = fs::file_size(file("spool.db-wal"));
    fs::resize_file(file("spool.db-wal"), size - 1000);
    open();
    EXPECT_FALSE(state.spool_lost);
    EXPECT_TRUE(state.notices.empty());
    EXPECT_EQ(positions(lane(guild_lane(1))), numbers{1});
}

TEST_F(Damage, FoundWhileReadingGivesANewSpoolAndSaysSo) {
    fill(800, 50000);  // more than the page cache holds
    open();
    ASSERT_EQ(state.spool.rows, 800U);
    overwrite(file("spool.db"), 4096, std::string(fs::file_size(file("spool.db")) - 4096, '\xff'));
    const auto out = read_all({guild_lane(1), 0, 1000, 1U << 30});
    EXPECT_FALSE(out.ok);
    EXPECT_TRUE(out.reset) << out.detail;
    EXPECT_TRUE(out.rows.empty());
    EXPECT_NE(out.detail.find("was moved aside as spool.db.damaged-"), std::string::npos);
    EXPECT_EQ(disk->stats().resets, 1U);
    // It is empty and works.
    EXPECT_TRUE(lane(guild_lane(1)).empty());
    store_rows({row_of(900, {})});
    reopen();
    EXPECT_FALSE(state.spool_lost);
    EXPECT_EQ(state.spool.rows, 1U);
    EXPECT_EQ(files_with("spool.db.damaged-").size(), 2U);  // it and its log
}

TEST_F(Damage, FoundWhileWritingGivesANewSpoolAndStoresNothing) {
    fill(800, 50000);
    open();
    overwrite(file("spool.db"), 4096, std::string(fs::file_size(file("spool.db")) - 4096, '\xff'));
    store_batch b;
    for (std::uint64_t i = 1; i <= 800; ++i)
        b.spool.done.push_back(i);
    b.spool.rows.push_back(row_of(1000, {}));
    const write_outcome out = write(b);
    EXPECT_EQ(out.what, write_result::reset) << out.detail;
    EXPECT_FALSE(out.full);
    EXPECT_NE(out.detail.find("was damaged"), std::string::npos);
    EXPECT_TRUE(lane(guild_lane(1)).empty());
    store(b);
    EXPECT_EQ(positions(lane(guild_lane(1))), numbers{1000});
}

TEST_F(Damage, OfTheLedgerMeansThatNothingIsKnown) {
    open();
    ASSERT_TRUE(record(0, 1, wall_now()));
    close();
    overwrite(file("ledger.db"), 0, garbage(4096));
    open();
    ASSERT_EQ(state.notices.size(), 1U);
    EXPECT_NE(state.notices[0].find("ledger.db.damaged-"), std::string::npos);
    EXPECT_FALSE(state.spool_lost);
    EXPECT_EQ(disk->ledger().last(0, 1, wall_now()), std::nullopt);
    EXPECT_EQ(disk->ledger().starts_last_day(wall_now()), 0U);
    EXPECT_TRUE(record(0, 1, wall_now()));
    // Its log went with it: SQLite must not take it for the new one's.
    for (const std::string& name : files_with("ledger.db.damaged-"))
        EXPECT_GT(fs::file_size(file(name)), 0U);
}

TEST_F(Damage, OfTheLedgersTimesMeansThatNothingIsKnown) {
    open();
    ASSERT_TRUE(record(0, 1, wall_now()));
    close();
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(file("ledger.db").c_str(), &db), SQLITE_OK);
    ASSERT_EQ(
        sqlite3_exec(db, "UPDATE starts SET at = -9223372036854775808", nullptr, nullptr, nullptr),
        SQLITE_OK);
    sqlite3_close(db);
    open();
    EXPECT_EQ(disk->ledger().starts_last_day(wall_now()), 0U);
    EXPECT_EQ(state.notices.size(), 1U);
}

}  // namespace
}  // namespace shardgate
