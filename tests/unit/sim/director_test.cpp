// SPDX-License-Identifier: Apache-2.0
// What follows a message: edits and unfurls, unless it is deleted first.
#include "sim/director.hpp"

#include <gtest/gtest.h>

#include <set>

#include "unit/sim/sim_fixture.hpp"

namespace shardgate::sim {
namespace {

using namespace testing;

// The message a frame is about, if the frame is called `t`.
std::string subject(const std::string& frame, std::string_view t) {
    const json::value v = json::parse(frame);
    if (!v.at("t").is_string() || v.at("t").as_string() != json::string_view(t.data(), t.size()))
        return {};
    return std::string(v.at("d").at("id").as_string());
}

TEST(Director, AMessageThatWasDeletedIsUpdatedNoMore) {
    options o = small_options();
    o.world.guilds = 1;
    o.encoding.unfurls = o.encoding.edits = 1;
    bench b(o);
    const auto c = b.connect();
    b.ready(*c, 0, 1);

    std::set<std::string> deleted, updated;
    std::size_t late = 0;
    for (int i = 0; i < 200; ++i) {
        b.p->events.happen(event_kind::message_create, 0, b.now);
        if (i % 2 == 0) b.p->events.happen(event_kind::message_delete, 0, b.now);
        b.run(50ms);
        for (const std::string& frame : b.take(*c)) {
            if (const auto id = subject(frame, "MESSAGE_DELETE"); !id.empty()) deleted.insert(id);
            const auto id = subject(frame, "MESSAGE_UPDATE");
            if (id.empty()) continue;
            updated.insert(id);
            late += deleted.count(id);
        }
    }
    EXPECT_GT(deleted.size(), 50U);
    EXPECT_GT(updated.size(), 50U) << "the others are";
    EXPECT_EQ(late, 0U);
}

}  // namespace
}  // namespace shardgate::sim
