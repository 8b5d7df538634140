// SPDX-License-Identifier: Apache-2.0
#include "shardgate/metrics/prometheus_text.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "shardgate/base/random.hpp"
#include "shardgate/base/utf8.hpp"
#include "support/prometheus_parser.hpp"

namespace shardgate {
namespace {

using kind = prometheus_text::kind;

TEST(PrometheusText, AFamilyIsHelpTypeAndSamples) {
    prometheus_text page;
    page.family(kind::gauge, "shards", "Shards by state.");
    page.sample(std::uint64_t{3}, {{"state", "ready"}});
    page.sample(0U, {{"state", "idle"}});

    EXPECT_EQ(page.take(),
              "# HELP shardgate_shards Shards by state.\n"
              "# TYPE shardgate_shards gauge\n"
              "shardgate_shards{state=\"ready\"} 3\n"
              "shardgate_shards{state=\"idle\"} 0\n");
}

TEST(PrometheusText, TakingThePageLeavesAnEmptyOne) {
    prometheus_text page;
    page.family(kind::gauge, "a", "A.");
    static_cast<void>(page.take());

    EXPECT_EQ(page.take(), "");
}

TEST(PrometheusText, SharedFamiliesHaveNoPrefix) {
    prometheus_text page;
    page.shared_family(kind::gauge, "process_open_fds", "Open.");
    page.sample(7.0);

    EXPECT_NE(page.take().find("\nprocess_open_fds 7\n"), std::string::npos);
}

TEST(PrometheusText, NumbersAreWrittenPlainly) {
    prometheus_text page;
    page.family(kind::gauge, "v", "V.");
    page.sample(0.00025, {{"n", "a"}});
    page.sample(100000.0, {{"n", "b"}});
    page.sample(std::numeric_limits<std::uint64_t>::max(), {{"n", "c"}});
    page.sample(std::numeric_limits<double>::quiet_NaN(), {{"n", "d"}});
    page.sample(-std::numeric_limits<double>::infinity(), {{"n", "e"}});
    page.sample(1e300, {{"n", "f"}});
    page.sample(0.0, {{"n", "g"}});
    const std::string text = page.take();

    for (const char* const line :
         {"{n=\"a\"} 0.00025\n", "{n=\"b\"} 100000\n", "{n=\"c\"} 18446744073709551615\n",
          "{n=\"d\"} NaN\n", "{n=\"e\"} -Inf\n", "{n=\"f\"} 1e+300\n", "{n=\"g\"} 0\n"})
        EXPECT_NE(text.find(line), std::string::npos) << line << text;
}

TEST(PrometheusText, LabelValuesAreEscaped) {
    prometheus_text page;
    page.family(kind::counter, "events_total", "Events.");
    page.sample(std::uint64_t{1}, {{"type", "a\"b\\c\nd"}});

    EXPECT_NE(page.take().find(R"({type="a\"b\\c\nd"} 1)"), std::string::npos);
}

TEST(PrometheusText, HelpIsEscaped) {
    prometheus_text page;
    page.family(kind::gauge, "g", "one\ntwo \\ \"three\"");

    EXPECT_NE(page.take().find("# HELP shardgate_g one\\ntwo \\\\ \"three\"\n"), std::string::npos);
}

TEST(PrometheusText, HistogramsAreCumulative) {
    histogram h;
    h.observe(std::chrono::milliseconds(1));
    h.observe(std::chrono::milliseconds(1));
    h.observe(std::chrono::seconds(2));
    h.observe(std::chrono::hours(1));
    prometheus_text page;
    page.family(kind::histogram, "lag_seconds", "Lag.");
    page.sample(h, {{"url", "x"}});

    const test::prometheus_page read(page.take());
    const std::string bucket = "shardgate_lag_seconds_bucket";
    EXPECT_EQ(read.value(bucket, {{"url", "x"}, {"le", "0.0005"}}), 0);
    EXPECT_EQ(read.value(bucket, {{"url", "x"}, {"le", "0.001"}}), 2);
    EXPECT_EQ(read.value(bucket, {{"url", "x"}, {"le", "1"}}), 2);
    EXPECT_EQ(read.value(bucket, {{"url", "x"}, {"le", "2.5"}}), 3);
    EXPECT_EQ(read.value(bucket, {{"url", "x"}, {"le", "+Inf"}}), 4);
    EXPECT_EQ(read.value("shardgate_lag_seconds_count", {{"url", "x"}}), 4);
    EXPECT_DOUBLE_EQ(read.value("shardgate_lag_seconds_sum", {{"url", "x"}}), 3602.002);
}

TEST(PrometheusTextProperty, AnyBytesInALabelComeBackAsUtf8) {
    constexpr std::uint64_t seed = 4711;
    random_source random(seed);
    for (int i = 0; i < 3000; ++i) {
        std::string value(random.below(30), ' ');
        for (char& c : value)
            c = static_cast<char>(static_cast<unsigned char>(random.below(256)));
        prometheus_text page;
        page.family(kind::counter, "events_total", value);
        page.sample(std::uint64_t{1}, {{"type", value}, {"z", "last"}});

        const test::prometheus_page read(page.take());
        const auto& sample = read.family("shardgate_events_total").samples.at(0);
        ASSERT_EQ(sample.labels.at(0).second, to_valid_utf8(value)) << "seed " << seed;
        ASSERT_EQ(sample.labels.at(1).second, "last") << "seed " << seed;
    }
}

// The reader has to be worth trusting.
TEST(PrometheusParser, RefusesWhatPrometheusWouldRefuse) {
    const std::string head = "# HELP a A.\n# TYPE a gauge\n";
    for (const std::string& text :
         {head + "a 1", head + "a\n", head + "a x\n", head + "b 1\n", head + "a{l=1} 1\n",
          head + "a{l=\"x} 1\n", head + "a{l=\"\\q\"} 1\n", head + "a 1\na 2\n", head + "\n",
          head + head, head + "a{1=\"x\"} 1\n", std::string("a 1\n"),
          std::string("# TYPE a gauge\n"), std::string("# HELP a A.\n# TYPE a counter\na 1\n"),
          std::string("# HELP a A.\n# TYPE a histogram\na_bucket{le=\"1\"} 1\na_count 1\n")})
        EXPECT_THROW(test::prometheus_page{text}, std::runtime_error) << text;
    EXPECT_NO_THROW(test::prometheus_page{head + "a{l=\"x\"} 1\n"});
}

}  // namespace
}  // namespace shardgate
