// SPDX-License-Identifier: Apache-2.0
// The sink: a pool for each URL, and one timer that looks at all deadlines now and then instead of
// one timer for each request.
#include "shardgate/sink/http_sink.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <random>
#include <stdexcept>
#include <utility>

#include "shardgate/runtime/poller.hpp"
#include "sink/url_pool.hpp"

namespace shardgate {
namespace {

// How late a time-out may be seen: a twentieth of it, but neither busy nor sluggish.
duration tick_period(duration timeout) noexcept {
    return std::clamp<duration>(timeout / 20, std::chrono::milliseconds(5),
                                std::chrono::milliseconds(250));
}

sink::loop_executor concrete(const boost::asio::any_io_executor& loop) {
    const auto* executor = loop.target<sink::loop_executor>();
    if (executor == nullptr) throw std::logic_error("http_sink needs an io_context's executor");
    // Made now: without a descriptor for it a start fails, not a connection of a running daemon.
    static_cast<void>(poller::of(executor->context()));
    return *executor;
}

std::uint64_t seed() {
    std::random_device device;
    return (static_cast<std::uint64_t>(device()) << 32U) ^ device();
}

}  // namespace

struct http_sink::impl : std::enable_shared_from_this<impl> {
    using pool_ptr = std::shared_ptr<sink::url_pool>;

    impl(const boost::asio::any_io_executor& loop, tls_client& tls, const config::handler& handler,
         post_listener& listener)
        : shared(
              std::make_shared<sink::shared_state>(concrete(loop), tls, handler, listener, seed())),
          timer(loop),
          period(tick_period(handler.timeout)) {
        set_urls(handler.urls);
    }

    void set_urls(const std::vector<std::string>& urls) {
        std::vector<pool_ptr> old = std::exchange(pools, {});
        for (const std::string& url : urls) {
            const auto same = std::find_if(old.begin(), old.end(),
                                           [&url](const pool_ptr& p) { return p->url() == url; });
            if (same == old.end()) {
                pools.push_back(std::make_shared<sink::url_pool>(shared, url));
            } else {
                pools.push_back(std::move(*same));
                old.erase(same);
            }
        }
        for (pool_ptr& pool : old) {
            pool->retire();
            retired.push_back(std::move(pool));
        }
    }

    // Runs while there is something to watch.
    void arm() {
        if (std::exchange(ticking, true)) return;
        timer.expires_after(period);
        timer.async_wait([weak = weak_from_this()](const error_code& ec) {
            const auto self = weak.lock();
            if (!ec && self) self->tick();
        });
    }

    void tick() {
        ticking = false;
        const time_point now = clock::now();
        std::vector<pool_ptr> all = pools;
        all.insert(all.end(), retired.begin(), retired.end());
        for (const pool_ptr& pool : all) {
            if (shared->listener == nullptr) return;
            pool->tick(now);
        }
        std::erase_if(retired, [](const pool_ptr& pool) { return pool->empty(); });
        const bool busy = std::any_of(pools.begin(), pools.end(),
                                      [](const pool_ptr& pool) { return !pool->empty(); });
        if (shared->listener != nullptr && (busy || !retired.empty())) arm();
    }

    void close() noexcept {
        shared->listener = nullptr;
        timer.cancel();
        for (const auto* list : {&pools, &retired})
            for (const pool_ptr& pool : *list)
                pool->kill();
    }

    std::shared_ptr<sink::shared_state> shared;
    boost::asio::steady_timer timer;
    duration period;
    std::vector<pool_ptr> pools, retired;
    bool ticking = false;
};

http_sink::http_sink(boost::asio::any_io_executor loop, tls_client& tls,
                     const config::handler& handler, post_listener& listener)
    : impl_(std::make_shared<impl>(loop, tls, handler, listener)) {}

http_sink::~http_sink() {
    impl_->close();
}

void http_sink::post(delivery_request&& request, time_point now) {
    impl_->arm();
    sink::job j;
    j.since = now;
    const std::size_t url = request.url;
    j.request = std::move(request);
    if (url < impl_->pools.size()) {
        impl_->pools[url]->submit(std::move(j));
    } else {
        sink::fail_later(impl_->shared, j.request.id, "the handler's URL is not there any more");
    }
}

void http_sink::cork() noexcept {
    impl_->shared->corked = true;
}

void http_sink::uncork() {
    sink::shared_state& shared = *impl_->shared;
    shared.corked = false;
    for (const auto& c : shared.corked_ones)
        c->uncork();
    shared.corked_ones.clear();
}

void http_sink::set_urls(const std::vector<std::string>& urls) {
    impl_->set_urls(urls);
}

void http_sink::reconfigure(const config::handler& handler) {
    sink::shared_state& shared = *impl_->shared;
    shared.timeout = handler.timeout;
    shared.connections = std::max<std::size_t>(handler.connections, 1);
    shared.writer.set_secrets(handler);
    impl_->period = tick_period(handler.timeout);
    for (const auto* list : {&impl_->pools, &impl_->retired})
        for (const auto& pool : *list)
            pool->on_secrets_changed();
}

sink_stats http_sink::stats() const noexcept {
    sink_stats out = impl_->shared->stats;
    for (const auto* list : {&impl_->pools, &impl_->retired})
        for (const auto& pool : *list)
            out.open += pool->open();
    return out;
}

}  // namespace shardgate
