// SPDX-License-Identifier: Apache-2.0
#include "client/reshard.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <ostream>
#include <string>
#include <utility>

#include "client/fields.hpp"
#include "client/render.hpp"

namespace shardgate::client {

namespace {

using boost::json::object;

constexpr const char* path = "/v1/reshard";
constexpr std::chrono::seconds planning_patience{70};  // the daemon answers within 60
constexpr std::chrono::seconds between_looks{1};
// A daemon that is restarted meanwhile comes back and goes on.
constexpr int looks_without_answer = 60;

// Follows the resharding until it has ended.
class watch {
public:
    watch(const session& s, std::string wanted) : s_(s), wanted_(std::move(wanted)) {}

    int until_end() {
        while (true) {
            const std::optional<parsed_answer> answer = look();
            if (!answer) return exit_unavailable;
            const object& now = answer->json.get_object();
            if (is_another(now)) {
                clear();
                s_.at.err << "shardgate: another resharding runs by now; how the one before it "
                             "ended was not seen\n";
                return exit_unavailable;
            }
            const std::string state = text_of(now, "state");
            const bool over = state.empty() || state == "idle" || state == "done" ||
                              state == "aborted" || state == "failed";
            if (over) return end(*answer, state);
            tell(now, state);
            s_.with.pause(between_looks);
        }
    }

private:
    // Nothing: has been told why.
    std::optional<parsed_answer> look() {
        const admin_call call{"GET", path, ""};
        for (int missed = 0;; ++missed) {
            result<admin_answer> answer = s_.with.ask(call);
            const bool away = !answer || answer->status >= 500;
            if (!away || missed == looks_without_answer) {
                if (away) clear();
                return read_answer(s_, std::move(answer), boost::json::kind::object);
            }
            s_.with.pause(between_looks);
        }
    }

    int end(const parsed_answer& last, const std::string& state) {
        clear();
        s_.at.out << (s_.options.json ? last.text : reshard_line(last.json.get_object()) + '\n');
        if (state == (wanted_.empty() ? "done" : wanted_)) return exit_done;
        if (state != "idle") return exit_unavailable;
        if (generation_ == 0) return wanted_.empty() ? exit_done : exit_unavailable;
        return end_of_restarted();
    }

    // A daemon that was restarted after the old shards' retirement began has the new ones, and no
    // memory of how.
    int end_of_restarted() {
        const auto status = answer_of(s_, {"GET", "/v1/status", ""}, boost::json::kind::object);
        if (!status) return exit_unavailable;
        const bool done = count_of(status->json.get_object(), "generation") == generation_;
        s_.at.err << "shardgate: the daemon was restarted meanwhile, and has the "
                  << (done ? "new" : "old") << " shards\n";
        return done == (wanted_ != "aborted") ? exit_done : exit_unavailable;
    }

    bool is_another(const object& now) {
        const std::uint64_t generation = count_of(now, "generation");
        const bool another = generation_ != 0 && generation != 0 && generation != generation_;
        generation_ = std::max(generation_, generation);
        return another;
    }

    // On a screen a bar; else a line now and then, which a log can take.
    void tell(const object& now, const std::string& state) {
        if (s_.options.json) return;
        if (s_.at.redraws) {
            const std::string bar = reshard_bar(now);
            const std::size_t old = std::exchange(drawn_, bar.size());
            s_.at.err << '\r' << bar << std::string(old > drawn_ ? old - drawn_ : 0, ' ')
                      << std::flush;
            return;
        }
        const std::string step = state + std::to_string(count_of(now, "percent") / 10);
        if (std::exchange(step_, step) == step) return;
        s_.at.out << reshard_line(now) << std::endl;
    }

    void clear() {
        if (drawn_ == 0) return;
        s_.at.err << '\r' << std::string(std::exchange(drawn_, 0), ' ') << '\r' << std::flush;
    }

    const session& s_;
    std::string wanted_;  // the state to end in; empty: "done", or nothing to wait for
    std::uint64_t generation_ = 0;
    std::size_t drawn_ = 0;
    std::string step_;
};

std::string request_body(const config::admin_options& o) {
    object body;
    std::uint32_t n = 0;
    const char* const end = o.shards.data() + o.shards.size();
    const auto read = std::from_chars(o.shards.data(), end, n);
    if (read.ec == std::errc{} && read.ptr == end)
        body["shards"] = n;
    else
        body["shards"] = o.shards;  // "auto"
    if (o.dry_run) body["dry_run"] = true;
    return boost::json::serialize(body);
}

int begin(const session& s) {
    const admin_call call{"POST", path, request_body(s.options), planning_patience};
    const auto plan = answer_of(s, call, boost::json::kind::object);
    if (!plan) return exit_unavailable;
    s.at.out << (s.options.json ? plan->text
                                : render_plan(plan->json.get_object(), s.options.dry_run))
             << std::flush;
    return s.options.wait ? watch(s, "done").until_end() : exit_done;
}

int call_off(const session& s) {
    const auto progress = answer_of(s, {"DELETE", path, ""}, boost::json::kind::object);
    if (!progress) return exit_unavailable;
    if (s.options.wait) return watch(s, "aborted").until_end();
    s.at.out << (s.options.json ? progress->text
                                : reshard_line(progress->json.get_object()) + '\n');
    return exit_done;
}

int show(const session& s) {
    const auto progress = answer_of(s, {"GET", path, ""}, boost::json::kind::object);
    if (!progress) return exit_unavailable;
    s.at.out << (s.options.json ? progress->text : render_reshard(progress->json.get_object()));
    return exit_done;
}

}  // namespace

int reshard(const session& s) {
    if (s.options.abort) return call_off(s);
    if (!s.options.shards.empty()) return begin(s);
    return s.options.wait ? watch(s, "").until_end() : show(s);
}

}  // namespace shardgate::client
