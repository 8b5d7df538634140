// SPDX-License-Identifier: Apache-2.0
// Watches a session machine's actions for what must never happen, whatever the events were. Used by
// the scripted peer, the property tests and the fleet simulation.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "shardgate/shard/session_fsm.hpp"

namespace shardgate::test {

inline int op_of(std::string_view payload) {
    const std::size_t at = payload.find("\"op\":");
    return at == std::string_view::npos ? -1 : std::stoi(std::string(payload.substr(at + 5, 4)));
}

class session_rules {
public:
    // The first broken rule; empty = none.
    const std::string& broken() const { return broken_; }
    // A connection exists or is being made: on_closed() may be called.
    bool linked() const { return link_ != link::none; }
    bool ending() const { return link_ == link::ending; }

    void on_permit() { permit_ = true; }
    void on_opened() {
        if (link_ == link::connecting) link_ = link::open;
    }
    void on_closed() { link_ = link::none; }
    // The machine was started with a session that was received up to `seq`.
    void on_start(std::uint64_t seq) { next_ = seq + 1; }
    // Only a connection's first HELLO counts.
    void on_hello(duration heartbeat_interval) {
        if (link_ != link::open || helloed_) return;
        interval_ = heartbeat_interval;
        helloed_ = true;
    }
    void on_deliver(std::uint64_t s) {
        if (!spoke_) say("delivered before IDENTIFY or RESUME");
        if (s < next_) say("delivered seq " + std::to_string(s) + " again");
        next_ = s + 1;
    }

    void on_action(const session_action& a, time_point now) {
        if (std::get_if<act::connect>(&a)) on_connect();
        if (const auto* s = std::get_if<act::send>(&a)) on_send(s->text, now);
        if (std::get_if<act::close>(&a) || std::get_if<act::abort>(&a)) {
            if (link_ == link::none) say("closed nothing");
            if (link_ == link::ending) say("closed twice");
            if (std::get_if<act::close>(&a) && link_ == link::connecting) say("close before open");
            link_ = link::ending;
        }
        if (const auto* s = std::get_if<act::session_started>(&a)) {
            if (s->record.session_id.empty()) say("a session without an id");
            next_ = s->record.seq.value;
        }
        if (std::get_if<act::identified>(&a)) {
            if (!sent_identify_) say("identified without IDENTIFY");
            told_identified_ = true;
        }
    }
    // After each call into the machine.
    void end_of_call() {
        if (sent_identify_ && !told_identified_) say("IDENTIFY without identified in its batch");
    }

private:
    enum class link { none, connecting, open, ending };

    void say(std::string what) {
        if (broken_.empty()) broken_ = std::move(what);
    }
    void on_connect() {
        if (link_ != link::none) say("connect while a connection exists");
        link_ = link::connecting;
        spoke_ = helloed_ = sent_identify_ = told_identified_ = false;
        sent_.clear();
    }
    void on_send(const std::string& text, time_point now) {
        if (link_ != link::open) say("sent on no connection: op " + std::to_string(op_of(text)));
        if (text.size() > max_outbound_bytes) say("sent more than 4096 bytes");
        const int op = op_of(text);
        if (op == 2 || op == 6) {
            if (spoke_) say("a second IDENTIFY or RESUME on one connection");
            if (!helloed_) say("IDENTIFY or RESUME before HELLO");
            spoke_ = true;
        } else if (op != 1 && !spoke_) {
            say("a command before IDENTIFY or RESUME");
        }
        if (op == 2) {
            if (!permit_) say("IDENTIFY without a permit");
            permit_ = false;
            sent_identify_ = true;
        }
        sent_.push_back(now);
        while (now - sent_.front() >= std::chrono::seconds(60))
            sent_.pop_front();
        if (sent_.size() > 120 && interval_ >= std::chrono::seconds(1))
            say("more than 120 payloads in 60 s");
    }

    std::string broken_;
    link link_ = link::none;
    bool permit_ = false;
    bool helloed_ = false;
    bool spoke_ = false;
    bool sent_identify_ = false;
    bool told_identified_ = false;
    std::uint64_t next_ = 0;  // the lowest seq that was not delivered yet
    duration interval_{};
    std::deque<time_point> sent_;
};

}  // namespace shardgate::test
