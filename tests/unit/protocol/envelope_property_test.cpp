// SPDX-License-Identifier: Apache-2.0
// Random frames, written in every order and shape, must read the same; broken ones must not pass.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "shardgate/protocol/envelope.hpp"

namespace shardgate {
namespace {

using member = std::pair<std::string, std::string>;  // a key and its value's JSON

class frame_writer {
public:
    explicit frame_writer(unsigned seed) : random_(seed) {}

    unsigned below(std::size_t bound) { return static_cast<unsigned>(random_() % bound); }

    std::string space() {
        static constexpr std::array<const char*, 6> kinds = {"", "", "", " ", "\n", "\t\r "};
        return kinds[below(kinds.size())];
    }

    // A string made to look like what a scanner searches.
    std::string text() {
        static constexpr std::array<const char*, 9> pieces = {R"(\"guild_id\":\"1\")",
                                                              R"(\"op\":9)",
                                                              R"(,\"t\":\"READY\"})",
                                                              "{[",
                                                              "]}",
                                                              R"(\\)",
                                                              R"(\ud83d)",
                                                              R"(\u0000)",
                                                              "é😀"};
        std::string out = "\"";
        for (unsigned n = below(4); n > 0; --n)
            out += pieces[below(pieces.size())];
        return out + "\"";
    }

    // Any value; nested objects have decoys of every key that counts.
    std::string value(unsigned depth) {
        static constexpr std::array<const char*, 7> scalars = {"null",
                                                               "true",
                                                               "false",
                                                               "0",
                                                               "-12.5e+3",
                                                               "\"123456789012345678\"",
                                                               "18446744073709551615"};
        const unsigned kind = below(depth == 0 ? 6 : 10);
        if (kind < 4) return scalars[below(scalars.size())];
        if (kind < 6) return text();
        if (kind < 8) return object(decoys(depth - 1));
        std::string out = "[";
        for (unsigned n = below(4); n > 0; --n)
            out += space() + value(depth - 1) + space() + (n > 1 ? "," : "");
        return out + "]";
    }

    std::vector<member> decoys(unsigned depth) {
        static constexpr std::array<const char*, 12> keys = {
            "guild_id", "id",    "channel_id", "op",          "s",       "t",
            "d",        "token", "type",       "unavailable", "content", "message"};
        std::vector<member> all;
        for (unsigned n = below(5); n > 0; --n)
            all.emplace_back(keys[below(keys.size())], value(depth));
        return all;
    }

    std::string object(std::vector<member> members) {
        std::shuffle(members.begin(), members.end(), random_);
        std::string out = "{" + space();
        for (std::size_t i = 0; i < members.size(); ++i) {
            if (i > 0) out += "," + space();
            out += "\"" + members[i].first + "\"" + space() + ":" + space() + members[i].second +
                   space();
        }
        return out + "}";
    }

    std::string snowflake_text(std::uint64_t& id) {
        id = std::uniform_int_distribution<std::uint64_t>(1)(random_);
        return "\"" + std::to_string(id) + "\"";
    }

    std::mt19937& engine() { return random_; }

private:
    std::mt19937 random_;
};

struct expected_frame {
    std::uint64_t s = 0;
    std::string t;
    std::string d;
    std::uint64_t guild = 0;
    std::uint64_t channel = 0;
    std::uint64_t id = 0;
    std::vector<member> d_members;
};

expected_frame random_frame(frame_writer& writer) {
    static constexpr std::array<const char*, 7> names = {
        "MESSAGE_CREATE", "GUILD_CREATE",       "GUILD_DELETE", "TYPING_START",
        "RATE_LIMITED",   "INTERACTION_CREATE", "A_NEW_EVENT"};
    expected_frame frame;
    frame.s = writer.engine()();
    frame.t = names[writer.below(names.size())];
    std::uint64_t guild_id = 0;
    std::uint64_t meta_guild = 0;
    if (writer.below(4) > 0)
        frame.d_members.emplace_back("guild_id", writer.snowflake_text(guild_id));
    if (writer.below(4) > 0) frame.d_members.emplace_back("id", writer.snowflake_text(frame.id));
    if (writer.below(4) > 0)
        frame.d_members.emplace_back("channel_id", writer.snowflake_text(frame.channel));
    for (const char* other : {"author", "message_reference", "resolved", "embeds", "guild"})
        frame.d_members.emplace_back(other, writer.value(4));
    if (frame.t == "RATE_LIMITED") {
        std::vector<member> meta = {{"x", writer.value(3)}};
        meta.emplace_back("guild_id", writer.snowflake_text(meta_guild));
        frame.d_members.emplace_back("meta", writer.object(meta));
        // guild_id beside meta would be a second source.
        std::erase_if(frame.d_members, [](const member& m) { return m.first == "guild_id"; });
        guild_id = meta_guild;
    }
    frame.guild = frame.t.starts_with("GUILD_") ? frame.id : guild_id;
    frame.d = writer.object(frame.d_members);
    return frame;
}

std::string write_frame(frame_writer& writer, const expected_frame& frame) {
    return writer.space() +
           writer.object({{"op", "0"},
                          {"s", std::to_string(frame.s)},
                          {"t", "\"" + frame.t + "\""},
                          {"d", frame.d},
                          {"x_op", writer.value(4)},
                          {"other", writer.value(4)}}) +
           writer.space();
}

TEST(EnvelopeProperty, KeyOrderWhiteSpaceAndNestingDoNotChangeWhatIsRead) {
    const unsigned seed = 31337;
    SCOPED_TRACE("seed " + std::to_string(seed));
    frame_writer writer(seed);
    scanner s;
    for (int round = 0; round < 4000; ++round) {
        const expected_frame frame = random_frame(writer);
        const std::string text = write_frame(writer, frame);
        const auto e = s.scan(text);
        ASSERT_TRUE(e) << text;
        EXPECT_EQ(e->op, 0) << text;
        EXPECT_EQ(e->s, frame.s) << text;
        EXPECT_EQ(e->t, frame.t) << text;
        EXPECT_EQ(e->event, find_event(frame.t));
        EXPECT_EQ(e->d, frame.d) << text;
        EXPECT_EQ(e->fields.guild.value, frame.guild) << text;
        EXPECT_EQ(e->fields.channel.value, frame.channel) << text;
        EXPECT_EQ(e->fields.id.value, frame.id) << text;
        ASSERT_FALSE(HasFailure());
    }
}

TEST(EnvelopeProperty, FingerprintsDoNotDependOnHowAMessageIsWritten) {
    const unsigned seed = 4242;
    SCOPED_TRACE("seed " + std::to_string(seed));
    frame_writer writer(seed);
    scanner s;
    for (int round = 0; round < 1000; ++round) {
        std::vector<member> members;
        for (const char* key : {"content", "attachments", "components", "poll", "flags", "pinned",
                                "edited_timestamp", "sticker_items"})
            if (writer.below(3) > 0) members.emplace_back(key, writer.value(3));
        const auto fingerprint = [&] {
            std::vector<member> d = members;
            d.emplace_back("embeds", writer.value(3));  // differs each time
            const std::string text = writer.object(
                {{"op", "0"}, {"s", "1"}, {"t", "\"MESSAGE_UPDATE\""}, {"d", writer.object(d)}});
            const auto e = s.scan(text);
            EXPECT_TRUE(e) << text;
            return e ? e->fields.edit_fingerprint : 0;
        };
        const std::uint64_t first = fingerprint();
        EXPECT_NE(first, 0u);
        EXPECT_EQ(fingerprint(), first);
        ASSERT_FALSE(HasFailure());
    }
}

TEST(EnvelopeProperty, CutOrDamagedFramesNeverCrashAndCutOnesNeverPass) {
    const unsigned seed = 99;
    SCOPED_TRACE("seed " + std::to_string(seed));
    frame_writer writer(seed);
    scanner s;
    for (int round = 0; round < 1500; ++round) {
        const expected_frame frame = random_frame(writer);
        const std::string text = write_frame(writer, frame);
        const std::size_t last = text.rfind('}');
        const std::string cut = text.substr(0, writer.below(last + 1));
        EXPECT_FALSE(s.scan(cut)) << cut;
        std::string damaged = text;
        for (unsigned n = 1 + writer.below(3); n > 0; --n)
            damaged[writer.below(damaged.size())] = static_cast<char>(writer.below(256));
        if (const auto e = s.scan(damaged); e && e->op == 0) {
            EXPECT_FALSE(e->t.empty());
            EXPECT_FALSE(e->d.empty());
        }
        ASSERT_FALSE(HasFailure());
    }
}

}  // namespace
}  // namespace shardgate
