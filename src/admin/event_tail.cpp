// SPDX-License-Identifier: Apache-2.0
#include "admin/event_tail.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "shardgate/protocol/json_text.hpp"

namespace shardgate::admin {

namespace {

template <class T, class U>
bool admits(const std::vector<T>& wanted, const U& value) {
    return wanted.empty() || std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}

bool admits(const tail_filter& f, const watched_event& e) {
    return admits(f.types, e.name) && admits(f.guilds, e.guild) && admits(f.shards, e.shard);
}

// Interaction and voice tokens, webhook tokens in whatever comes one day, the session's own id in
// READY: nobody who watches needs them, and whoever has them can act.
bool may_be_shown(const watched_event& e, std::size_t most) {
    return !e.d.empty() && e.d.size() <= most && e.name != "READY" &&
           e.d.find("token\"") == std::string_view::npos;
}

void append_id(std::string& out, std::string_view key, std::uint64_t id) {
    if (id == 0) return;
    out.append(",\"").append(key).append("\":\"").append(std::to_string(id)) += '"';
}

std::string line_of(const watched_event& e) {
    std::string out = "data: {\"t\":";
    append_json_string(out, e.name);
    out += ",\"shard\":" + std::to_string(e.shard);
    out += ",\"shards\":" + std::to_string(e.shards);
    out += ",\"generation\":" + std::to_string(e.generation);
    out += ",\"s\":" + (e.seq == 0 ? std::string("null") : std::to_string(e.seq));
    append_id(out, "guild", e.guild);
    append_id(out, "channel", e.channel);
    if (!e.mark.empty()) {
        out += ",\"mark\":";
        append_json_string(out, e.mark);
    }
    out += ",\"bytes\":" + std::to_string(e.d.size());
    out += ",\"at\":" + std::to_string(e.received.time_since_epoch().count());
    return out;
}

// A line feed may only be white space between JSON's tokens, and would end the field.
void append_payload(std::string& out, const watched_event& e, std::size_t most) {
    out += ",\"d\":";
    if (!may_be_shown(e, most)) {
        out += "null,\"withheld\":true";
        return;
    }
    const std::size_t from = out.size();
    out += e.d;
    std::replace_if(
        out.begin() + static_cast<std::ptrdiff_t>(from), out.end(),
        [](char c) { return c == '\n' || c == '\r'; }, ' ');
}

constexpr std::string_view line_end = "}\n\n";

}  // namespace

struct event_tail::state {
    state(daemon_view& v, tail_limits l) : view(&v), limits(l) {}

    daemon_view* view;  // null: closed
    tail_limits limits;
    std::vector<client*> clients;
    std::uint64_t dropped = 0;
};

class event_tail::client final : public body_stream {
public:
    client(std::shared_ptr<state> of, tail_filter filter)
        : filter_(std::move(filter)), state_(std::move(of)) {}
    client(const client&) = delete;
    client& operator=(const client&) = delete;
    ~client() override {
        std::erase(state_->clients, this);
        if (state_->clients.empty() && state_->view != nullptr) state_->view->watch_events(nullptr);
    }

    // Whether there is room for `size` bytes more; else one event more is dropped.
    [[nodiscard]] bool room(std::size_t size) {
        if (waiting_.size() + size <= state_->limits.buffered) return true;
        ++missed_;
        ++state_->dropped;
        return false;
    }
    void append(std::string_view line) {
        waiting_ += line;
        if (wake) wake();
    }

    [[nodiscard]] next read(std::string& into, time_point now) override {
        if (state_->view == nullptr) return next::end;
        if (!std::exchange(greeted_, true)) into += ": shardgate events\nretry: 2000\n\n";
        if (!waiting_.empty()) into += std::exchange(waiting_, {});
        if (missed_ > 0)
            into +=
                "event: dropped\ndata: {\"events\":" + std::to_string(std::exchange(missed_, 0)) +
                "}\n\n";
        if (into.empty() && now >= beat_at_) into += ":\n\n";
        if (!into.empty()) beat_at_ = later(now, state_->limits.heartbeat);
        return next::wait;
    }
    [[nodiscard]] time_point deadline() const override { return beat_at_; }
    [[nodiscard]] duration pace() const override { return state_->limits.pace; }
    [[nodiscard]] const tail_filter& filter() const noexcept { return filter_; }

private:
    tail_filter filter_;
    std::shared_ptr<state> state_;
    std::string waiting_;
    std::uint64_t missed_ = 0;
    time_point beat_at_ = never;
    bool greeted_ = false;
};

event_tail::event_tail(daemon_view& view, tail_limits limits)
    : state_(std::make_shared<state>(view, limits)) {}

event_tail::~event_tail() {
    state_->view = nullptr;  // closed before, or the daemon is gone: it is not asked any more
}

std::shared_ptr<body_stream> event_tail::open(tail_filter filter) {
    if (state_->view == nullptr || state_->clients.size() >= state_->limits.clients) return nullptr;
    auto made = std::make_shared<client>(state_, std::move(filter));
    state_->clients.push_back(made.get());
    if (state_->clients.size() == 1) state_->view->watch_events(this);
    return made;
}

void event_tail::on_event(const watched_event& event) {
    std::string line;
    std::size_t head = 0;  // without the payload
    for (client* c : state_->clients) {
        if (!admits(c->filter(), event)) continue;
        // Nothing is written for those that have no room for the shortest line.
        if (!c->room(line.empty() ? 256 : head + line_end.size())) continue;
        if (line.empty()) {
            line = line_of(event);
            head = line.size();
        }
        line.resize(head);
        if (c->filter().payload) {
            append_payload(line, event, state_->limits.payload);
            if (!c->room(line.size() + line_end.size())) continue;
        }
        line += line_end;
        c->append(line);
    }
}

void event_tail::close() {
    if (state_->view != nullptr && !state_->clients.empty()) state_->view->watch_events(nullptr);
    state_->view = nullptr;
}

std::size_t event_tail::clients() const noexcept {
    return state_->clients.size();
}

std::uint64_t event_tail::dropped() const noexcept {
    return state_->dropped;
}

}  // namespace shardgate::admin
