// SPDX-License-Identifier: Apache-2.0
// Which connection a request takes.
#include "sink/url_pool.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

namespace shardgate::sink {
namespace {

// Beyond the configured number, for interactions only, while slow events hold all the others.
constexpr std::size_t reserved_extra = 16;

}  // namespace

void fail_later(const std::shared_ptr<shared_state>& shared, std::uint64_t request,
                std::string detail) {
    boost::asio::post(shared->loop, [shared, request, why = std::move(detail)] {
        if (shared->listener == nullptr) return;
        delivery_outcome outcome;
        outcome.maybe_received = false;
        outcome.detail = why;
        shared->listener->on_posted(request, outcome, clock::now());
    });
}

url_pool::url_pool(std::shared_ptr<shared_state> shared, std::string url)
    : shared_(std::move(shared)), url_(std::move(url)) {
    auto parsed = parse_endpoint(url_);
    if (parsed.has_error()) {
        problem_ = parsed.error().detail;
        return;
    }
    to_ = std::move(*parsed);
    constant_head_ = shared_->writer.constant_head(to_);
}

url_pool::~url_pool() {
    kill();
}

void url_pool::kill() noexcept {
    for (const auto& c : all_)
        c->kill();
    gathering_ = nullptr;
    all_.clear();
    idle_.clear();
    pending_.clear();
}

void url_pool::retire() {
    retired_ = true;
    for (const auto& c : all_)
        c->retire();
}

void url_pool::on_secrets_changed() {
    if (problem_.empty()) constant_head_ = shared_->writer.constant_head(to_);
}

void url_pool::submit(job&& j) {
    if (!problem_.empty()) {
        fail_later(shared_, j.request.id, problem_);
    } else {
        place(std::move(j));
    }
}

void url_pool::place(job&& j) {
    if (connection* c = pick(j)) {
        c->submit(std::move(j));
    } else {
        j.waited = true;
        pending_.push_back(std::move(j));
    }
}

// What came back from a connection that was gone must not meet another one of the same age.
connection* url_pool::pick(const job& j) {
    const bool fresh = j.resent > 0;
    // With pipelining what is sent in one turn of the loop shares a write.
    if (!fresh && gathering_ != nullptr && gathering_->gathers()) return gathering_;
    return gathering_ = pick_another(j, fresh);
}

connection* url_pool::pick_another(const job& j, bool fresh) {
    if (!fresh) {
        if (connection* c = pick_idle(j)) return c;
    }
    if (all_.size() < limit(j)) return make();
    const auto draining =
        std::find_if(all_.begin(), all_.end(), [](const auto& c) { return c->draining(); });
    if (draining != all_.end()) {
        (*draining)->close();
        drop(**draining);
        return make();
    }
    connection* c = fresh ? pick_idle(j) : nullptr;
    return c != nullptr ? c : pick_shared();
}

connection* url_pool::pick_idle(const job& j) {
    const time_point now = j.waited ? clock::now() : j.since;
    while (!idle_.empty()) {
        connection* c = idle_.back();
        idle_.pop_back();
        if (c->has_room() && !c->expired(now)) return c;
        ++shared_->stats.idle_closed;
        c->close();
        drop(*c);
    }
    return nullptr;
}

void url_pool::drop(const connection& c) {
    if (gathering_ == &c) gathering_ = nullptr;
    std::erase_if(all_, [&c](const auto& one) { return one.get() == &c; });
}

// Round robin over those with room: near enough to the least loaded, and no search.
connection* url_pool::pick_shared() {
    if (shared_->pipelining == 1 || !persistent_) return nullptr;
    for (std::size_t i = 0; i < all_.size(); ++i) {
        next_shared_ = (next_shared_ + 1) % all_.size();
        if (all_[next_shared_]->has_room()) return all_[next_shared_].get();
    }
    return nullptr;
}

connection* url_pool::make() {
    auto bytes = to_.type == endpoint::kind::https
                     ? make_tls_stream(shared_->loop, to_, *shared_->tls)
                     : make_plain_stream(shared_->loop, to_);
    all_.push_back(std::make_shared<connection>(shared_, *this, constant_head_, std::move(bytes)));
    all_.back()->open();
    if (retired_) all_.back()->retire();
    return all_.back().get();
}

std::size_t url_pool::limit(const job& j) const noexcept {
    return shared_->connections + (j.request.reserved ? reserved_extra : 0);
}

void url_pool::on_free(connection& c) {
    persistent_ = true;
    if (!pending_.empty() && c.has_room()) {
        job j = std::move(pending_.front());
        pending_.pop_front();
        c.submit(std::move(j));
    } else if (c.load() == 0) {
        idle_.push_back(&c);
    }
}

void url_pool::on_gone(connection& c) {
    persistent_ = c.persistent();
    std::erase(idle_, &c);
    drop(c);
    place_pending();
}

void url_pool::place_pending() {
    while (!pending_.empty()) {
        connection* c = pick(pending_.front());
        if (c == nullptr) return;
        job j = std::move(pending_.front());
        pending_.pop_front();
        c->submit(std::move(j));
    }
}

void url_pool::on_resend(job&& j) {
    j.waited = true;
    pending_.push_back(std::move(j));
}

void url_pool::tick(time_point now) {
    const auto keep = shared_from_this();
    const auto connections = all_;
    for (const auto& c : connections) {
        if (shared_->listener == nullptr) return;
        c->tick(now);
    }
    while (shared_->listener != nullptr && !pending_.empty() &&
           now >= later(pending_.front().since, shared_->timeout)) {
        const job j = std::move(pending_.front());
        pending_.pop_front();
        delivery_outcome outcome;
        outcome.timed_out = true;
        outcome.maybe_received = j.maybe_received;
        outcome.detail = "no connection in time";
        shared_->listener->on_posted(j.request.id, outcome, now);
    }
}

}  // namespace shardgate::sink
