// SPDX-License-Identifier: Apache-2.0
#include "client/commands.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace shardgate::client {
namespace {

using config::command;

class Commands : public testing::Test {
protected:
    int run(command what) {
        out_.str("");
        err_.str("");
        tools with;
        with.ask = [this](const admin_call& call) {
            asked.push_back(call.method + ' ' + call.target +
                            (call.body.empty() ? "" : ' ' + call.body));
            if (answers.empty()) return result<admin_answer>(failure("nobody there\n"));
            admin_answer next = answers.front();
            answers.erase(answers.begin());
            return result<admin_answer>(boost::system::in_place_value, std::move(next));
        };
        return run_command(what, options, with, {in_, out_, err_, interactive});
    }
    [[nodiscard]] std::string out() const { return out_.str(); }
    [[nodiscard]] std::string err() const { return err_.str(); }
    void type(const char* text) {
        in_.clear();
        in_.str(text);
    }

    config::admin_options options;
    bool interactive = false;
    std::vector<admin_answer> answers;
    std::vector<std::string> asked;

private:
    std::istringstream in_;
    std::ostringstream out_, err_;
};

using texts = std::vector<std::string>;

TEST_F(Commands, QueueAsksOnceAndShowsATable) {
    answers = {{200, R"({"events":7,"bytes":1})"}};
    EXPECT_EQ(run(command::queue), 0);
    EXPECT_EQ(asked, texts{"GET /v1/queue"});
    EXPECT_NE(out().find("7 events"), std::string::npos);
}

TEST_F(Commands, JsonIsTheAnswerByteForByte) {
    options.json = true;
    answers = {{200, "{\"events\":1.50}\n"}, {200, "[ ]"}, {200, "{ }"}};
    EXPECT_EQ(run(command::queue), 0);
    EXPECT_EQ(out(), "{\"events\":1.50}\n");
    EXPECT_EQ(run(command::list_dead_letters), 0);
    EXPECT_EQ(out(), "[ ]");
    EXPECT_EQ(run(command::status), 0);
    EXPECT_EQ(out(), "{ }");
    EXPECT_EQ(asked.back(), "GET /v1/status");
}

TEST_F(Commands, StatusAsksForTheShardsToo) {
    answers = {{200, R"({"version":"9"})"}, {200, "[]"}};
    EXPECT_EQ(run(command::status), 0);
    EXPECT_EQ(asked, (texts{"GET /v1/status", "GET /v1/shards"}));
    EXPECT_NE(out().find("shardgate 9"), std::string::npos);
}

TEST_F(Commands, ListPassesItsBoundsOn) {
    options.limit = 7;
    answers = {{200, "[]"}, {200, "[]"}};
    EXPECT_EQ(run(command::list_dead_letters), 0);
    options.payload = true;
    EXPECT_EQ(run(command::list_dead_letters), 0);
    EXPECT_EQ(asked,
              (texts{"GET /v1/dead-letters?limit=7", "GET /v1/dead-letters?limit=7&payload=1"}));
}

TEST_F(Commands, DeeplyNestedPayloadsAreRead) {
    answers = {
        {200, R"([{"key":"k","payload":)" + std::string(100, '[') + std::string(100, ']') + "}]"}};
    EXPECT_EQ(run(command::list_dead_letters), 0) << err();
}

TEST_F(Commands, FailuresAre69AndSayWhy) {
    EXPECT_EQ(run(command::queue), 69);
    EXPECT_EQ(err(), "shardgate: nobody there?\n");
    answers = {{401, R"({"status":401,"detail":"This call needs a token.\u001b"})"}};
    EXPECT_EQ(run(command::queue), 69);
    EXPECT_EQ(err(), "shardgate: the daemon answers 401: This call needs a token.?\n");
    answers = {{502, "<html>"}};
    EXPECT_EQ(run(command::queue), 69);
    EXPECT_EQ(err(), "shardgate: the daemon answers 502\n");
    for (const char* const strange : {"", "<html>", "[]", "7", "{\"a\":"}) {
        answers = {{200, strange}};
        EXPECT_EQ(run(command::queue), 69);
        EXPECT_EQ(err(), "shardgate: what answers there is no shardgate daemon\n");
        EXPECT_EQ(out(), "");
    }
}

TEST_F(Commands, RetryOfAllSaysHowMany) {
    answers = {{200, R"({"retried":5})"}};
    EXPECT_EQ(run(command::retry_dead_letters), 0);
    EXPECT_EQ(asked, texts{"POST /v1/dead-letters/retry {}"});
    EXPECT_EQ(out(), "5 retried\n");
}

TEST_F(Commands, RetryOfKeysNamesEachOnce) {
    options.keys = {"a", "b\"", "a"};
    answers = {{200, R"({"retried":2})"}};
    EXPECT_EQ(run(command::retry_dead_letters), 0);
    EXPECT_EQ(asked, texts{R"(POST /v1/dead-letters/retry {"keys":["a","b\""]})"});
}

TEST_F(Commands, KeysThatAreNotThereAreTold) {
    options.keys = {"a", "b"};
    answers = {{200, R"({"deleted":1})"}};
    EXPECT_EQ(run(command::delete_dead_letters), 69);
    EXPECT_EQ(out(), "1 deleted\n");
    EXPECT_EQ(err(), "shardgate: 1 of 2 keys are of no dead letter\n");
}

TEST_F(Commands, ManyKeysGoInRequestsTheDaemonTakes) {
    for (int i = 0; i < 1000; ++i)
        options.keys.push_back(std::string(150, 'k') + '-' + std::to_string(i));
    answers = std::vector<admin_answer>(5, {200, R"({"retried":200})"});
    EXPECT_EQ(run(command::retry_dead_letters), 0) << err();
    for (const std::string& call : asked)
        EXPECT_LT(call.size(), 64U * 1024);

    asked.clear();
    answers = std::vector<admin_answer>(100, {200, R"({"deleted":25})"});
    EXPECT_EQ(run(command::delete_dead_letters), 0) << err();
    EXPECT_GT(asked.size(), 30U);
    for (const std::string& call : asked) {
        EXPECT_LT(call.size(), 6U * 1024);
        EXPECT_NE(call.find("?key="), std::string::npos);  // never a call that means all
    }
}

TEST_F(Commands, KeysAreEscapedInTheAddress) {
    options.keys = {"a&b=c%d", "e/f"};
    answers = {{200, R"({"deleted":2})"}};
    EXPECT_EQ(run(command::delete_dead_letters), 0);
    EXPECT_EQ(asked, texts{"DELETE /v1/dead-letters?key=a%26b%3Dc%25d&key=e%2Ff"});
}

TEST_F(Commands, WhatWasDoneBeforeAFailureIsTold) {
    options.keys.assign(201, "");
    for (std::size_t i = 0; i < options.keys.size(); ++i)
        options.keys[i] = "k" + std::to_string(i);
    answers = {{200, R"({"retried":200})"}};
    EXPECT_EQ(run(command::retry_dead_letters), 69);
    EXPECT_NE(err().find("before that 200 were retried"), std::string::npos);
}

TEST_F(Commands, DeletingAllWithoutAPersonNeedsYes) {
    EXPECT_EQ(run(command::delete_dead_letters), 64);
    EXPECT_TRUE(asked.empty());
    EXPECT_NE(err().find("--yes"), std::string::npos);

    options.yes = true;
    options.json = true;
    answers = {{200, R"({"deleted":3})"}};
    EXPECT_EQ(run(command::delete_dead_letters), 0);
    EXPECT_EQ(asked, texts{"DELETE /v1/dead-letters"});
    EXPECT_EQ(out(), "{\"deleted\":3}\n");
}

TEST_F(Commands, DeletingAllAsksThePerson) {
    interactive = true;
    for (const char* const no : {"n\n", "\n", "", "yep\n"}) {
        asked.clear();
        type(no);
        answers = {{200, R"({"dead_letters":3})"}};
        EXPECT_EQ(run(command::delete_dead_letters), 0);
        EXPECT_EQ(asked, texts{"GET /v1/queue"});
        EXPECT_NE(err().find("Delete all 3 dead letters?"), std::string::npos);
        EXPECT_NE(err().find("nothing deleted"), std::string::npos);
    }
    asked.clear();
    type("y\n");
    answers = {{200, R"({"dead_letters":3})"}, {200, R"({"deleted":3})"}};
    EXPECT_EQ(run(command::delete_dead_letters), 0);
    EXPECT_EQ(asked, (texts{"GET /v1/queue", "DELETE /v1/dead-letters"}));
    EXPECT_EQ(out(), "3 deleted\n");
}

TEST_F(Commands, NothingToDeleteIsNotAskedAbout) {
    interactive = true;
    answers = {{200, R"({"dead_letters":0})"}};
    EXPECT_EQ(run(command::delete_dead_letters), 0);
    EXPECT_EQ(out(), "no dead letters\n");
}

}  // namespace
}  // namespace shardgate::client
