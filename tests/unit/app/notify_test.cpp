// SPDX-License-Identifier: Apache-2.0
// What `systemctl status` shows.
#include "app/notify.hpp"

#include <gtest/gtest.h>

namespace shardgate {
namespace {

TEST(ServiceStatus, SaysWhatIsWaitedForBeforeThereAreShards) {
    status_snapshot s;
    EXPECT_EQ(service_status(s), "starting");
    s.waiting_for = "GET /gateway/bot";
    EXPECT_EQ(service_status(s), "waiting for GET /gateway/bot");
}

TEST(ServiceStatus, CountsTheShardsOfThisDaemonAndWhatWaits) {
    status_snapshot s;
    s.total = 32;
    s.first = 16;
    s.last = 31;
    s.ready = 3;
    s.handler_state = "up";
    EXPECT_EQ(service_status(s), "3 of 16 shards ready, handler up");
    s.queue.events = 5;
    s.queue.spooled_events = 7;
    s.handler_state = "down";
    s.storage.state = "failing";
    EXPECT_EQ(service_status(s),
              "3 of 16 shards ready, handler down, 12 events queued, storage fails");
}

}  // namespace
}  // namespace shardgate
