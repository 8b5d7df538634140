// SPDX-License-Identifier: Apache-2.0
#include "client/render.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <string>

namespace shardgate::client {
namespace {

boost::json::object object(const char* text) {
    return boost::json::parse(text).as_object();
}
boost::json::array array(const char* text) {
    return boost::json::parse(text).as_array();
}

TEST(RenderQueue, ShowsWhatWaitsAndWhy) {
    EXPECT_EQ(render_queue(object(R"({
        "events":1842,"bytes":2210113,"spooled_events":12000,"spooled_bytes":15728640,
        "stored_events":1800,"oldest_age_s":75.2,"dead_letters":3,"lanes":611,
        "causes":{"handler_down":13842},"shed":{"ephemeral":120,"other":0},
        "storage":{"state":"failing","detail":"no space left on device","errors":7,"resets":0,
                   "last_write_ms":4.2,"file_bytes":20971520}})")),
              "in memory      1842 events, 2.1 MiB\n"
              "on disk alone  12000 events, 15.0 MiB\n"
              "in both        1800 events\n"
              "oldest         1 min 15 s\n"
              "waiting        handler_down 13842\n"
              "shed           ephemeral 120\n"
              "dead letters   3\n"
              "storage        failing: no space left on device, file 20.0 MiB, last write 4 ms, "
              "7 errors\n");
}

TEST(RenderQueue, AnEmptyQueueInMemoryIsShort) {
    EXPECT_EQ(render_queue(object(R"({"events":0,"bytes":0,"spooled_events":0,"spooled_bytes":0,
        "stored_events":0,"oldest_age_s":0,"dead_letters":0,"shed":{},"causes":{},
        "storage":{"state":"off"}})")),
              "in memory      0 events, 0 B\n"
              "on disk alone  0 events, 0 B\n"
              "in both        0 events\n"
              "dead letters   0\n"
              "storage        off (memory only)\n");
}

TEST(RenderQueue, KeysThatAreMissingOrStrangeAreDashes) {
    EXPECT_NE(render_queue({}).find("in memory      - events"), std::string::npos);
    EXPECT_NO_THROW(static_cast<void>(render_queue(object(
        R"({"events":-5,"bytes":1e300,"shed":[1],"causes":{"x":"y"},"storage":7,
            "dead_letters":{}})"))));
}

constexpr const char* one_letter = R"([{"key":"s1-7","event":"MESSAGE_CREATE","shard":3,
    "shards":16,"guild":"41","status":422,"attempts":1,"when":1700000000123,
    "reason":"refused\u001b[2J","bytes":2048)";

TEST(RenderDeadLetters, IsATableWithWholeKeys) {
    const std::string text = render_dead_letters(array((std::string(one_letter) + "}]").c_str()));

    EXPECT_NE(text.find("WHEN                      EVENT           SHARD  GUILD  STATUS"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("2023-11-14T22:13:20.123Z  MESSAGE_CREATE      3  41        422"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("  2.0 KiB  s1-7  refused?[2J\n"), std::string::npos) << text;
    EXPECT_EQ(render_dead_letters({}), "no dead letters\n");
}

TEST(RenderDeadLetters, PayloadsFollowTheTable) {
    const std::string with = std::string(one_letter) + R"(,"payload":{"t":"X","d":"\u009b"}}])";
    EXPECT_NE(
        render_dead_letters(array(with.c_str())).find("\ns1-7\n  {\"t\":\"X\",\"d\":\"?\"}\n"),
        std::string::npos);
    const std::string full = std::string(one_letter) + R"(,"payload":null}])";
    EXPECT_NE(render_dead_letters(array(full.c_str())).find("payload left out"), std::string::npos);
}

TEST(RenderDeadLetters, TimesBeyondTheCalendarAreDashes) {
    for (const char* when : {"-1", "1e300", "null", "\"x\"", "253402300800000"}) {
        const std::string text = std::string(R"([{"key":"k","when":)") + when + "},7]";
        EXPECT_NE(render_dead_letters(array(text.c_str())).find("\n-     -"), std::string::npos)
            << when << render_dead_letters(array(text.c_str()));
    }
}

TEST(RenderStatus, ShowsTheWholeDaemonAndOnlyShardsThatNeedALook) {
    const std::string text = render_status(
        object(R"({"version":"0.1.0","uptime_s":3601,"guilds":14210,
            "shards":{"total":16,"first":0,"last":2,"ready":2},
            "session_start_limit":{"total":1000,"remaining":968,"reset_after_s":50123},
            "handler":{"state":"down","urls":[{"url":"http://127.0.0.1:8080/","state":"down",
                "last_error":"connection refused","in_flight":0,"window":1}]},
            "queue":{"events":5,"bytes":5000,"oldest_age_s":2,"dead_letters":0},
            "storage":{"state":"up","file_bytes":40960,"last_write_ms":4},
            "waiting_for":"Discord","warnings":["spool.db was damaged"]})"),
        array(R"([{"id":0,"state":"ready"},{"id":1,"state":"resuming","state_age_s":3.5,
            "latency_ms":41.25,"last_close":4000},{"id":2,"state":"ready"}])"));

    for (const char* const line :
         {"daemon         shardgate 0.1.0, up 1 h 0 min\n",
          "shards         2 ready; 0 to 2 of 16 run here\n", "states         ready 2, resuming 1\n",
          "budget         968 of 1000 session starts left, full again in 13 h 55 min\n",
          "handler        down\n", "in memory      5 events, 4.9 KiB\n",
          "storage        up, file 40.0 KiB, last write 4 ms\n", "waiting for    Discord\n",
          "warning        spool.db was damaged\n",
          "http://127.0.0.1:8080/  down           0       1  connection refused\n",
          "    1  resuming  3.5 s          41        4000\n"})
        EXPECT_NE(text.find(line), std::string::npos) << line << "in\n" << text;
    EXPECT_EQ(text.find("\n    0  ready"), std::string::npos);
    EXPECT_NO_THROW(static_cast<void>(render_status({}, array("[1,{}]"))));
}

}  // namespace
}  // namespace shardgate::client
