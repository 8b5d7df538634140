// SPDX-License-Identifier: Apache-2.0
// Keys whose feature comes later: the default and nothing else.
#include <gtest/gtest.h>

#include "unit/config/fixture.hpp"

namespace shardgate::config::test {
namespace {

struct later {
    const char* line;
    const char* key;
};

class NotYet : public testing::TestWithParam<later> {};

TEST_P(NotYet, IsSaidForAnyOtherValue) {
    const problem p = bad(GetParam().line);
    EXPECT_EQ(p.key, GetParam().key);
    EXPECT_EQ(p.what.rfind("not yet: ", 0), 0U) << p.what;
    EXPECT_EQ(p.line, 2U);
}

INSTANTIATE_TEST_SUITE_P(
    Keys, NotYet,
    testing::Values(later{"sharding.workers = 2", "sharding.workers"},
                    later{"sharding.shards_per_worker = 3", "sharding.shards_per_worker"},
                    later{"sharding.spread = \"round-robin\"", "sharding.spread"},
                    later{"controllers.script = \"/x.lua\"", "controllers.script"},
                    later{"controllers.call_instructions = 5000", "controllers.call_instructions"},
                    later{"controllers.call_time = \"5ms\"", "controllers.call_time"},
                    later{"controllers.memory = \"1MiB\"", "controllers.memory"},
                    later{"cluster.nats_url = \"nats://localhost:4222\"", "cluster.nats_url"},
                    later{"cluster.credentials_file = \"/x\"", "cluster.credentials_file"},
                    later{"cluster.ca_file = \"/x\"", "cluster.ca_file"},
                    later{"cluster.name = \"other\"", "cluster.name"},
                    later{"cluster.node = \"a\"", "cluster.node"},
                    later{"cluster.lease = \"6s\"", "cluster.lease"},
                    later{"cluster.partitions = 32", "cluster.partitions"}),
    [](const testing::TestParamInfo<later>& which) {
        std::string name = which.param.key;
        for (char& c : name)
            if (c == '.') c = '_';
        return name;
    });

TEST(NotYetExceptions, WhatAlreadyMeansNothingIsAccepted) {
    EXPECT_FALSE(good("resharding.enabled = false").resharding.enabled);
    EXPECT_TRUE(good("resharding.enabled = true").resharding.enabled);
    const settings s = good("state.directory = \"\"\nqueue.overflow = \"drop-oldest\"");
    EXPECT_EQ(s.state.directory, "");
    EXPECT_EQ(good("state.directory = \"/srv/bot\"").state.directory, "/srv/bot");
}

TEST(NotYetExceptions, AWrongValueIsWrongFirst) {
    EXPECT_HAS(bad("sharding.workers = 0").what, "is 0, allowed: a whole number from 1 to 256");
    EXPECT_HAS(bad("cluster.name = \"\"").what, "is empty, allowed");
    EXPECT_HAS(bad("cluster.node = \"a b\"").what, "is \"a b\", allowed");
    EXPECT_HAS(bad("cluster.nats_url = \"http://x\"").what, "has the scheme \"http\"");
}

TEST(NotYetExceptions, TheCommandLineGetsNoFurther) {
    EXPECT_HAS(bad("", {{"sharding.workers", "2"}}).text(),
               "command line: sharding.workers: not yet");
}

}  // namespace
}  // namespace shardgate::config::test
