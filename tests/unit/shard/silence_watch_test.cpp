// SPDX-License-Identifier: Apache-2.0
#include "shardgate/shard/silence_watch.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

#include "shardgate/base/random.hpp"

namespace shardgate {
namespace {

using namespace std::chrono_literals;

// A fleet whose shards get events like Poisson processes, watched once a second.
class watched_fleet {
public:
    watched_fleet(std::uint32_t shards, double rate, std::uint64_t seed = 1)
        : random_(seed),
          watch_(silence_settings{}, shard_id{10}, shards, now_),
          rates_(shards, rate) {
        for (std::uint32_t i = 0; i < shards; ++i)
            live(i, true);
    }
    std::vector<double>& rates() { return rates_; }
    std::vector<silence_advice>& advice() { return advice_; }
    time_point now() const { return now_; }
    void live(std::uint32_t shard, bool is) { watch_.on_live(shard_id{10 + shard}, is, now_); }
    void mute(std::uint32_t shard, shed_class what) { muted_.insert({shard, what}); }
    void unmute() { muted_.clear(); }
    void burst(std::uint32_t shard, int n) {
        for (int i = 0; i < n; ++i)
            watch_.on_event(shard_id{10 + shard}, shed_class::other);
    }

    void run(duration d, double factor = 1) {
        for (const time_point end = now_ + d; now_ < end;) {
            now_ += 1s;
            for (std::uint32_t i = 0; i < rates_.size(); ++i)
                for (const shed_class c : {shed_class::other, shed_class::ephemeral})
                    for (int n = poisson(rates_[i] * factor); n > 0; --n)
                        if (!muted_.contains({i, c})) watch_.on_event(shard_id{10 + i}, c);
            if (const auto a = watch_.poll(now_)) advice_.push_back(*a);
        }
    }
    silence_watch& watch() { return watch_; }

private:
    int poisson(double mean) {
        const double limit = std::exp(-mean);
        int n = 0;
        for (double p = random_.unit(); p > limit; p *= random_.unit())
            ++n;
        return n;
    }

    random_source random_;
    time_point now_{1h};
    silence_watch watch_;
    std::vector<double> rates_;
    std::set<std::pair<std::uint32_t, shed_class>> muted_;
    std::vector<silence_advice> advice_;
};

TEST(SilenceWatch, ASilentShardIsResumedThenIdentifiedAgain) {
    watched_fleet f(8, 5);
    f.run(15min);
    EXPECT_TRUE(f.advice().empty());
    f.mute(3, shed_class::other);
    f.mute(3, shed_class::ephemeral);
    f.run(40s);
    ASSERT_EQ(f.advice().size(), 1U);
    EXPECT_EQ(f.advice()[0].shard, shard_id{13});
    EXPECT_EQ(f.advice()[0].step, silence_step::resume);
    EXPECT_GE(f.advice()[0].silent, 30s);
    EXPECT_GE(f.advice()[0].expected, 50);

    f.run(1min);
    EXPECT_EQ(f.advice().size(), 1U) << "no second step before the first was taken";
    f.live(3, false);
    f.run(2s);
    f.live(3, true);
    f.run(25s);
    EXPECT_EQ(f.advice().size(), 1U);
    f.run(20s);
    ASSERT_EQ(f.advice().size(), 2U);
    EXPECT_EQ(f.advice()[1].shard, shard_id{13});
    EXPECT_EQ(f.advice()[1].step, silence_step::identify);

    f.live(3, false);
    f.run(5s);
    f.live(3, true);
    f.run(25min);
    EXPECT_EQ(f.advice().size(), 2U) << "then it is left in peace";
}

TEST(SilenceWatch, AResumeThatHelpsClosesTheCase) {
    watched_fleet f(8, 5);
    f.run(15min);
    f.mute(3, shed_class::other);
    f.run(45s);
    ASSERT_EQ(f.advice().size(), 1U);
    EXPECT_EQ(f.advice()[0].what, shed_class::other) << "one class is enough";
    f.live(3, false);
    f.unmute();
    f.live(3, true);
    f.run(30min);
    EXPECT_EQ(f.advice().size(), 1U);
    f.mute(3, shed_class::other);
    f.run(45s);
    ASSERT_EQ(f.advice().size(), 2U);
    EXPECT_EQ(f.advice()[1].step, silence_step::resume) << "a new case starts at the first step";
}

TEST(SilenceWatch, AnOutageOfAllIsNobodysFault) {
    watched_fleet f(8, 5);
    f.run(15min);
    f.run(30min, 0);
    EXPECT_TRUE(f.advice().empty());
}

TEST(SilenceWatch, AQuietNightIsNoSilence) {
    watched_fleet f(8, 2);
    for (int hour = 0; hour < 6; ++hour)
        f.run(20min, 1.0 / (1 + hour * hour));
    EXPECT_TRUE(f.advice().empty());
}

TEST(SilenceWatch, AShardThatNeverHadMuchMayBeSilent) {
    watched_fleet f(8, 5);
    f.rates()[2] = 0.02;  // one event in 50 seconds
    f.run(30min);
    f.mute(2, shed_class::other);
    f.mute(2, shed_class::ephemeral);
    f.run(15min);
    EXPECT_TRUE(f.advice().empty()) << "18 events missing are too few to be sure";
}

TEST(SilenceWatch, OneAtATime) {
    watched_fleet f(16, 5);
    f.run(15min);
    for (const std::uint32_t shard : {1U, 2U, 3U})
        f.mute(shard, shed_class::other);
    f.run(45s);
    ASSERT_EQ(f.advice().size(), 1U);
    f.live(1, false);
    f.run(4min);
    EXPECT_EQ(f.advice().size(), 1U);
    f.run(90s);  // the first case has taken too long
    ASSERT_EQ(f.advice().size(), 2U);
    EXPECT_EQ(f.advice()[1].shard, shard_id{12});
}

TEST(SilenceWatch, AShardThatIsNotLiveIsNotSilent) {
    watched_fleet f(8, 5);
    f.run(15min);
    f.live(3, false);
    f.mute(3, shed_class::other);
    f.mute(3, shed_class::ephemeral);
    f.run(30min);
    EXPECT_TRUE(f.advice().empty());
}

TEST(SilenceWatch, WithoutSiblingsThereIsNothingToCompareWith) {
    watched_fleet f(1, 5);
    f.run(15min);
    f.run(15min, 0);
    EXPECT_TRUE(f.advice().empty());
}

TEST(SilenceWatch, ABurstDoesNotMakeTheUsualLookLikeSilence) {
    watched_fleet f(8, 0.05);
    f.run(1h);
    for (int i = 0; i < 20; ++i) {
        f.burst(4, 1000);  // the chunks of a member request
        f.run(1s);
    }
    f.run(30min);
    EXPECT_TRUE(f.advice().empty());
}

TEST(SilenceWatch, OurOwnStallIsNoFinding) {
    watched_fleet f(8, 5);
    f.run(15min);
    const time_point late = f.now() + 10min;
    EXPECT_FALSE(f.watch().poll(late));
    EXPECT_EQ(f.watch().deadline(), late + 1s);
}

TEST(SilenceWatch, UnknownShardsAreIgnored) {
    watched_fleet f(2, 5);
    f.watch().on_event(shard_id{9}, shed_class::other);
    f.watch().on_event(shard_id{12}, shed_class::other);
    f.watch().on_live(shard_id{4'000'000'000}, true, f.now());
    f.run(1min);
    EXPECT_TRUE(f.advice().empty());
}

TEST(SilenceWatchProperty, HealthyFleetsOfAllSizesGetNoAdvice) {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        random_source random(seed);
        watched_fleet f(static_cast<std::uint32_t>(2 + random.below(20)), 1, seed);
        for (double& rate : f.rates())
            rate = 0.01 + 6 * random.unit() * random.unit();
        f.run(2h);
        EXPECT_TRUE(f.advice().empty());
    }
}

}  // namespace
}  // namespace shardgate
