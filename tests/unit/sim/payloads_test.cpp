// SPDX-License-Identifier: Apache-2.0
// The texts: JSON whatever happens, right in what a client looks at, of a real size.
#include "sim/payloads.hpp"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include "shardgate/protocol/envelope.hpp"
#include "sim/frame.hpp"

namespace shardgate::sim {
namespace {

namespace json = boost::json;

world_options one_guild() {
    world_options o;
    o.guilds = 8;
    o.guild_bytes = 15000;
    return o;
}

struct desk {
    world w{one_guild(), 7};
    payloads texts{false};
    rng random{5};

    desk() { texts.now(1760000000123); }
    place here(std::uint32_t g = 0) {
        place at;
        at.in = &w.at(g);
        at.channel = world::channel(*at.in, 0);
        return at;
    }
    std::string any(event_kind kind, const place& at) {
        std::string d;
        message m;
        m.id = 900000000000000000 + random.below(1000);
        m.where = at;
        m.seed = random.next();
        m.created_ms = 1760000000123;
        using enum event_kind;
        switch (kind) {
        case message_create:
        case message_reply:
        case message_bot:
        case message_file:
        case message_poll:
            m.shape = kind;
            texts.write(d, m);
            break;
        case message_edit:
            m.edits = 1;
            texts.write(d, m);
            break;
        case message_unfurl:
            m.unfurled = true;
            texts.write(d, m);
            break;
        case interaction_command:
        case interaction_component:
        case interaction_autocomplete:
        case interaction_modal: {
            interaction i;
            i.id = m.id;
            i.where = at;
            i.seed = m.seed;
            i.type = 2 + static_cast<std::uint32_t>(kind) -
                     static_cast<std::uint32_t>(interaction_command);
            i.from_component = kind == interaction_modal;
            i.token = "t0ken";
            texts.write(d, i);
            break;
        }
        default: texts.write(d, kind, at, m.id, m.seed);
        }
        payloads::finish(d, 17);
        return d;
    }
};

class EveryKind : public ::testing::TestWithParam<std::size_t> {};

TEST_P(EveryKind, IsAnObjectOfItsGuildWithTheNumberLast) {
    desk t;
    const auto kind = static_cast<event_kind>(GetParam());
    for (const bool decoys : {false, true}) {
        t.texts.decoys(decoys);
        for (int i = 0; i < 200; ++i) {
            const place at = t.here(static_cast<std::uint32_t>(i) % 8);
            const std::string d = t.any(kind, at);
            std::string frame;
            if (i % 2 == 0)
                write_dispatch(frame, type_of(kind).name, 41, d);
            else
                write_dispatch_shuffled(frame, type_of(kind).name, 41, d, t.random);

            json::error_code ec;
            const json::value v = json::parse(frame, ec);
            // Boost.JSON refuses lone surrogates, which Discord has been seen to send.
            if (!decoys && d.find("\\ud83d\"") == std::string::npos) {
                ASSERT_FALSE(ec) << frame;
                EXPECT_EQ((v.at("d").as_object().end() - 1)->key(), "_n");
            }
            frame.append(scanner::padding, '\0');
            scanner scan;
            const auto e = scan.scan({frame.data(), frame.size() - scanner::padding});
            ASSERT_TRUE(e) << e.error().detail << frame;
            EXPECT_EQ(e->t, type_of(kind).name);
            EXPECT_EQ(e->s, 41U);
            const bool guildless =
                kind == event_kind::subscription || kind == event_kind::user_update;
            EXPECT_EQ(e->fields.guild.value, guildless ? 0 : at.in->id) << frame;
            EXPECT_EQ(e->d, d);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Table, EveryKind, ::testing::Range<std::size_t>(0, event_kinds),
                         [](const auto& p) {
                             return std::to_string(p.param) + "_" +
                                    std::string(type_of(static_cast<event_kind>(p.param)).name);
                         });

TEST(Payloads, HaveRealSizes) {
    // Fact sheet 13.1; real traffic is within a factor of 1.5.
    struct row {
        event_kind kind;
        double bytes;
    };
    using enum event_kind;
    desk t;
    for (const row& r :
         {row{message_create, 1005}, row{message_reply, 2368}, row{message_bot, 2529},
          row{message_delete, 139}, row{presence, 560}, row{typing, 708}, row{reaction_add, 827},
          row{voice_state, 871}, row{member_update, 619}, row{interaction_command, 1802}}) {
        double sum = 0;
        for (int i = 0; i < 300; ++i)
            sum += static_cast<double>(t.any(r.kind, t.here()).size()) + 50;
        EXPECT_GT(sum / 300, r.bytes / 1.5) << type_of(r.kind).name;
        EXPECT_LT(sum / 300, r.bytes * 1.5) << type_of(r.kind).name;
    }
}

TEST(Payloads, GuildsHaveTheSizeAskedFor) {
    for (const std::uint32_t bytes : {5000U, 15000U, 40000U}) {
        world_options o;
        o.guilds = 100;
        o.guild_bytes = bytes;
        const world w(o, 3);
        payloads texts(false);
        double sum = 0;
        for (std::uint32_t i = 0; i < 100; ++i) {
            std::string d;
            texts.write_guild(d, w.at(i), guild_create_reason::loading);
            payloads::finish(d, 0);
            json::error_code ec;
            const json::value v = json::parse(d, ec);
            ASSERT_FALSE(ec);
            EXPECT_EQ(v.at("id").as_string(), std::to_string(w.at(i).id));
            EXPECT_FALSE(v.at("unavailable").as_bool());
            sum += static_cast<double>(d.size());
        }
        EXPECT_GT(sum / 100, bytes * 0.7);
        EXPECT_LT(sum / 100, bytes * 1.4);
    }
}

TEST(Payloads, TheSameSeedsGiveTheSameText) {
    desk a;
    desk b;
    for (int i = 0; i < 20; ++i)
        EXPECT_EQ(a.any(event_kind::message_bot, a.here()),
                  b.any(event_kind::message_bot, b.here()));
}

TEST(Payloads, AMessageInADmHasNoGuild) {
    desk t;
    place dm;
    dm.channel = 4242;
    const json::value v = json::parse(t.any(event_kind::typing, dm));

    EXPECT_FALSE(v.as_object().contains("guild_id"));
    EXPECT_FALSE(v.as_object().contains("member"));
    EXPECT_EQ(v.at("channel_id").as_string(), "4242");
}

TEST(Payloads, ComponentInteractionsCarryTheirMessage) {
    desk t;
    const json::value component = json::parse(t.any(event_kind::interaction_component, t.here()));
    const json::value command = json::parse(t.any(event_kind::interaction_command, t.here()));

    EXPECT_EQ(component.at("type").as_int64(), 3);
    EXPECT_TRUE(component.as_object().contains("message"));
    EXPECT_FALSE(command.as_object().contains("message"));
    EXPECT_EQ(command.at("token").as_string(), "t0ken");
}

TEST(Payloads, PaddingHasTheLengthAskedFor) {
    desk t;
    std::string d;
    t.texts.write_padding(d, t.here(), 100000);
    payloads::finish(d, 3);
    const json::value v = json::parse(d);

    EXPECT_EQ(v.at("padding").as_string().size(), 100000U);
}

TEST(Payloads, StampsAreWrittenAsDiscordDoes) {
    std::string out;
    json_text(out).stamp(1767225599999);

    EXPECT_EQ(out, "2025-12-31T23:59:59.999000+00:00");
}

TEST(Frame, ControlFramesHaveNullsForSAndT) {
    EXPECT_EQ(control_frame(11, "null"), R"({"t":null,"s":null,"op":11,"d":null})");
}

}  // namespace
}  // namespace shardgate::sim
