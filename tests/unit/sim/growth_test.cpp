// SPDX-License-Identifier: Apache-2.0
// Guilds join and leave at a rate, and the truth knows of each.
#include "sim/growth.hpp"

#include <gtest/gtest.h>

#include <set>

#include "sim/control.hpp"
#include "unit/sim/sim_fixture.hpp"

namespace shardgate::sim {
namespace {

using namespace testing;

struct garden : bench {
    std::unique_ptr<client> c = connect();

    garden() { ready(*c, 0, 1); }
    result<json::value> grow(std::string_view text) {
        return control_grow(*p, json::parse(text), now);
    }
    void go(duration d) {
        for (duration done{}; done < d; done += 10ms) {
            pass(10ms);
            p->grow.tick(now);
        }
    }
};

TEST(Growth, JoinsAndLeavesAtItsRates) {
    garden b;
    ASSERT_TRUE(b.grow(R"({"join":20,"leave":5,"seconds":4})"));
    b.go(4500ms);
    EXPECT_FALSE(b.p->grow.running());
    const auto report = b.p->grow.report();
    EXPECT_NEAR(report.at("joined").to_number<double>(), 80, 1);
    EXPECT_NEAR(report.at("left").to_number<double>(), 20, 1);
    std::set<std::string> ids;
    int joined = 0, left = 0;
    for (const std::string& f : b.take(*b.c)) {
        const json::object d = json::parse(f).at("d").as_object();
        EXPECT_FALSE(d.contains("unavailable"));
        const bool create = json::parse(f).at("t").as_string() == "GUILD_CREATE";
        ++(create ? joined : left);
        if (create) {
            EXPECT_TRUE(ids.insert(std::string(d.at("id").as_string())).second);
        }
    }
    EXPECT_EQ(joined, report.at("joined").to_number<int>());
    EXPECT_EQ(left, report.at("left").to_number<int>());
    EXPECT_EQ(b.p->guilds.present(), 40U + static_cast<unsigned>(joined - left));
    EXPECT_EQ(b.p->book.totals().expected, static_cast<std::uint64_t>(joined + left));
}

TEST(Growth, EndsAtACountOrWhenTheBotIsInSoMany) {
    garden b;
    ASSERT_TRUE(b.grow(R"({"join":100,"count":7})"));
    b.go(1s);
    EXPECT_EQ(b.p->guilds.present(), 47U);
    EXPECT_FALSE(b.p->grow.running());
    ASSERT_TRUE(b.grow(R"({"join":100,"until":60})"));
    b.go(1s);
    EXPECT_EQ(b.p->guilds.present(), 60U);
    ASSERT_TRUE(b.grow(R"({"join":1})"));
    b.go(3s);
    EXPECT_TRUE(b.p->grow.running());
    ASSERT_TRUE(b.grow(R"({"stop":true})"));
    EXPECT_FALSE(b.p->grow.running());
    EXPECT_EQ(b.p->guilds.present(), 63U);
}

TEST(Growth, CanFillOneShard) {
    garden b;
    const std::uint32_t before = b.p->guilds.count_on(5, 8);
    ASSERT_TRUE(b.grow(R"({"join":1000,"count":300,"shard":[5,8]})"));
    b.go(1s);
    EXPECT_EQ(b.p->guilds.count_on(5, 8), before + 300);
    EXPECT_EQ(b.p->guilds.present(), 340U);
    const auto one =
        control_emit(*b.p, json::parse(R"({"what":"guild_join","shard":[3,8],"count":3})"), b.now);
    ASSERT_TRUE(one);
    for (const auto& id : one->at("ids").as_array())
        EXPECT_EQ((std::stoull(std::string(id.as_string())) >> 22) % 8, 3U);
}

TEST(Growth, WhatNobodyIsToldOfIsCounted) {
    bench b;
    ASSERT_TRUE(control_grow(*b.p, json::parse(R"({"join":10,"count":3})"), b.now));
    b.pass(1s);
    b.p->grow.tick(b.now);
    EXPECT_EQ(b.p->grow.report().at("unseen").to_number<int>(), 3);
    EXPECT_EQ(b.p->guilds.present(), 43U) << "they will be loading guilds";
    EXPECT_EQ(b.p->book.totals().sent, 0U);
}

TEST(Growth, SaysWhatIsWrong) {
    garden b;
    for (const char* bad : {"[]", "{}", R"({"join":-1})", R"({"join":"x"})", R"({"join":1e9})",
                            R"({"join":1,"shard":[8,8]})", R"({"join":1,"shard":[-1,8]})",
                            R"({"join":1,"shard":3})", R"({"join":1,"count":1e99})"})
        EXPECT_FALSE(b.grow(bad)) << bad;
    EXPECT_FALSE(b.p->grow.running());
}

}  // namespace
}  // namespace shardgate::sim
