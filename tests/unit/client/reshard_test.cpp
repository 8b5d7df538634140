// SPDX-License-Identifier: Apache-2.0
// `shardgate reshard` against a daemon that answers from a list; pauses take no time.
#include <gtest/gtest.h>

#include <chrono>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "client/commands.hpp"
#include "client/render.hpp"

#include <boost/json/parse.hpp>

namespace shardgate::client {
namespace {

using texts = std::vector<std::string>;

const std::string plan =
    R"({"from":8,"to":16,"session_starts":16,"remaining":977,"estimated_s":108.75,)"
    R"("voice_guilds":["1","2"],"warnings":["Near.\u001b"]})";

std::string progress(const std::string& state, int percent, int generation = 2) {
    const bool runs = state == "starting" || state == "overlap" || state == "retiring";
    return R"({"state":")" + state + R"(","from":8,"to":16,"ready":4,"percent":)" +
           std::to_string(percent) + R"(,"eta_s":)" + (runs ? "12.5" : "null") +
           R"(,"reason":"because","generation":)" + std::to_string(generation) +
           R"(,"started_ago_s":65})";
}

const std::string idle =
    R"({"state":"idle","from":null,"to":null,"ready":0,"percent":0,"eta_s":null,"reason":null,)"
    R"("generation":null,"started_ago_s":null,"pairing":{},"warning":null})";

class ReshardCommand : public testing::Test {
protected:
    int run() {
        out_.str("");
        err_.str("");
        tools with;
        with.ask = [this](const admin_call& call) {
            asked.push_back(call.method + ' ' + call.target +
                            (call.body.empty() ? "" : ' ' + call.body));
            patience.push_back(call.patience);
            if (answers.empty()) return result<admin_answer>(failure("nobody there"));
            admin_answer next = answers.front();
            answers.erase(answers.begin());
            if (next.status == 0) return result<admin_answer>(failure("nobody there"));
            return result<admin_answer>(boost::system::in_place_value, std::move(next));
        };
        with.pause = [this](duration span) { paused += span; };
        return run_command(config::command::reshard, options, with,
                           {in_, out_, err_, false, screen});
    }
    [[nodiscard]] std::string out() const { return out_.str(); }
    [[nodiscard]] std::string err() const { return err_.str(); }

    config::admin_options options;
    bool screen = false;
    std::vector<admin_answer> answers;
    texts asked;
    std::vector<duration> patience;
    duration paused{0};

private:
    std::istringstream in_;
    std::ostringstream out_, err_;
};

TEST_F(ReshardCommand, BeginsAndSaysWhatItCosts) {
    options.shards = "16";
    answers = {{202, plan}};
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(asked, texts{R"(POST /v1/reshard {"shards":16})"});
    EXPECT_GE(patience.at(0), std::chrono::seconds(61));  // the daemon answers within 60 s
    EXPECT_EQ(out(),
              "resharding from 8 to 16 shards: 16 of 977 session starts, about 1 min 48 s\n"
              "live voice sessions in 2 guilds: 1, 2\n"
              "warning: Near.?\n");
}

TEST_F(ReshardCommand, ADryRunOnlyPlans) {
    options.shards = "auto";
    options.dry_run = true;
    answers = {{200, plan}};
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(asked, texts{R"(POST /v1/reshard {"shards":"auto","dry_run":true})"});
    EXPECT_EQ(out().rfind("8 to 16 shards would cost 16 of 977 session starts and take about", 0),
              0U)
        << out();
}

TEST_F(ReshardCommand, ARefusalIs69WithItsReason) {
    options.shards = "3";
    options.wait = true;
    answers = {{422, R"({"detail":"Too few."})"}};
    EXPECT_EQ(run(), 69);
    EXPECT_EQ(err(), "shardgate: the daemon answers 422: Too few.\n");
    EXPECT_EQ(out(), "");
}

TEST_F(ReshardCommand, WaitsUntilItIsDone) {
    options.shards = "16";
    options.wait = true;
    answers = {{202, plan},
               {200, progress("starting", 1)},
               {200, progress("starting", 2)},
               {200, progress("starting", 12)},
               {200, progress("overlap", 80)},
               {200, progress("retiring", 90)},
               {200, progress("done", 100)}};
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(asked.size(), 7U);
    EXPECT_EQ(paused, std::chrono::seconds(5));
    const std::string text = out().substr(out().find("starting"));
    EXPECT_EQ(text,
              "starting: 8 to 16 shards, 4 ready, 1 %, about 12.5 s left; because\n"
              "starting: 8 to 16 shards, 4 ready, 12 %, about 12.5 s left; because\n"
              "overlap: 8 to 16 shards, 4 ready, 80 %, about 12.5 s left; because\n"
              "retiring: 8 to 16 shards, 4 ready, 90 %, about 12.5 s left; because\n"
              "done: 8 to 16 shards, after 1 min 5 s; because\n");
    EXPECT_EQ(err(), "");
}

TEST_F(ReshardCommand, AnEndThatWasNotWantedIs69) {
    for (const char* const state : {"aborted", "failed"}) {
        options.shards = "16";
        options.wait = true;
        answers = {{202, plan}, {200, progress("starting", 1)}, {200, progress(state, 10)}};
        EXPECT_EQ(run(), 69) << state;
        EXPECT_NE(out().find(std::string(state) + ": 8 to 16"), std::string::npos);
    }
}

TEST_F(ReshardCommand, OnAScreenItDrawsABar) {
    screen = true;
    options.wait = true;
    answers = {{200, progress("starting", 40)},
               {200, progress("overlap", 80)},
               {200, progress("done", 100)}};
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(out(), "done: 8 to 16 shards, after 1 min 5 s; because\n");
    EXPECT_NE(
        err().find("\r[############..................] 40 % starting, 4/16 ready, 12.5 s left"),
        std::string::npos)
        << err();
    // What was longer is wiped, and in the end all of it.
    EXPECT_NE(err().find("overlap, 4/16 ready, 12.5 s left "), std::string::npos) << err();
    EXPECT_EQ(err().back(), '\r');
    EXPECT_EQ(err().find('\n'), std::string::npos);
}

TEST_F(ReshardCommand, JsonIsTheAnswersAlone) {
    options.shards = "16";
    options.wait = options.json = true;
    screen = true;
    answers = {
        {202, plan + "\n"}, {200, progress("starting", 1)}, {200, progress("done", 100) + "\n"}};
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(out(), plan + "\n" + progress("done", 100) + "\n");
    EXPECT_EQ(err(), "");
}

TEST_F(ReshardCommand, ADaemonThatIsAwayForAWhileIsWaitedFor) {
    options.wait = true;
    answers = {{200, progress("overlap", 80)},
               {0, ""},
               {503, "{}"},
               {0, ""},
               {200, progress("done", 100)}};
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(err(), "");
    answers = {{200, progress("overlap", 80)}};  // and then nobody any more
    asked.clear();
    EXPECT_EQ(run(), 69);
    EXPECT_EQ(err(), "shardgate: nobody there\n");
    EXPECT_EQ(asked.size(), 62U);
    answers = {{200, progress("overlap", 80)}, {401, "{}"}};
    EXPECT_EQ(run(), 69);
}

TEST_F(ReshardCommand, ARestartedDaemonIsAskedWhichShardsItHas) {
    options.shards = "16";
    options.wait = true;
    answers = {
        {202, plan}, {200, progress("retiring", 90)}, {200, idle}, {200, R"({"generation":2})"}};
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(err(), "shardgate: the daemon was restarted meanwhile, and has the new shards\n");
    answers = {
        {202, plan}, {200, progress("starting", 9)}, {200, idle}, {200, R"({"generation":1})"}};
    EXPECT_EQ(run(), 69);
    EXPECT_EQ(err(), "shardgate: the daemon was restarted meanwhile, and has the old shards\n");
    options.shards.clear();
    options.abort = true;
    answers = {{202, progress("starting", 9)},
               {200, progress("starting", 9)},
               {200, idle},
               {200, R"({"generation":1})"}};
    EXPECT_EQ(run(), 0);
}

TEST_F(ReshardCommand, AnotherOneIsNotTakenForOurs) {
    options.wait = true;
    answers = {{200, progress("starting", 40, 2)}, {200, progress("starting", 0, 3)}};
    EXPECT_EQ(run(), 69);
    EXPECT_NE(err().find("another resharding"), std::string::npos);
}

TEST_F(ReshardCommand, NothingToWaitForIsFine) {
    options.wait = true;
    answers = {{200, idle}};
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(out(), "idle: nothing has been resharded since the daemon started\n");
    answers = {{200, "{}"}};  // no daemon of ours
    EXPECT_EQ(run(), 69);
}

TEST_F(ReshardCommand, Aborts) {
    options.abort = true;
    answers = {{202, progress("starting", 3)}};
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(asked, texts{"DELETE /v1/reshard"});
    options.wait = true;
    answers = {{202, progress("starting", 3)}, {200, progress("aborted", 3)}};
    EXPECT_EQ(run(), 0);
    answers = {{202, progress("overlap", 3)}, {200, progress("done", 100)}};
    EXPECT_EQ(run(), 69);
    answers = {{409, R"({"detail":"Too late."})"}};
    EXPECT_EQ(run(), 69);
    EXPECT_NE(err().find("409: Too late."), std::string::npos);
}

TEST_F(ReshardCommand, ShowsHowItGoes) {
    answers = {{200, R"({"state":"overlap","from":8,"to":16,"ready":16,"percent":80,"eta_s":9,)"
                     R"("reason":null,"generation":2,"automatic":true,"started_ago_s":100,)"
                     R"("pairing":{"forwarded":7,"dropped":0,"held_bytes":4},"warning":"Full."})"}};
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(asked, texts{"GET /v1/reshard"});
    for (const char* const part :
         {"overlap", "from 8 to 16, 16 of the new ones ready", "80 %, about 9.0 s left",
          "1 min 40 s ago", "7 forwarded, 0 dropped; 4 B held", "Full."})
        EXPECT_NE(out().find(part), std::string::npos) << part << " in\n" << out();
    answers = {{200, idle}};
    EXPECT_EQ(run(), 0);
    EXPECT_NE(out().find("idle"), std::string::npos);
}

TEST(ReshardText, HostileAnswersDoNotDriveTheTerminal) {
    const std::string long_text(500, 'x');
    const auto v = boost::json::parse(R"({"state":"a\u001b[2J)" + long_text +
                                      R"(","percent":1e300,"to":-5,"eta_s":"soon","reason":[],)"
                                      R"("voice_guilds":[1,{}],"warnings":"w"})");
    const boost::json::object& o = v.as_object();
    EXPECT_LT(reshard_bar(o).size(), 80U);
    for (const std::string& text :
         {reshard_bar(o), reshard_line(o), render_reshard(o), render_plan(o, true)})
        EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_NE(reshard_bar(o).find("100 %"), std::string::npos);
}

TEST(ReshardText, ManyVoiceGuildsAreCut) {
    boost::json::array guilds;
    for (int i = 0; i < 30; ++i)
        guilds.emplace_back(std::to_string(i));
    boost::json::object plan_of_many;
    plan_of_many["voice_guilds"] = std::move(guilds);
    EXPECT_NE(render_plan(plan_of_many, false).find("30 guilds: 0, 1, 2"), std::string::npos);
    EXPECT_NE(render_plan(plan_of_many, false).find("19, and 10 more"), std::string::npos);
}

}  // namespace
}  // namespace shardgate::client
