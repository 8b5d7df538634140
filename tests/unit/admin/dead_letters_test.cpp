// SPDX-License-Identifier: Apache-2.0
// The calls about dead letters, through the router.
#include "admin/dead_letters.hpp"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <string>
#include <utility>
#include <vector>

#include "admin/router.hpp"
#include "fake_view.hpp"

namespace shardgate::admin {
namespace {

using boost::json::value;

class DeadLetters : public testing::Test {
protected:
    http_response ask(std::string method, std::string target, std::string body = {},
                      std::string type = "application/json") {
        const router r(rules, view, [] { return page_extras{}; });
        http_request request;
        request.method = std::move(method);
        request.target = std::move(target);
        request.headers = {{"Host", "127.0.0.1:7600"}};
        if (!type.empty()) request.headers.emplace_back("Content-Type", std::move(type));
        request.body = std::move(body);
        return r.handle(request).value();
    }
    http_response list(const std::string& query = {}) {
        return ask("GET", "/v1/dead-letters" + query);
    }
    http_response retry(std::string body) {
        return ask("POST", "/v1/dead-letters/retry", std::move(body));
    }
    http_response remove(const std::string& query = {}, std::string body = {}) {
        return ask("DELETE", "/v1/dead-letters" + query, std::move(body));
    }
    static value json(const http_response& answer) { return boost::json::parse(answer.body); }
    // Refused with `status`, in words that hold `says`, and nothing was touched.
    void expect_refused(const http_response& answer, unsigned status, std::string_view says) {
        EXPECT_EQ(answer.status, status) << answer.body;
        EXPECT_EQ(answer.content_type, "application/problem+json");
        const std::string detail(json(answer).at("detail").as_string());
        EXPECT_NE(detail.find(says), std::string::npos) << detail;
        EXPECT_TRUE(view.changes.empty()) << view.changes[0];
    }

    test::fake_view view;
    guard_rules rules;
};

TEST_F(DeadLetters, AreAnArrayWithTheirFacts) {
    const value all = json(list());

    ASSERT_EQ(all.as_array().size(), 2U);
    const value& first = all.at(0);
    EXPECT_EQ(first.at("key"), "s1-7");
    EXPECT_EQ(first.at("event"), "MESSAGE_CREATE");
    EXPECT_EQ(first.at("shard").to_number<int>(), 1);
    EXPECT_EQ(first.at("shards").to_number<int>(), 3);
    EXPECT_EQ(first.at("guild"), "41");
    EXPECT_EQ(first.at("status").to_number<int>(), 422);
    EXPECT_EQ(first.at("attempts").to_number<int>(), 1);
    EXPECT_EQ(first.at("when").to_number<std::int64_t>(), 1700000000123);
    EXPECT_EQ(first.at("reason"), "refused");
    EXPECT_EQ(first.at("bytes").to_number<std::size_t>(), view.letters[0].payload->size());
    EXPECT_FALSE(first.as_object().contains("payload"));
    EXPECT_TRUE(all.at(1).at("guild").is_null());
    EXPECT_EQ(view.last_query.at_most, 100U);
    EXPECT_EQ(view.last_query.payload_bytes, 0U);
}

TEST_F(DeadLetters, NoneIsAnEmptyArray) {
    view.letters.clear();
    EXPECT_EQ(list().body, "[]\n");
    EXPECT_EQ(list("?payload=1").body, "[]\n");
}

TEST_F(DeadLetters, PayloadIsDiscordsTextByteForByte) {
    const http_response answer = list("?payload=1");

    EXPECT_NE(answer.body.find(R"("payload":{"op":0,"t":"X","s":7,"d":{"n":1.50}}})"),
              std::string::npos)
        << answer.body;
    EXPECT_EQ(json(answer).at(1).at("payload").at("s").to_number<int>(), 7);
    EXPECT_EQ(view.last_query.payload_bytes, payload_bytes_max);
}

TEST_F(DeadLetters, PayloadThatIsNoJsonIsAString) {
    view.letters[0].payload = "{\"t\":\xff}],[";
    view.letters[1].payload.reset();  // over the answer's bound
    const value all = json(list("?payload=1"));

    EXPECT_EQ(all.at(0).at("payload"), "{\"t\":\xef\xbf\xbd}],[");
    EXPECT_TRUE(all.at(1).at("payload").is_null());
    EXPECT_EQ(all.as_array().size(), 2U);
}

TEST_F(DeadLetters, WhatTheyWereToldIsMadeUtf8) {
    view.letters[0].reason = "\xff\n\"";
    EXPECT_EQ(json(list()).at(0).at("reason"), "\xef\xbf\xbd\n\"");
}

TEST_F(DeadLetters, LimitAndKeysReachTheView) {
    EXPECT_EQ(json(list("?limit=1")).as_array().size(), 1U);
    EXPECT_EQ(json(list("?limit=1000")).as_array().size(), 2U);
    EXPECT_EQ(json(list("?key=s1-9")).at(0).at("key"), "s1-9");
    static_cast<void>(list("?key=a&key=b%2Dc&payload=0"));
    EXPECT_EQ(view.last_query.keys, (std::vector<std::string>{"a", "b-c"}));
    EXPECT_EQ(view.last_query.payload_bytes, 0U);
}

TEST_F(DeadLetters, ParametersThatAreWrongSayWhatIsAllowed) {
    for (const char* const bad : {"0", "1001", "-1", "ten", "1x", "", "99999999999999999999999"})
        expect_refused(list(std::string("?limit=") + bad), 400, "from 1 to 1000");
    expect_refused(list("?payload=yes"), 400, "allowed: 1");
    expect_refused(list("?key="), 400, "key is empty");
    expect_refused(list("?pay=1"), 400, "allowed: limit, payload, key");
}

TEST_F(DeadLetters, RetryWithoutKeysIsAll) {
    for (const char* const body : {"", " \r\n", "{}"}) {
        const http_response answer = retry(body);
        EXPECT_EQ(answer.status, 200U) << body;
        EXPECT_TRUE(json(answer).as_object().contains("retried"));
    }
    EXPECT_EQ(view.changes, (std::vector<std::string>{"retry", "retry", "retry"}));
}

TEST_F(DeadLetters, RetryOfKeysIsOfTheseAlone) {
    const http_response answer = retry(R"({"keys":["s1-9","not there"]})");

    EXPECT_EQ(answer.body, "{\"retried\":1}\n");
    EXPECT_EQ(view.changes, std::vector<std::string>{"retry s1-9 not there"});
    EXPECT_EQ(view.letters.size(), 1U);
}

TEST_F(DeadLetters, AnEmptyListOfKeysIsNoneAndNotAll) {
    EXPECT_EQ(retry(R"({"keys":[]})").body, "{\"retried\":0}\n");
    EXPECT_TRUE(view.changes.empty());
}

TEST_F(DeadLetters, RetryRefusesWhatItDoesNotUnderstand) {
    expect_refused(retry("{"), 400, "not JSON");
    expect_refused(retry(std::string(5000, '[')), 400, "not JSON");
    for (const char* const bad : {"[]", "null", "\"s1-7\"", R"({"key":"s1-7"})",
                                  R"({"keys":"s1-7"})", R"({"keys":[7]})", R"({"keys":[""]})"})
        expect_refused(retry(bad), 422, "Allowed: no body or {} for all");
    expect_refused(ask("POST", "/v1/dead-letters/retry?key=s1-7", "{}"), 400, "into the body");
}

TEST_F(DeadLetters, DeleteTakesKeysOrAll) {
    EXPECT_EQ(remove("?key=s1-7").body, "{\"deleted\":1}\n");
    EXPECT_EQ(remove("?key=a&key=b").body, "{\"deleted\":0}\n");
    EXPECT_EQ(remove().body, "{\"deleted\":1}\n");
    EXPECT_EQ(view.changes, (std::vector<std::string>{"delete s1-7", "delete a b", "delete"}));
}

TEST_F(DeadLetters, DeleteRefusesWhatCouldMeanAllByMistake) {
    expect_refused(remove("?keys=s1-7"), 400, "allowed: key");
    expect_refused(remove("?key="), 400, "key is empty");
    expect_refused(remove("?key"), 400, "key is empty");
    expect_refused(remove("", R"({"keys":["s1-7"]})"), 400, "no body");
}

TEST_F(DeadLetters, ChangesAreGuardedAsAllChangesAre) {
    EXPECT_EQ(ask("DELETE", "/v1/dead-letters", "", "").status, 415U);
    EXPECT_EQ(ask("POST", "/v1/dead-letters/retry", "", "text/plain").status, 415U);
    EXPECT_EQ(ask("GET", "/v1/dead-letters", "", "").status, 200U);
    EXPECT_EQ(ask("POST", "/v1/dead-letters").status, 405U);
    EXPECT_EQ(ask("GET", "/v1/dead-letters/retry").status, 405U);
    rules.token = secret("right");
    EXPECT_EQ(ask("DELETE", "/v1/dead-letters").status, 401U);
    EXPECT_EQ(ask("POST", "/v1/dead-letters/retry").status, 401U);
    EXPECT_EQ(ask("GET", "/v1/dead-letters").status, 401U);
    EXPECT_TRUE(view.changes.empty());
}

}  // namespace
}  // namespace shardgate::admin
