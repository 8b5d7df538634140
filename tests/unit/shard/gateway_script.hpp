// SPDX-License-Identifier: Apache-2.0
// A scripted gateway peer, identify queue and runner in one, in virtual time: verbs feed the
// machine the events, expect_…() take its actions off in order. Frames go through the real scanner.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "unit/shard/session_rules.hpp"

namespace shardgate::test {

using namespace std::chrono_literals;

inline std::string describe(const session_action& a) {
    struct visitor {
        std::string operator()(const act::connect& x) const {
            return "connect(" + (x.base.empty() ? "generic" : x.base) +
                   (x.resuming ? ", resuming)" : ")");
        }
        std::string operator()(const act::send& x) const { return "send " + x.text; }
        std::string operator()(const act::close& x) const {
            return "close(" + std::to_string(x.code) + ", " + x.why + ")";
        }
        std::string operator()(const act::abort& x) const { return "abort(" + x.why + ")"; }
        std::string operator()(const act::enqueue_identify& x) const {
            return std::string("enqueue(") + (x.keep_place ? "keep" : "end") +
                   (x.explicit_request ? ", explicit)" : ")");
        }
        std::string operator()(const act::ready_for_permit&) const { return "ready_for_permit"; }
        std::string operator()(const act::not_ready_for_permit&) const {
            return "not_ready_for_permit";
        }
        std::string operator()(const act::leave_queue&) const { return "leave_queue"; }
        std::string operator()(const act::identified&) const { return "identified"; }
        std::string operator()(const act::session_started& x) const {
            return "started(" + x.record.session_id + ")";
        }
        std::string operator()(const act::session_resumed&) const { return "resumed"; }
        std::string operator()(const act::session_lost& x) const {
            return "lost(" + x.session_id + ", " + std::to_string(x.last.value) + ")";
        }
        std::string operator()(const act::park& x) const {
            return "park(" + std::to_string(x.code) + ")";
        }
        std::string operator()(const act::stop_bot& x) const {
            return "stop_bot(" + std::to_string(x.code) + ")";
        }
    };
    return std::visit(visitor{}, a);
}

inline session_settings test_settings() {
    session_settings s;
    s.profile.token = secret("token");
    s.profile.intents = 1;
    return s;
}

class gateway_script {
public:
    explicit gateway_script(const session_settings& settings = test_settings(),
                            std::uint64_t seed = 1)
        : random_(seed), fsm_(settings, shard_id{3}, shard_count{16}, random_) {}
    ~gateway_script() {
        EXPECT_EQ(rules_.broken(), "");
        EXPECT_TRUE(failed_ || actions_.empty()) << "left over: " << front();
    }
    gateway_script(const gateway_script&) = delete;
    gateway_script& operator=(const gateway_script&) = delete;

    session_fsm& fsm() { return fsm_; }
    time_point now() const { return now_; }
    const session_rules& rules() const { return rules_; }

    // ---- time: runs the machine's timers on their exact deadlines ------------------------------
    gateway_script& wait(duration d) {
        const time_point end = now_ + d;
        while (fsm_.deadline() <= end) {
            now_ = std::max(now_, fsm_.deadline());
            timer();
        }
        now_ = end;
        return *this;
    }
    // The loop stands still for `d`; the timer comes late.
    gateway_script& stall(duration d) {
        now_ += d;
        return timer();
    }
    gateway_script& timer() {
        return call([this](session_actions& out) { fsm_.on_timer(now_, out); });
    }

    // ---- what the owner does -------------------------------------------------------------------
    gateway_script& start(std::optional<session_record> stored = std::nullopt) {
        return call([&](session_actions& out) { fsm_.start(std::move(stored), now_, out); });
    }
    gateway_script& stop(close_code code = close_to_resume) {
        return call([&](session_actions& out) { fsm_.stop(code, now_, out); });
    }
    gateway_script& operator_reconnects(bool new_session) {
        return call([&](session_actions& out) { fsm_.reconnect(new_session, now_, out); });
    }
    gateway_script& near() {
        return call([&](session_actions& out) { fsm_.on_turn_near(now_, out); });
    }
    gateway_script& permit() {
        rules_.on_permit();
        return call([&](session_actions& out) { fsm_.on_permit(now_, out); });
    }
    bool submit(std::string text, int op) {
        bool taken = false;
        call([&](session_actions& out) { taken = fsm_.submit(std::move(text), op, now_, out); });
        return taken;
    }

    // ---- what the peer and the network do ------------------------------------------------------
    gateway_script& opened() {
        rules_.on_opened();
        return call([&](session_actions& out) { fsm_.on_opened(now_, out); });
    }
    gateway_script& closed(close_code code, bool was_open = true) {
        rules_.on_closed();
        return call([&](session_actions& out) { fsm_.on_closed(code, was_open, now_, out); });
    }
    gateway_script& drop() { return closed(0); }
    gateway_script& fails_to_open() { return closed(0, false); }
    gateway_script& broken_stream() {
        return call([&](session_actions& out) { fsm_.on_broken_stream("garbage", now_, out); });
    }
    gateway_script& frame(const std::string& text) {
        std::string padded = text + std::string(scanner::padding, ' ');
        return call([&](session_actions& out) {
            const result<envelope> e = scan_.scan(std::string_view(padded).substr(0, text.size()));
            if (e.has_error()) {
                fsm_.on_broken_stream(e.error().detail, now_, out);
                return;
            }
            verdict_ = fsm_.on_frame(*e, scan_, now_, out);
            if (verdict_.deliver) fresh_ = e->s;
            EXPECT_TRUE(!verdict_.ready || !verdict_.ready->session_id.empty());
        });
    }
    gateway_script& hello(std::chrono::milliseconds interval = 41250ms) {
        rules_.on_hello(interval);
        return frame(R"({"t":null,"s":null,"op":10,"d":{"heartbeat_interval":)" +
                     std::to_string(interval.count()) + R"(,"_trace":["x"]}})");
    }
    gateway_script& ready(const std::string& id, const std::string& url = "wss://resume.example") {
        s_ = 1;
        return frame(
            R"({"t":"READY","s":1,"op":0,"d":{"v":10,"user":{"id":"7"},"guilds":[{"id":"11",)"
            R"("unavailable":true}],"session_id":")" +
            id + R"(","resume_gateway_url":")" + url +
            R"(","shard":[3,16],"application":{"id":"9","flags":0}}})");
    }
    gateway_script& event(std::uint64_t s, const std::string& t = "MESSAGE_CREATE",
                          const std::string& d = R"({"id":"5","guild_id":"11"})") {
        s_ = s;
        return frame(R"({"t":")" + t + R"(","s":)" + std::to_string(s) + R"(,"op":0,"d":)" + d +
                     "}");
    }
    gateway_script& dispatch(unsigned n) {
        for (unsigned i = 0; i < n; ++i)
            event(s_ + 1);
        return *this;
    }
    gateway_script& resumed(std::uint64_t s) { return event(s, "RESUMED", "{}"); }
    gateway_script& ack() { return op(11); }
    gateway_script& asks_heartbeat() { return op(1); }
    gateway_script& asks_reconnect() { return op(7); }
    gateway_script& invalid(bool resumable) { return op(9, resumable ? "true" : "false"); }
    gateway_script& op(int n, const std::string& d = "null") {
        return frame(R"({"t":null,"s":null,"op":)" + std::to_string(n) + R"(,"d":)" + d + "}");
    }

    // ---- what the machine must have done, in order ---------------------------------------------
    template <class Action>
    Action take(const char* what) {
        if (actions_.empty() || !std::holds_alternative<Action>(actions_.front())) {
            ADD_FAILURE() << "expected " << what << ", got " << front();
            failed_ = true;
            return Action{};
        }
        Action a = std::get<Action>(std::move(actions_.front()));
        actions_.pop_front();
        return a;
    }
    gateway_script& expect_connect(const std::string& base, bool resuming) {
        const auto a = take<act::connect>("connect");
        EXPECT_EQ(a.base, base);
        EXPECT_EQ(a.resuming, resuming);
        return *this;
    }
    gateway_script& expect_enqueued(bool keep, bool explicit_request = false) {
        const auto a = take<act::enqueue_identify>("enqueue_identify");
        EXPECT_EQ(a.keep_place, keep);
        EXPECT_EQ(a.explicit_request, explicit_request);
        return *this;
    }
    gateway_script& expect_ready_for_permit() {
        take<act::ready_for_permit>("ready_for_permit");
        return *this;
    }
    gateway_script& expect_not_ready_for_permit() {
        take<act::not_ready_for_permit>("not_ready_for_permit");
        return *this;
    }
    gateway_script& expect_left_queue() {
        take<act::leave_queue>("leave_queue");
        return *this;
    }
    std::string take_sent(int op) {
        const auto a = take<act::send>("send");
        EXPECT_EQ(op_of(a.text), op) << a.text;
        return a.text;
    }
    gateway_script& expect_identify() {
        const std::string text = take_sent(2);
        EXPECT_NE(text.find(R"("shard":[3,16])"), std::string::npos);
        take<act::identified>("identified");
        return *this;
    }
    gateway_script& expect_resume(const std::string& id, std::uint64_t seq) {
        EXPECT_EQ(take_sent(6), resume_text(secret("token"), id, seq_no{seq}));
        return *this;
    }
    gateway_script& expect_heartbeat(std::optional<std::uint64_t> seq) {
        EXPECT_EQ(take_sent(1), heartbeat_text(seq));
        return *this;
    }
    gateway_script& expect_started(const std::string& id) {
        EXPECT_EQ(take<act::session_started>("session_started").record.session_id, id);
        return *this;
    }
    gateway_script& expect_resumed() {
        take<act::session_resumed>("session_resumed");
        return *this;
    }
    gateway_script& expect_lost(const std::string& id, std::uint64_t last) {
        const auto a = take<act::session_lost>("session_lost");
        EXPECT_EQ(a.session_id, id);
        EXPECT_EQ(a.last.value, last);
        EXPECT_FALSE(a.why.empty());
        return *this;
    }
    gateway_script& expect_close(close_code code = close_to_resume) {
        EXPECT_EQ(take<act::close>("close").code, code);
        return *this;
    }
    gateway_script& expect_abort() {
        EXPECT_FALSE(take<act::abort>("abort").why.empty());
        return *this;
    }
    gateway_script& expect_nothing() {
        EXPECT_TRUE(actions_.empty()) << "unexpected: " << front();
        return *this;
    }
    gateway_script& expect_state(shard_state s) {
        EXPECT_EQ(name_of(fsm_.state()), name_of(s));
        return *this;
    }
    gateway_script& expect_delivered(const std::vector<std::uint64_t>& seqs) {
        EXPECT_EQ(delivered_, seqs);
        delivered_.clear();
        return *this;
    }
    const session_fsm::verdict& verdict() const { return verdict_; }
    gateway_script& forget() {
        actions_.clear();
        delivered_.clear();
        return *this;
    }

    // ---- longer passages -----------------------------------------------------------------------
    gateway_script& up_to_permit() {
        return start()
            .near()
            .expect_enqueued(false)
            .expect_connect("", false)
            .opened()
            .hello()
            .expect_ready_for_permit();
    }
    gateway_script& live(const std::string& id = "s1", std::uint64_t last = 1) {
        up_to_permit().permit().expect_identify().ready(id).expect_started(id);
        fsm_.on_guilds_loaded();
        if (last > 1) dispatch(static_cast<unsigned>(last - 1));
        return forget();
    }
    gateway_script& back_by_resume(const std::string& url, const std::string& id,
                                   std::uint64_t seq) {
        return expect_connect(url, true)
            .opened()
            .hello()
            .expect_resume(id, seq)
            .resumed(seq + 1)
            .expect_resumed()
            .expect_state(shard_state::ready);
    }

private:
    template <class Call>
    gateway_script& call(Call&& what) {
        session_actions out;
        what(out);
        for (session_action& a : out) {
            rules_.on_action(a, now_);
            actions_.push_back(std::move(a));
        }
        if (fresh_) {
            rules_.on_deliver(*fresh_);
            delivered_.push_back(*std::exchange(fresh_, std::nullopt));
        }
        rules_.end_of_call();
        return *this;
    }
    std::string front() const { return actions_.empty() ? "nothing" : describe(actions_.front()); }

    time_point now_{std::chrono::hours(1)};
    random_source random_;
    scanner scan_;
    session_fsm fsm_;
    session_rules rules_;
    std::deque<session_action> actions_;
    std::optional<std::uint64_t> fresh_;
    std::vector<std::uint64_t> delivered_;
    session_fsm::verdict verdict_;
    std::uint64_t s_ = 0;
    bool failed_ = false;
};

}  // namespace shardgate::test
