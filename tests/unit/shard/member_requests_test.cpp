// SPDX-License-Identifier: Apache-2.0
#include "shardgate/shard/member_requests.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace shardgate {
namespace {

using namespace std::chrono_literals;

struct fake_reader final : member_reader {
    std::vector<std::shared_ptr<const std::string>> chunks;
    std::vector<members_end> ends;
    duration wait{};
    bool reads = true;

    bool on_chunk(const std::shared_ptr<const std::string>& d) override {
        if (reads) chunks.push_back(d);
        return reads;
    }
    void on_end(members_end how, duration w) override {
        ends.push_back(how);
        wait = w;
    }
};

struct MemberRequests : testing::Test {
    member_limits limits;
    member_requests book{"run"};
    time_point now{1000s};

    static std::shared_ptr<fake_reader> reader() { return std::make_shared<fake_reader>(); }
    void chunk(const std::string& nonce, std::uint32_t index, std::uint32_t count,
               std::string_view d = "{}") {
        book.on_chunk({nonce, index, count}, d, now);
    }
};

TEST_F(MemberRequests, HandsOverEveryChunkAndSaysWhenItIsAll) {
    const auto r = reader();
    const auto place = book.add("k", r, now);
    EXPECT_FALSE(place.joined);
    EXPECT_TRUE(member_requests::is_ours(place.nonce));
    EXPECT_LE(place.nonce.size(), 32U);
    chunk(place.nonce, 0, 2, "{\"a\":\n1}");
    EXPECT_TRUE(r->ends.empty());
    chunk(place.nonce, 1, 2);
    ASSERT_EQ(r->chunks.size(), 2U);
    EXPECT_EQ(*r->chunks[0], "{\"a\": 1}") << "a line each";
    EXPECT_EQ(r->ends, std::vector{members_end::complete});
    EXPECT_EQ(book.size(), 0U);
    EXPECT_EQ(book.stats().complete, 1U);
    EXPECT_EQ(book.deadline(), never);
}

TEST_F(MemberRequests, EqualRequestsAreOneAndThoseThatJoinLateHaveWhatCameBefore) {
    const auto a = reader(), b = reader(), c = reader();
    const auto first = book.add("k", a, now);
    EXPECT_TRUE(book.add("k", b, now).joined);
    EXPECT_FALSE(book.add("other", c, now).joined);
    chunk(first.nonce, 0, 2);
    const auto late = reader();
    EXPECT_TRUE(book.add("k", late, now).joined);
    EXPECT_EQ(late->chunks.size(), 1U);
    chunk(first.nonce, 1, 2);
    for (const auto& r : {a, b, late}) {
        EXPECT_EQ(r->chunks.size(), 2U);
        EXPECT_EQ(r->ends.size(), 1U);
    }
    EXPECT_TRUE(c->ends.empty());
    EXPECT_EQ(book.stats().shared, 2U);
    EXPECT_FALSE(book.add("k", reader(), now).joined) << "that one is over";
}

TEST_F(MemberRequests, ALargeAnswerIsNotKeptForOthers) {
    const auto a = reader();
    const auto first = book.add("k", a, now);
    chunk(first.nonce, 0, 3, std::string(limits.kept + 1, ' '));
    EXPECT_FALSE(book.add("k", reader(), now).joined);
}

TEST_F(MemberRequests, WhatAResumeBringsAgainCountsOnce) {
    const auto r = reader();
    const auto p = book.add("k", r, now);
    chunk(p.nonce, 0, 2);
    chunk(p.nonce, 0, 2);
    EXPECT_EQ(r->chunks.size(), 1U);
    EXPECT_TRUE(r->ends.empty());
    chunk(p.nonce, 1, 2);
    EXPECT_EQ(r->ends.size(), 1U);
}

TEST_F(MemberRequests, SilenceEndsARequestInTime) {
    const auto r = reader(), s = reader();
    const auto p = book.add("k", r, now);
    EXPECT_EQ(book.deadline(), now + limits.first);
    now += limits.first - 1s;
    chunk(p.nonce, 0, 3);
    EXPECT_EQ(book.deadline(), now + limits.next);
    (void)book.add("s", s, now);
    now += limits.next;
    book.on_timer(now);
    EXPECT_EQ(r->ends, std::vector{members_end::timed_out});
    EXPECT_TRUE(s->ends.empty());
    now += limits.first;
    book.on_timer(now);
    EXPECT_EQ(s->ends, std::vector{members_end::timed_out});
    chunk(p.nonce, 1, 3);
    EXPECT_EQ(book.stats().late, 1U);
}

TEST_F(MemberRequests, ARateLimitIsWaitedForWhenThereIsTime) {
    const auto r = reader();
    const auto p = book.add("k", r, now);
    EXPECT_TRUE(book.on_rate_limited(p.nonce, 20s, now));
    EXPECT_TRUE(r->ends.empty());
    EXPECT_FALSE(book.on_rate_limited(p.nonce, 300s, now)) << "longer than anybody waits";
    EXPECT_EQ(r->ends, std::vector{members_end::rate_limited});
    EXPECT_EQ(r->wait, 300s);
    const auto again = reader();
    const auto q = book.add("k", again, now);
    EXPECT_TRUE(book.on_rate_limited(q.nonce, 1s, now));
    EXPECT_TRUE(book.on_rate_limited(q.nonce, 1s, now));
    EXPECT_FALSE(book.on_rate_limited(q.nonce, 1s, now)) << "not for ever";
    EXPECT_EQ(again->ends.size(), 1U);
    EXPECT_FALSE(book.on_rate_limited("shardgate:x:1", 1s, now));
}

TEST_F(MemberRequests, RequestsReadersAndBytesAreBounded) {
    for (std::size_t i = 0; i < limits.requests; ++i)
        EXPECT_FALSE(book.add(std::to_string(i), reader(), now).nonce.empty());
    EXPECT_TRUE(book.add("more", reader(), now).nonce.empty());
    EXPECT_EQ(book.stats().refused, 1U);

    member_limits small;
    small.unread = 100;
    small.readers = 2;
    member_requests tight("run", small);
    const auto r = reader();
    const auto p = tight.add("k", r, now);
    EXPECT_TRUE(tight.add("k", reader(), now).joined);
    EXPECT_FALSE(tight.add("k", reader(), now).joined);
    tight.on_chunk({p.nonce, 0, 9}, std::string(60, ' '), now);
    EXPECT_EQ(tight.unread(), 60U);
    tight.on_chunk({p.nonce, 1, 9}, std::string(60, ' '), now);
    EXPECT_EQ(r->ends, std::vector{members_end::too_slow});
    EXPECT_EQ(tight.unread(), 60U) << "still held by its reader";
}

TEST_F(MemberRequests, WhatIsReadIsNotHeld) {
    auto r = reader();
    const auto p = book.add("k", r, now);
    chunk(p.nonce, 0, 1, "{\"members\":[]}");
    EXPECT_EQ(book.unread(), 14U);
    r->chunks.clear();
    EXPECT_EQ(book.unread(), 0U);
}

TEST_F(MemberRequests, WithoutReadersAnAnswerIsTakenAndThrownAway) {
    const auto r = reader();
    const auto p = book.add("k", r, now);
    r->reads = false;
    chunk(p.nonce, 0, 3, std::string(limits.kept + 1, ' '));
    EXPECT_EQ(book.size(), 0U);
    EXPECT_EQ(book.stats().abandoned, 1U);
    EXPECT_EQ(book.unread(), 0U);
    chunk(p.nonce, 1, 3);
    EXPECT_TRUE(r->ends.empty());
}

TEST_F(MemberRequests, AHostileChunkIsIgnored) {
    const auto r = reader();
    const auto p = book.add("k", r, now);
    chunk(p.nonce, 0, 0);
    chunk(p.nonce, 5, 5);
    chunk(p.nonce, 0, 4'000'000'000U);
    chunk("shardgate:other:1", 0, 1);
    EXPECT_TRUE(r->chunks.empty());
    EXPECT_EQ(book.stats().late, 4U);
    book.withdraw(p.nonce);
    EXPECT_EQ(book.size(), 0U);
    EXPECT_TRUE(r->ends.empty());
}

}  // namespace
}  // namespace shardgate
