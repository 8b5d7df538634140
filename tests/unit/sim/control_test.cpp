// SPDX-License-Identifier: Apache-2.0
// The control API's calls, and the command line.
#include "sim/control.hpp"

#include <gtest/gtest.h>
#include <boost/json/serialize.hpp>

#include "sim/certificates.hpp"
#include "unit/sim/sim_fixture.hpp"

namespace shardgate::sim {
namespace {

using namespace testing;

struct desk : bench {
    std::unique_ptr<client> c = connect();

    desk() { ready(*c, 0, 1); }
    result<json::value> emit(std::string_view text) {
        return control_emit(*p, json::parse(text), now);
    }
    std::string names() {
        std::string out;
        for (const std::string& f : take(*c))
            out += std::string(json::parse(f).at("t").as_string()) + " ";
        return out;
    }
};

TEST(Control, EmitsEveryThingByName) {
    desk b;
    const auto one = [&](const char* text) {
        const auto done = b.emit(text);
        EXPECT_TRUE(done) << text;
        EXPECT_EQ(done->at("made").to_number<int>(), 1) << text;
        return b.names();
    };

    EXPECT_EQ(one(R"({"what":"message"})"), "MESSAGE_CREATE ");
    EXPECT_EQ(one(R"({"what":"edit"})"), "MESSAGE_CREATE MESSAGE_UPDATE ");
    EXPECT_EQ(one(R"({"what":"unfurl"})"), "MESSAGE_CREATE MESSAGE_UPDATE ");
    EXPECT_EQ(one(R"({"what":"typing","dm":true})"), "TYPING_START ");
    EXPECT_EQ(one(R"({"what":"ephemeral"})"), "MESSAGE_CREATE ");
    EXPECT_EQ(one(R"({"what":"unknown","name":"SOMETHING_NEW"})"), "SOMETHING_NEW ");
    EXPECT_EQ(one(R"({"what":"guild_join"})"), "GUILD_CREATE ");
    EXPECT_EQ(one(R"({"what":"guild_leave"})"), "GUILD_DELETE ");
    EXPECT_EQ(one(R"({"what":"bulk","bytes":100000})"), "SIMULATED_BULK ");
    EXPECT_EQ(one(R"({"what":"interaction","type":4})"), "INTERACTION_CREATE ");
    EXPECT_EQ(one(R"({"what":"interaction","type":5,"from_component":true,"dm":true})"),
              "INTERACTION_CREATE ");
    EXPECT_EQ(one(R"({"what":"join_request"})"), "GUILD_JOIN_REQUEST_UPDATE ");
    EXPECT_EQ(one(R"({"what":"presence","shard":[0,1]})"), "PRESENCE_UPDATE ");
}

TEST(Control, EmitAnswersTheIdsOfInteractions) {
    desk b;
    const auto done = b.emit(R"({"what":"interaction","type":3,"count":3})");

    ASSERT_TRUE(done);
    EXPECT_EQ(done->at("ids").as_array().size(), 3U);
    EXPECT_EQ(b.p->callbacks.totals()[3].created, 3U);
}

TEST(Control, OutagesTakeGuildsAwayAndBack) {
    desk b;
    EXPECT_EQ(b.emit(R"({"what":"outage","share":1})")->at("made").to_number<int>(), 40);
    EXPECT_EQ(b.emit(R"({"what":"message"})")->at("made").to_number<int>(), 0);
    b.take(*b.c);
    EXPECT_EQ(b.emit(R"({"what":"back"})")->at("made").to_number<int>(), 40);
    EXPECT_EQ(b.take(*b.c).size(), 40U);
    const std::string id = std::to_string(b.p->guilds.at(3).id);
    EXPECT_EQ(b.emit(R"({"what":"outage","guild":")" + id + "\"}")->at("made").to_number<int>(), 1);
}

TEST(Control, SaysWhatIsWrongWithAnEmit) {
    desk b;
    for (const char* bad :
         {"[]", "{}", R"({"what":1})", R"({"what":"nothing"})", R"({"what":"message","count":-1})",
          R"({"what":"message","count":99999999})", R"({"what":"interaction","type":1})",
          R"({"what":"message","guild":"1"})", R"({"what":"message","shard":[0]})",
          R"({"what":"message","shard":[0,0]})", R"({"what":"bulk","bytes":99999999999})"})
        EXPECT_FALSE(b.emit(bad)) << bad;
}

TEST(Control, LoadStartsAndStops) {
    desk b;
    EXPECT_TRUE(control_load(*b.p, json::parse(R"({"rate":100})"), b.now));
    EXPECT_TRUE(b.p->generator.running());
    EXPECT_TRUE(control_load(*b.p, json::parse(R"({"stop":true})"), b.now));
    EXPECT_FALSE(b.p->generator.running());
    EXPECT_FALSE(control_load(*b.p, json::parse(R"({"mix":"?"})"), b.now));
    EXPECT_FALSE(control_load(*b.p, json::parse("[]"), b.now));
}

TEST(Control, FaultsAreMetArmedAndCleared) {
    desk b;
    const auto armed = control_fault(
        *b.p, json::parse(R"({"kind":"close","code":4000,"next":2,"phase":"ready"})"), b.now);
    ASSERT_TRUE(armed);
    EXPECT_EQ(armed->at("armed").as_array().size(), 1U);
    EXPECT_TRUE(control_fault(*b.p, json::parse(R"({"clear":true})"), b.now));
    EXPECT_TRUE(b.p->gate.faults().report(b.now.at).empty());
    EXPECT_TRUE(control_fault(*b.p, json::parse(R"({"rest":{"status":503}})"), b.now));
    EXPECT_FALSE(control_fault(*b.p, json::parse(R"({"rest":{"scope":"x"}})"), b.now));
    EXPECT_FALSE(control_fault(*b.p, json::parse(R"({"kind":"x"})"), b.now));
    const auto met = control_fault(*b.p, json::parse(R"({"kind":"close","code":4009})"), b.now);
    EXPECT_EQ(met->at("met").to_number<int>(), 1);
    EXPECT_EQ(b.c->io.closed, 4009);
}

TEST(Control, SettingsAreCheckedByNameAndValue) {
    desk b;
    const auto set = [&](const char* text) {
        return static_cast<bool>(control_settings(*b.p, json::parse(text), b.now));
    };

    EXPECT_TRUE(set(R"({"trim":"heartbeat","duplicates":0.5,"decoys":true,"send_limit":60,
                        "heartbeat_interval_ms":1000,"token":"other","starts_remaining":3})"));
    EXPECT_EQ(b.p->settings.gateway.trim, ring_trim::heartbeat);
    EXPECT_EQ(b.p->settings.encoding.duplicates, 0.5);
    EXPECT_EQ(b.p->settings.gateway.heartbeat_interval, 1000ms);
    EXPECT_EQ(b.p->rules.budget_at(b.now.at).remaining, 3U);
    EXPECT_TRUE(b.p->rules.token_valid("other"));
    EXPECT_FALSE(set(R"({"trim":"sometimes"})"));
    EXPECT_FALSE(set(R"({"duplicates":2})"));
    EXPECT_FALSE(set(R"({"send_limit":-1})"));
    EXPECT_FALSE(set(R"({"decoys":1})"));
    EXPECT_FALSE(set(R"({"colour":"red"})"));
    EXPECT_FALSE(set("[]"));
}

TEST(Control, ExpectationsAreRead) {
    desk b;
    EXPECT_TRUE(control_expect(
        *b.p, json::parse(R"({"drop":["TYPING_START"],"only":[],"loading_guilds":"arrives",
                              "unfurls":"may_arrive"})")));
    EXPECT_EQ(b.p->out.expected().loading_guilds, expectation::arrives);
    EXPECT_EQ(b.p->out.expected().unfurls, expectation::may_arrive);
    EXPECT_TRUE(b.p->out.expected().drop.contains("TYPING_START"));
    for (const char* bad : {"[]", R"({"drop":1})", R"({"only":[1]})", R"({"unfurls":"x"})",
                            R"({"loading_guilds":1})"})
        EXPECT_FALSE(control_expect(*b.p, json::parse(bad))) << bad;
}

TEST(Control, StateAndReportTellWhatHappened) {
    desk b;
    b.heartbeat(*b.c, 41);
    b.emit(R"({"what":"typing","count":3})");
    const json::value state = control_state(*b.p, b.now);
    const json::object session = state.at("sessions").as_array().at(0).as_object();
    EXPECT_EQ(session.at("seq").to_number<int>(), 44);
    EXPECT_EQ(session.at("heartbeat_seq").to_number<int>(), 41);
    EXPECT_EQ(state.at("shards").as_array().at(0).at("identifies").to_number<int>(), 1);
    const json::value report = control_report(*b.p, b.now);
    EXPECT_EQ(report.at("pacing_violations").to_number<int>(), 0);
    EXPECT_EQ(report.at("missing").to_number<int>(), 3);
    EXPECT_EQ(report.at("events_by_name").at("TYPING_START").to_number<int>(), 3);
    EXPECT_EQ(report.at("gateway").at("heartbeats").to_number<int>(), 1);
    EXPECT_EQ(control_identifies(*b.p).as_array().size(), 1U);
    b.hang_up(*b.c, 4200);
    const json::value after = control_state(*b.p, b.now);
    EXPECT_EQ(after.at("shards").as_array().at(0).at("last_client_close").to_number<int>(), 4200);
}

TEST(Control, TheAccountIsFlatAndCarriesTheGaps) {
    desk b;
    b.emit(R"({"what":"typing","count":40})");
    b.hang_up(*b.c);
    const auto met = control_fault(*b.p, json::parse(R"({"kind":"forget"})"), b.now);
    ASSERT_TRUE(met);
    EXPECT_EQ(met->at("met").to_number<int>(), 1);
    EXPECT_FALSE(control_fault(*b.p, json::parse(R"({"kind":"forget","next":1})"), b.now))
        << "it happens at once or not at all";
    const json::object account = control_account(*b.p, {{"shed", json::object{{"total", 3}}}});

    EXPECT_EQ(account.at("identifies").to_number<int>(), 1);
    EXPECT_EQ(account.at("resumes").to_number<int>(), 0);
    EXPECT_EQ(account.at("beyond_budget").to_number<int>(), 0);
    EXPECT_EQ(account.at("sent").to_number<int>(), 80) << "with the loading guilds";
    EXPECT_EQ(account.at("lost_by").at("forgotten").to_number<int>(), 40) << "without them";
    EXPECT_EQ(account.at("gaps").at("shed").at("total").to_number<int>(), 3);
}

TEST(Control, ResettingDropsEverybody) {
    desk b;
    b.p->gate.clear(b.now.at);

    EXPECT_EQ(b.c->io.dropped, 2);
    EXPECT_EQ(b.p->sessions.size(), 0U);
}

TEST(Options, AreReadFromTheCommandLine) {
    int code = -1;
    const char* argv[] = {"sim",
                          "--scale",
                          "100",
                          "--guilds",
                          "7",
                          "--trim",
                          "resume",
                          "--no-numbers",
                          "--heartbeat-interval",
                          "1000",
                          "--zstd-level",
                          "-5"};
    const auto o = parse_options(12, argv, code);

    ASSERT_TRUE(o);
    EXPECT_EQ(o->scale, 100);
    EXPECT_EQ(o->world.guilds, 7U);
    EXPECT_EQ(o->gateway.trim, ring_trim::resume);
    EXPECT_FALSE(o->encoding.numbers);
    EXPECT_EQ(o->encoding.zstd_level, -5);
    EXPECT_EQ(o->scaled(o->gateway.heartbeat_interval), duration(10ms));
}

TEST(Options, AWrongOneIsAUsageError) {
    int code = -1;
    const char* unknown[] = {"sim", "--nonsense"};
    EXPECT_FALSE(parse_options(2, unknown, code));
    EXPECT_EQ(code, 64);
    const char* window[] = {"sim", "--zstd-window-log", "30"};
    EXPECT_FALSE(parse_options(3, window, code));
    EXPECT_EQ(code, 64);
}

TEST(Certificates, AreMadeAnewEachTime) {
    const certificates a = make_certificates();
    const certificates b = make_certificates();

    EXPECT_NE(a.ca_pem.find("BEGIN CERTIFICATE"), std::string::npos);
    EXPECT_NE(a.server_key_pem.find("PRIVATE KEY"), std::string::npos);
    EXPECT_NE(a.server_pem, b.server_pem);
}

}  // namespace
}  // namespace shardgate::sim
