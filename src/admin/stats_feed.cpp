// SPDX-License-Identifier: Apache-2.0
#include "admin/stats_feed.hpp"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admin/json_text.hpp"
#include "admin/quantile.hpp"
#include "admin/reshard.hpp"
#include "admin/views.hpp"

namespace shardgate::admin {

namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

using counts = std::vector<std::pair<std::string, std::uint64_t>>;

constexpr std::array<std::string_view, 7> states{"idle",  "connecting", "identifying", "loading",
                                                 "ready", "resuming",   "parked"};

std::uint64_t sum(const counts& all) {
    std::uint64_t n = 0;
    for (const auto& [name, count] : all)
        n += count;
    return n;
}

std::uint64_t one(const counts& all, std::string_view name) {
    for (const auto& [key, count] : all)
        if (key == name) return count;
    return 0;
}

object totals_of(const metrics_snapshot& m) {
    object out;
    out["received"] = sum(m.events_by_type);
    out["filtered"] = sum(m.filtered_by_reason);
    out["accepted"] = m.delivery_lag_seconds.count();
    for (const std::string_view how : {"refused", "failed", "timeout"})
        out[how] = one(m.handler_requests, how);
    out["shed"] = sum(m.status.queue.shed);
    out["wire_bytes"] = m.wire_bytes;
    out["payload_bytes"] = m.payload_bytes;
    return out;
}

// [id, index of its state, latency in ms or null, guilds, events]: a set may have thousands.
value row_of(const shard_snapshot& s) {
    const auto at = std::find(states.begin(), states.end(), s.state);
    array row;
    row.emplace_back(s.id);
    row.emplace_back(static_cast<std::uint64_t>(at - states.begin()));
    row.push_back(s.latency_ms ? value(*s.latency_ms) : value(nullptr));
    row.emplace_back(s.guilds);
    row.emplace_back(s.events);
    return row;
}

array sets_of(const std::vector<shard_snapshot>& shards) {
    std::map<std::uint32_t, object> sets;
    for (const shard_snapshot& s : shards) {
        object& set = sets[s.generation];
        if (set.empty()) {
            set["generation"] = s.generation;
            set["total"] = s.total;
            set["shards"] = array();
        }
        set["shards"].get_array().push_back(row_of(s));
    }
    array out;
    for (auto& [generation, set] : sets)
        out.push_back(std::move(set));
    return out;
}

// Milliseconds: our JSON has three decimals.
value ms_or_null(std::optional<double> seconds) {
    return seconds ? value(*seconds * 1000) : value(nullptr);
}

std::optional<double> worst(const std::vector<double>& all) {
    if (all.empty()) return std::nullopt;
    return *std::max_element(all.begin(), all.end());
}

}  // namespace

struct stats_feed::state {
    explicit state(const daemon_view& v) : view(&v) {}

    // Not older than most of a period.
    const std::string& text(time_point now) {
        if (!made.empty() && now < later(made_at, period - period / 4)) return made;
        const metrics_snapshot m = view->metrics();
        object lag;
        lag["p50_ms"] = ms_or_null(quantile(before, m.delivery_lag_seconds, 0.5));
        lag["p99_ms"] = ms_or_null(quantile(before, m.delivery_lag_seconds, 0.99));
        before = m.delivery_lag_seconds;
        array names;
        for (const std::string_view name : states)
            names.emplace_back(name);
        object out;
        out["status"] = to_json(m.status);
        out["reshard"] = to_json(m.reshard);
        out["totals"] = totals_of(m);
        out["lag"] = std::move(lag);
        out["loop_lag_ms"] = ms_or_null(worst(m.loop_lag_seconds));
        out["states"] = std::move(names);
        out["sets"] = sets_of(m.shards);
        made = "data: ";
        append_text(made, out);
        made += "\n\n";
        made_at = now;
        return made;
    }

    const daemon_view* view;  // null: closed
    std::size_t clients = 0;
    std::string made;
    time_point made_at{};
    histogram before;
};

class stats_feed::client final : public body_stream {
public:
    explicit client(std::shared_ptr<state> of) : state_(std::move(of)) { ++state_->clients; }
    client(const client&) = delete;
    client& operator=(const client&) = delete;
    ~client() override { --state_->clients; }

    [[nodiscard]] next read(std::string& into, time_point now) override {
        if (state_->view == nullptr) return next::end;
        if (now < due_) return next::wait;
        if (!std::exchange(greeted_, true)) into += "retry: 2000\n\n";
        into += state_->text(now);
        due_ = later(now, period);
        return next::wait;
    }
    [[nodiscard]] time_point deadline() const override { return due_; }

private:
    std::shared_ptr<state> state_;
    time_point due_{};
    bool greeted_ = false;
};

stats_feed::stats_feed(const daemon_view& view) : state_(std::make_shared<state>(view)) {}

std::shared_ptr<body_stream> stats_feed::open() {
    if (state_->view == nullptr || state_->clients >= most_clients) return nullptr;
    return std::make_shared<client>(state_);
}

void stats_feed::close() noexcept {
    state_->view = nullptr;
}

std::size_t stats_feed::clients() const noexcept {
    return state_->clients;
}

}  // namespace shardgate::admin
