// SPDX-License-Identifier: Apache-2.0
// Versions of a file: steps one by one, each whole or not at all.
#include "store/schema.hpp"

#include <array>

#include "fixture.hpp"

namespace shardgate::store {
namespace {

class Migration : public testing::store_fixture {
public:
    Migration() {
        format.name = "x.db";
        format.application_id = 77;
        format.settings = "PRAGMA synchronous=FULL";
    }
    format_outcome apply(std::span<const char* const> steps) {
        db.close();
        db.clear();
        format.steps = steps;
        EXPECT_TRUE(db.open((root / "x.db").string(), {})) << db.status().detail;
        return apply_format(db, format);
    }
    std::int64_t number(const char* sql) {
        std::int64_t out = -1;
        EXPECT_TRUE(db.read_number(sql, out)) << db.status().detail;
        return out;
    }

    file_format format;
    database db;
};

constexpr std::array<const char*, 3> good{
    "CREATE TABLE a(x); INSERT INTO a VALUES(1)", "ALTER TABLE a ADD COLUMN y DEFAULT 5",
    "CREATE TABLE b AS SELECT x + y AS z FROM a; DROP TABLE a"};

TEST_F(Migration, TakesANewFileThroughEveryStep) {
    EXPECT_EQ(apply(good).what, format_state::ready);
    EXPECT_EQ(number("SELECT z FROM b"), 6);
    EXPECT_EQ(number("PRAGMA user_version"), 3);
    EXPECT_EQ(number("PRAGMA application_id"), 77);
}

TEST_F(Migration, TakesAnOldFileThroughTheStepsItLacks) {
    EXPECT_EQ(apply(std::span(good).first(1)).what, format_state::ready);
    ASSERT_TRUE(db.exec("INSERT INTO a VALUES(10)"));
    EXPECT_EQ(apply(good).what, format_state::ready);
    EXPECT_EQ(number("SELECT sum(z) FROM b"), 21);
}

TEST_F(Migration, AStepThatFailsLeavesTheVersionBeforeIt) {
    constexpr std::array<const char*, 3> broken{good[0], good[1],
                                                "CREATE TABLE b(z); INSERT INTO nowhere VALUES(1)"};
    EXPECT_EQ(apply(broken).what, format_state::error);
    EXPECT_NE(db.status().detail.find("nowhere"), std::string::npos);
    db.clear();
    EXPECT_EQ(number("PRAGMA user_version"), 2);
    EXPECT_EQ(number("SELECT y FROM a"), 5);
    EXPECT_EQ(number("SELECT count(*) FROM sqlite_master WHERE name = 'b'"), 0);
    EXPECT_EQ(apply(good).what, format_state::ready);
    EXPECT_EQ(number("SELECT z FROM b"), 6);
}

TEST_F(Migration, RefusesAVersionItDoesNotKnow) {
    EXPECT_EQ(apply(good).what, format_state::ready);
    const format_outcome is = apply(std::span(good).first(2));
    EXPECT_EQ(is.what, format_state::newer);
    EXPECT_EQ(is.version, 3);
    EXPECT_EQ(number("SELECT z FROM b"), 6);
    db.close();
    EXPECT_EQ(peek_format((root / "x.db").string(), format).what, format_state::newer);
}

TEST_F(Migration, RefusesAnotherProgramsFile) {
    EXPECT_EQ(apply(good).what, format_state::ready);
    format.application_id = 78;
    EXPECT_EQ(apply(good).what, format_state::foreign);
    EXPECT_EQ(number("PRAGMA application_id"), 77);
}

TEST_F(Migration, ATableThatIsMissingIsDamage) {
    EXPECT_EQ(apply(good).what, format_state::ready);
    query q(db, "SELECT x FROM missing");
    EXPECT_FALSE(q.row());
    EXPECT_TRUE(q.failed());
    EXPECT_EQ(db.status().code, db_code::damaged);
}

}  // namespace
}  // namespace shardgate::store
