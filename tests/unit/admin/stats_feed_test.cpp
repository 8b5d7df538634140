// SPDX-License-Identifier: Apache-2.0
#include "admin/stats_feed.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <memory>
#include <string>
#include <vector>

#include "admin/quantile.hpp"
#include "fake_view.hpp"

namespace shardgate::admin {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string read(body_stream& s, time_point now) {
    std::string out;
    EXPECT_EQ(s.read(out, now), body_stream::next::wait);
    return out;
}

boost::json::value figures(const std::string& text) {
    const std::size_t at = text.find("data: ");
    EXPECT_NE(at, std::string::npos);
    EXPECT_TRUE(text.ends_with("\n\n"));
    return boost::json::parse(text.substr(at + 6));
}

const time_point start{seconds(1000)};

TEST(StatsFeed, FiguresHaveWhatTheDashboardShows) {
    test::fake_view view;
    view.all.events_by_type = {{"MESSAGE_CREATE", 10}, {"TYPING_START", 5}};
    view.all.filtered_by_reason = {{"event_name", 4}};
    view.all.handler_requests = {{"accepted", 9}, {"refused", 1}, {"failed", 2}, {"timeout", 3}};
    view.all.delivery_lag_seconds.observe(milliseconds(20));
    view.all.loop_lag_seconds = {0.001, 0.003};
    stats_feed feed(view);
    const auto client = feed.open();
    const auto v = figures(read(*client, start));
    EXPECT_EQ(v.at("status").at("version"), "1.2.3");
    EXPECT_EQ(v.at("reshard").at("state"), "idle");
    EXPECT_EQ(v.at("totals").at("received"), 15);
    EXPECT_EQ(v.at("totals").at("filtered"), 4);
    EXPECT_EQ(v.at("totals").at("accepted"), 1);
    EXPECT_EQ(v.at("totals").at("refused"), 1);
    EXPECT_EQ(v.at("totals").at("timeout"), 3);
    EXPECT_NEAR(v.at("lag").at("p50_ms").to_number<double>(), 17.5, 0.1);
    EXPECT_NEAR(v.at("loop_lag_ms").to_number<double>(), 3, 1e-9);
    const auto& sets = v.at("sets").as_array();
    ASSERT_EQ(sets.size(), 2U) << "the active set and the one that a resharding builds";
    EXPECT_EQ(sets[0].at("generation"), 2);
    const auto& states = v.at("states").as_array();
    const auto& first = sets[0].at("shards").as_array().at(0).as_array();
    EXPECT_EQ(first[0], 0);
    EXPECT_EQ(states.at(first[1].to_number<std::size_t>()), "ready");
    EXPECT_NEAR(first[2].to_number<double>(), 41.25, 1e-9);
    EXPECT_EQ(first[3], 10);
    EXPECT_EQ(first[4], 7);
    EXPECT_TRUE(sets[0].at("shards").as_array().at(1).as_array()[2].is_null());
}

TEST(StatsFeed, OneTextASecondForAll) {
    test::fake_view view;
    stats_feed feed(view);
    const auto one = feed.open();
    const auto two = feed.open();
    static_cast<void>(read(*one, start));
    const int asked = view.asked;
    static_cast<void>(read(*two, start + milliseconds(100)));
    EXPECT_EQ(view.asked, asked) << "the same text";
    EXPECT_EQ(read(*one, start + milliseconds(900)), "");
    EXPECT_EQ(one->deadline(), start + seconds(1));
    EXPECT_NE(read(*one, start + seconds(1)), "");
    EXPECT_GT(view.asked, asked);
}

TEST(StatsFeed, TheLagIsThatOfTheLastSecond) {
    test::fake_view view;
    stats_feed feed(view);
    const auto client = feed.open();
    view.all.delivery_lag_seconds.observe(seconds(8));
    static_cast<void>(read(*client, start));
    EXPECT_TRUE(figures(read(*client, start + seconds(1))).at("lag").at("p99_ms").is_null());
    view.all.delivery_lag_seconds.observe(milliseconds(2));
    const auto v = figures(read(*client, start + seconds(2)));
    EXPECT_LT(v.at("lag").at("p99_ms").to_number<double>(), 3);
}

TEST(StatsFeed, ClientsAreCountedAndBounded) {
    test::fake_view view;
    stats_feed feed(view);
    std::vector<std::shared_ptr<body_stream>> all;
    for (std::size_t i = 0; i < stats_feed::most_clients; ++i)
        all.push_back(feed.open());
    EXPECT_EQ(feed.open(), nullptr);
    all.pop_back();
    EXPECT_EQ(feed.clients(), stats_feed::most_clients - 1);
    EXPECT_NE(feed.open(), nullptr);
    feed.close();
    std::string text;
    EXPECT_EQ(all[0]->read(text, start), body_stream::next::end);
    EXPECT_EQ(feed.open(), nullptr);
    EXPECT_EQ(view.asked, 0) << "nobody has read";
}

TEST(Quantile, IsBetweenItsBucketsBounds) {
    histogram before, after;
    EXPECT_FALSE(quantile(before, after, 0.5));
    for (int i = 0; i < 90; ++i)
        after.observe(milliseconds(30));
    for (int i = 0; i < 10; ++i)
        after.observe(seconds(700));
    EXPECT_GT(*quantile(before, after, 0.5), 0.025);
    EXPECT_LT(*quantile(before, after, 0.5), 0.05);
    EXPECT_EQ(*quantile(before, after, 0.99), histogram::bounds.back());
    EXPECT_FALSE(quantile(after, after, 0.5));
}

}  // namespace
}  // namespace shardgate::admin
