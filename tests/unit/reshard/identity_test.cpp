// SPDX-License-Identifier: Apache-2.0
// Which events are the same, whatever set showed them.
#include "shardgate/reshard/identity.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "shardgate/protocol/event_name.hpp"

namespace shardgate {
namespace {

dispatch event(std::string_view name, std::string_view d, std::uint64_t id = 0,
               std::uint64_t guild = 0) {
    dispatch e;
    e.event = find_event(name);
    e.name = name;
    e.d = d;
    e.fields.id = snowflake{id};
    e.fields.guild = snowflake{guild};
    return e;
}

TEST(Identity, MessagesAndInteractionsAreKnownByTheirIds) {
    for (const char* const name : {"MESSAGE_CREATE", "INTERACTION_CREATE"}) {
        const event_identity one = identity_of(event(name, R"({"id":"7","token":"a"})", 7));
        EXPECT_TRUE(one.unique);
        EXPECT_EQ(one, identity_of(event(name, R"({"id":"7","token":"b"})", 7)));
        EXPECT_FALSE(one == identity_of(event(name, R"({"id":"8","token":"a"})", 8)));
    }
    EXPECT_FALSE(identity_of(event("MESSAGE_CREATE", "{}", 7)) ==
                 identity_of(event("INTERACTION_CREATE", "{}", 7)));
}

TEST(Identity, WithoutAnIdEvenAMessageIsKnownByItsBytes) {
    const event_identity one = identity_of(event("MESSAGE_CREATE", R"({"a":1})"));
    EXPECT_FALSE(one.unique);
    EXPECT_FALSE(one == identity_of(event("MESSAGE_CREATE", R"({"a":2})")));
}

TEST(Identity, AnIdThatIsNotTheEventsOwnMakesNothingUnique) {
    for (const char* const name : {"MESSAGE_UPDATE", "MESSAGE_DELETE", "CHANNEL_UPDATE",
                                   "GUILD_UPDATE", "THREAD_CREATE", "SOMETHING_NEW"}) {
        const event_identity one = identity_of(event(name, R"({"id":"7","n":1})", 7, 5));
        EXPECT_FALSE(one.unique) << name;
        EXPECT_FALSE(one == identity_of(event(name, R"({"id":"7","n":2})", 7, 5))) << name;
        EXPECT_EQ(one, identity_of(event(name, R"({"id":"7","n":1})", 7, 5))) << name;
    }
}

TEST(Identity, AGuildsLifecycleIsKnownByGuildAndAvailability) {
    const auto lifecycle = [](const char* name, std::uint64_t guild, std::optional<bool> away,
                              std::string_view d) {
        dispatch e = event(name, d, guild, guild);
        e.fields.unavailable = away;
        return identity_of(e);
    };
    const event_identity left = lifecycle("GUILD_DELETE", 5, {}, R"({"id":"5"})");
    EXPECT_FALSE(left.unique) << "a guild may be left twice";
    EXPECT_EQ(left, lifecycle("GUILD_DELETE", 5, {}, R"({ "id":"5" })"));
    EXPECT_FALSE(left == lifecycle("GUILD_DELETE", 5, true, "{}"));
    EXPECT_FALSE(left == lifecycle("GUILD_DELETE", 6, {}, "{}"));
    EXPECT_FALSE(left == lifecycle("GUILD_CREATE", 5, {}, "{}"));
    EXPECT_EQ(lifecycle("GUILD_CREATE", 5, false, R"({"members":[1]})"),
              lifecycle("GUILD_CREATE", 5, false, R"({"members":[2]})"));
}

TEST(Identity, TheNameCountsAndItsLengthCannotBeShifted) {
    EXPECT_FALSE(identity_of(event("TYPING_START", "{}")) ==
                 identity_of(event("PRESENCE_UPDATE", "{}")));
    EXPECT_FALSE(identity_of(event("NEW_A", "B{}")) == identity_of(event("NEW_AB", "{}")));
    EXPECT_EQ(identity_of(event("TYPING_START", "")), identity_of(event("TYPING_START", "")));
}

TEST(Identity, OneBitOfTheBytesIsEnough) {
    std::string d(4096, 'x');
    std::set<std::pair<std::uint64_t, std::uint64_t>> seen;
    for (std::size_t i = 0; i < d.size(); i += 16) {
        d[i] = 'y';
        const event_identity id = identity_of(event("TYPING_START", d));
        EXPECT_TRUE(seen.insert({id.high, id.low}).second);
        d[i] = 'x';
    }
}

TEST(Identity, AKeyIsShortAndStandsInAHeaderAsItIs) {
    constexpr std::uint64_t most = ~std::uint64_t{0};
    const auto key = [](event_identity id, std::uint64_t when, std::uint32_t n) {
        std::string out = "before ";
        append_key(out, id, when, n);
        EXPECT_EQ(out.substr(0, 7), "before ");
        return out.substr(7);
    };
    const std::string one = key({1, 2, false}, 3, 4);
    EXPECT_EQ(one.substr(0, 33), "00000000000000010000000000000002-");
    EXPECT_LE(key({most, most, true}, most, ~std::uint32_t{0}).size(), 64U);
    EXPECT_EQ(one.find_first_not_of("0123456789abcdef-."), std::string::npos);
    EXPECT_NE(one, key({1, 2, false}, 3, 5));
    EXPECT_NE(one, key({1, 2, false}, 4, 4));
    EXPECT_NE(key({1, 2, false}, 1, 11), key({1, 2, false}, 11, 1));
}

}  // namespace
}  // namespace shardgate
