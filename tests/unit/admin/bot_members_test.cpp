// SPDX-License-Identifier: Apache-2.0
// Members of a guild as their caller gets them.
#include "admin/bot_members.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "unit/admin/fake_view.hpp"

namespace shardgate::admin {
namespace {

struct AdminMembers : testing::Test {
    test::fake_view view;
    target at = *parse_target("/v1/guilds/41/members");
    std::optional<http_response> answer;

    AdminMembers() { view.sent.what = send_reply::kind::accepted; }
    std::optional<http_response> ask(std::string_view body) {
        return members(view, at, body, [this](http_response r) { answer = std::move(r); });
    }
    static std::shared_ptr<const std::string> text(std::string t) {
        return std::make_shared<const std::string>(std::move(t));
    }
    std::string read(body_stream::next& what) const {
        std::string out;
        what = answer->stream->read(out, time_point{});
        return out;
    }
};

TEST_F(AdminMembers, AnswersChunkByChunkAndEndsWithTheLast) {
    EXPECT_FALSE(ask(R"({"query":"","limit":0})"));
    ASSERT_EQ(view.member_asks.size(), 1U);
    EXPECT_EQ(view.member_asks[0].guild, 41U);
    EXPECT_EQ(view.member_asks[0].d, R"({"query":"","limit":0})");
    EXPECT_FALSE(answer);
    EXPECT_TRUE(view.readers[0]->on_chunk(text("{\"a\":1}")));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200U);
    EXPECT_EQ(answer->content_type, "application/x-ndjson");
    body_stream::next what{};
    EXPECT_EQ(read(what), "{\"a\":1}\n");
    EXPECT_EQ(what, body_stream::next::wait);
    int woken = 0;
    answer->stream->wake = [&] { ++woken; };
    EXPECT_TRUE(view.readers[0]->on_chunk(text("{\"a\":2}")));
    view.readers[0]->on_end(members_end::complete, {});
    EXPECT_EQ(woken, 2);
    EXPECT_EQ(read(what), "{\"a\":2}\n");
    EXPECT_EQ(what, body_stream::next::end);
}

TEST_F(AdminMembers, WhatBreaksOffSaysSoInItsLastLine) {
    EXPECT_FALSE(ask(""));
    EXPECT_TRUE(view.readers[0]->on_chunk(text("{}")));
    view.readers[0]->on_end(members_end::timed_out, {});
    body_stream::next what{};
    EXPECT_EQ(read(what), "{}\n{\"error\":\"Discord did not send the next chunk in time.\"}\n");
    EXPECT_EQ(what, body_stream::next::end);
}

TEST_F(AdminMembers, WithoutAnyChunkTheStatusSaysWhy) {
    EXPECT_FALSE(ask("{}"));
    view.readers[0]->on_end(members_end::timed_out, {});
    EXPECT_EQ(answer->status, 504U);
    EXPECT_FALSE(ask("{}"));
    view.readers[1]->on_end(members_end::rate_limited, std::chrono::milliseconds(29500));
    EXPECT_EQ(answer->status, 429U);
    ASSERT_FALSE(answer->headers.empty());
    EXPECT_EQ(answer->headers[0].second, "30");
}

TEST_F(AdminMembers, AClientThatLeftIsNotReadFor) {
    EXPECT_FALSE(ask("{}"));
    EXPECT_TRUE(view.readers[0]->on_chunk(text("{}")));
    answer.reset();
    EXPECT_FALSE(view.readers[0]->on_chunk(text("{}")));
    view.readers[0]->on_end(members_end::complete, {});
    EXPECT_FALSE(answer);
}

TEST_F(AdminMembers, RefusalsComeAtOnce) {
    view.sent.what = send_reply::kind::not_here;
    EXPECT_EQ(ask("{}")->status, 404U);
    view.sent.what = send_reply::kind::wrong;
    EXPECT_EQ(ask("{}")->status, 422U);
    view.sent.what = send_reply::kind::full;
    EXPECT_EQ(ask("{}")->status, 429U);
    const auto before = view.member_asks.size();
    EXPECT_EQ(ask("{")->status, 400U);
    for (const char* path : {"/v1/guilds/x/members", "/v1/guilds/0/members",
                             "/v1/guilds/99999999999999999999/members"}) {
        at = *parse_target(path);
        EXPECT_EQ(ask("{}")->status, 404U) << path;
    }
    at = *parse_target("/v1/guilds/41/members?limit=1");
    EXPECT_EQ(ask("{}")->status, 400U);
    EXPECT_EQ(view.member_asks.size(), before);
}

}  // namespace
}  // namespace shardgate::admin
