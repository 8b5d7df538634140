// SPDX-License-Identifier: Apache-2.0
// reload, send, tail and status --watch, with a daemon that the test plays.
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "client/colours.hpp"
#include "client/commands.hpp"
#include "client/tail.hpp"

namespace shardgate::client {
namespace {

using config::command;
using texts = std::vector<std::string>;

class Operating : public testing::Test {
protected:
    int run(command what) {
        tools with;
        with.ask = [this](const admin_call& call) {
            asked.push_back(call.method + ' ' + call.target +
                            (call.body.empty() ? "" : ' ' + call.body));
            if (answers.empty()) return result<admin_answer>(failure("nobody there"));
            admin_answer next = answers.front();
            answers.erase(answers.begin());
            return result<admin_answer>(boost::system::in_place_value, std::move(next));
        };
        with.follow = [&](const admin_call& call, const taker& take) {
            result<admin_answer> answer = with.ask(call);
            for (const std::string& piece : pieces)
                if (answer && answer->status == 200 && !take(piece)) break;
            return answer;
        };
        with.pause = [this](duration) { ++pauses; };
        terminal at{in, out, err};
        at.colours = colours;
        return run_command(what, options, with, at);
    }

    config::admin_options options;
    bool colours = false;
    std::vector<admin_answer> answers;
    texts asked, pieces;
    int pauses = 0;
    std::istringstream in;
    std::ostringstream out, err;
};

TEST_F(Operating, ReloadSaysWhatWasAppliedAndWhatWaits) {
    answers = {{200, R"({"applied":["filter.drop","log.level"],"unchanged":70,)"
                     R"("needs_restart":["sharding.total"]})"}};
    EXPECT_EQ(run(command::reload), 0);
    EXPECT_EQ(asked, texts{"POST /v1/reload {}"});
    EXPECT_EQ(out.str(),
              "applied: filter.drop, log.level\nneeds a restart: sharding.total\n"
              "unchanged: 70 keys\n");
}

TEST_F(Operating, ReloadOfABadFilePrintsEveryProblem) {
    answers = {{422, R"({"detail":"has 2 errors","problems":["a.toml:1:1: x","b\u001b[2J"]})"}};
    EXPECT_EQ(run(command::reload), 69);
    EXPECT_EQ(out.str(), "");
    EXPECT_NE(err.str().find("a.toml:1:1: x\nb?[2J\n"), std::string::npos);
    EXPECT_NE(err.str().find("has 2 errors"), std::string::npos);
}

TEST_F(Operating, SendGoesToTheGuildsShardOrToTheOneNamed) {
    options.payload_text = R"({"op":4,"d":{"guild_id":"41"}})";
    answers = {{202, "{}"}, {202, "{\"queued\":1}\n"}};
    EXPECT_EQ(run(command::send), 0);
    EXPECT_EQ(out.str(), "accepted\n");
    options.shard = 3;
    options.json = true;
    options.payload_text = "-";
    in.str("{\"op\":3,\"d\":{}}\n");
    EXPECT_EQ(run(command::send), 0);
    EXPECT_EQ(asked, (texts{R"(POST /v1/send {"op":4,"d":{"guild_id":"41"}})",
                            "POST /v1/shards/3/send {\"op\":3,\"d\":{}}\n"}));
    EXPECT_EQ(out.str(), "accepted\n{\"queued\":1}\n");
}

TEST_F(Operating, SendOfWhatIsNoObjectAsksNobody) {
    for (const char* text : {"", "x", "[]", "{} {}", "-"}) {
        options.payload_text = text;
        in.str(std::string(70'000, ' ') + "{}");
        EXPECT_EQ(run(command::send), 64) << text;
    }
    EXPECT_EQ(asked, texts{});
    options.payload_text = "{}";
    answers = {{422, R"({"detail":"op 9 is not one a bot sends"})"}};
    EXPECT_EQ(run(command::send), 69);
    EXPECT_NE(err.str().find("op 9 is not one a bot sends"), std::string::npos);
}

TEST_F(Operating, TailShowsEventsAsTheyComeHoweverTheyAreCut) {
    options.types = {"MESSAGE_CREATE", "TYPING_START"};
    options.guilds = {41};
    options.shard = 3;
    options.payload = true;
    answers = {{200, ""}};
    pieces = {
        ": hello\n\nda", "ta: {\"t\":\"MESSAGE_CREATE\",\"shard\":3,\"shards\":16,",
        "\"guild\":\"41\",\"bytes\":2048,\"at\":1700000000123,\"d\":{\"a\":\"\\u001b\"}}\r\n\r\n",
        "event: dropped\ndata: {\"events\":5}\n\n", "data: half"};
    EXPECT_EQ(run(command::tail), 0);
    EXPECT_EQ(asked, texts{"GET /v1/events?type=MESSAGE_CREATE&type=TYPING_START&guild=41&shard=3"
                           "&payload=1"});
    EXPECT_EQ(out.str(),
              "22:13:20.123  MESSAGE_CREATE  shard 3/16  guild 41  2.0 KiB  "
              "{\"a\":\"\\u001b\"}\n");
    EXPECT_NE(err.str().find("{\"events\":5}"), std::string::npos);
}

TEST_F(Operating, TailForScriptsIsALineOfJsonEach) {
    options.json = true;
    answers = {{200, ""}};
    pieces = {"data: {\"t\":\"A\"}\n\ndata: {\"t\":\"B\"}\n\n"};
    EXPECT_EQ(run(command::tail), 0);
    EXPECT_EQ(out.str(), "{\"t\":\"A\"}\n{\"t\":\"B\"}\n");
}

TEST_F(Operating, TailThatIsRefusedSaysWhy) {
    answers = {{503, R"({"detail":"16 others watch already"})"}};
    EXPECT_EQ(run(command::tail), 69);
    EXPECT_NE(err.str().find("16 others watch already"), std::string::npos);
}

TEST(EventStream, AnEventOfAnyLengthTakesBoundedMemory) {
    std::vector<std::string> seen;
    event_stream s([&](std::string_view, std::string_view data) { seen.emplace_back(data); });
    s.feed("data: ");
    for (int i = 0; i < 40; ++i)
        s.feed(std::string(1U << 16, 'x'));
    s.feed("\n\ndata: a\ndata: b\n\n");
    EXPECT_EQ(seen, texts{"a\nb"});
}

TEST(TailLine, WhatIsNoEventIsShownWithoutItsControlCharacters) {
    EXPECT_EQ(tail_line("\x1b[2Jx"), "?[2Jx");
    EXPECT_EQ(tail_line("{}"), "00:00:00.000    shard 0/0  0 B");
}

TEST_F(Operating, StatusWatchedAsksAgainUntilNobodyAnswers) {
    options.watch = true;
    for (int i = 0; i < 3; ++i) {
        answers.push_back({200, R"({"version":"1"})"});
        answers.push_back({200, "[]"});
    }
    EXPECT_EQ(run(command::status), 69);
    EXPECT_EQ(pauses, 3);
    EXPECT_EQ(asked.size(), 7U);
    EXPECT_EQ(out.str().find('\x1b'), std::string::npos);
}

TEST_F(Operating, StatusOnAScreenHasColours) {
    colours = true;
    answers = {{200, R"({"version":"1","handler":{"state":"down"},"warnings":["mind"]})"},
               {200, "[]"}};
    EXPECT_EQ(run(command::status), 0);
    EXPECT_NE(out.str().find("\x1b[31mdown\x1b[0m"), std::string::npos);
    EXPECT_NE(out.str().find("mind\x1b[0m"), std::string::npos);
}

TEST(Colours, TheTextStaysWhatItIs) {
    const std::string table =
        "daemon  up 3 h\nhandler  up\nwarning  x ready\nstates  ready 3, "
        "parked 1\nupper  upside";
    std::string bare = coloured(table);
    for (std::size_t at = bare.find('\x1b'); at != std::string::npos; at = bare.find('\x1b'))
        bare.erase(at, bare.find('m', at) - at + 1);
    EXPECT_EQ(bare, table);
    EXPECT_EQ(coloured("upper  upside"), "upper  upside");
    EXPECT_EQ(coloured("handler  up"), "handler  \x1b[32mup\x1b[0m");
}

}  // namespace
}  // namespace shardgate::client
