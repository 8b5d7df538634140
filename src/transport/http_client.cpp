// SPDX-License-Identifier: Apache-2.0
// HTTP for the cold path: which connection carries which request, deadlines, and the one retry.
#include "shardgate/transport/http_client.hpp"

#include <algorithm>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <list>
#include <map>
#include <utility>

#include "transport/http_exchange.hpp"

namespace shardgate {

namespace asio = boost::asio;

namespace {

constexpr std::size_t max_connections = 32;  // per scheme, host and port
constexpr std::size_t max_waiting = 4096;    // requests without a connection, all hosts together
constexpr duration idle_limit = std::chrono::seconds(30);

http_outcome failed(const error_code& code, std::string detail, bool maybe_sent) {
    http_outcome outcome;
    outcome.failed.code = code;
    outcome.failed.detail = std::move(detail);
    outcome.failed.maybe_sent = maybe_sent;
    return outcome;
}

std::string_view describe(byte_stream::stage stage) {
    switch (stage) {
    case byte_stream::stage::lookup: return "the name was not looked up in time";
    case byte_stream::stage::connect: return "no TCP connection in time";
    case byte_stream::stage::handshake: return "the TLS handshake did not end in time";
    default: return "no complete response in time";
    }
}

}  // namespace

struct http_client::impl : http_pool, std::enable_shared_from_this<http_client::impl> {
    struct host_pool {
        std::list<std::shared_ptr<http_connection>> busy;
        std::list<std::shared_ptr<http_connection>> kept;  // most recently used last
        std::deque<std::shared_ptr<http_exchange>> waiting;
    };

    asio::any_io_executor loop;
    tls_client& tls;
    std::string user_agent;
    std::map<std::string, host_pool> pools;
    http_client_stats stats;
    bool shut = false;

    impl(asio::any_io_executor l, tls_client& t, std::string agent)
        : loop(std::move(l)), tls(t), user_agent(std::move(agent)) {}

    std::shared_ptr<http_exchange> start(http_request r, std::function<void(http_outcome)> done) {
        ++stats.requests;
        auto x = std::make_shared<http_exchange>(loop);
        x->done = std::move(done);
        auto url = parse_url(r.url);
        if (!url || url->scheme.substr(0, 4) != "http") {
            refuse(x, url ? "the URL must begin with http:// or https://" : url.error().detail);
            return x;
        }
        auto text = http_request_text(r, *url, user_agent);
        if (!text) {
            refuse(x, text.error().detail);
            return x;
        }
        x->text = std::move(*text);
        x->url = std::move(*url);
        x->pool = x->url.scheme + "://" + x->url.host + ":" + std::to_string(x->url.port);
        x->bodiless = r.method == "HEAD";
        x->repeatable = r.method == "GET" || r.method == "HEAD";
        x->deadline.expires_after(r.timeout);
        x->deadline.async_wait([weak = weak_from_this(), x](const error_code& code) {
            if (const auto self = weak.lock(); self && !code) self->late(x);
        });
        assign(x);
        return x;
    }

    void refuse(const std::shared_ptr<http_exchange>& x, std::string why) {
        finish_soon(x, failed(make_error_code(boost::system::errc::invalid_argument),
                              std::move(why), false));
    }

    // Gives `x` a kept connection, a new one, or a place to wait.
    void assign(const std::shared_ptr<http_exchange>& x, bool only_new = false) {
        host_pool& pool = pools[x->pool];
        while (!only_new && !pool.kept.empty()) {
            const auto c = pool.kept.back();
            pool.kept.pop_back();
            c->idle.cancel();
            if (c->usable()) {
                pool.busy.push_back(c);
                c->run(x);
                return;
            }
            c->drop();
        }
        if (pool.busy.size() + pool.kept.size() < max_connections) {
            connect(pool, x);
        } else if (count_waiting() < max_waiting) {
            pool.waiting.push_back(x);
        } else {
            ++stats.refused;
            finish_soon(x, failed(asio::error::no_buffer_space,
                                  x->url.host + ": too many requests are waiting", false));
        }
    }

    void connect(host_pool& pool, const std::shared_ptr<http_exchange>& x) {
        ++stats.connections;
        auto c = std::make_shared<http_connection>(loop, x->pool, *this);
        pool.busy.push_back(c);
        c->open(&tls, loop, x);
    }

    [[nodiscard]] std::size_t count_waiting() const {
        std::size_t all = 0;
        for (const auto& [name, pool] : pools)
            all += pool.waiting.size();
        return all;
    }

    void on_response(const std::shared_ptr<http_connection>& from, http_response response,
                     bool reusable) override {
        const std::shared_ptr<http_exchange> x = from->release();
        host_pool& pool = pools[from->pool_name()];
        pool.busy.remove(from);
        if (reusable) keep(pool, from);
        http_outcome outcome;
        outcome.ok = true;
        outcome.response = std::move(response);
        serve_next(from->pool_name());
        finish(x, std::move(outcome));
    }

    void on_gone(const std::shared_ptr<http_connection>& from, failure why, bool stale) override {
        const std::shared_ptr<http_exchange> x = from->release();
        host_pool& pool = pools[from->pool_name()];
        pool.busy.remove(from);
        pool.kept.remove(from);
        if (x && stale && !x->retried && (x->repeatable || !x->maybe_sent)) {
            x->retried = true;
            x->maybe_sent = false;
            ++stats.retried;
            assign(x, true);
            return;
        }
        serve_next(from->pool_name());
        if (!x) return;
        const std::string detail = why.detail.find(x->url.host) == std::string::npos
                                       ? x->url.host + ": " + why.detail
                                       : why.detail;
        finish(x, failed(why.code, detail, x->maybe_sent));
    }

    void keep(host_pool& pool, const std::shared_ptr<http_connection>& c) {
        pool.kept.push_back(c);
        c->idle.expires_after(idle_limit);
        c->idle.async_wait([weak = weak_from_this(), c](const error_code& code) {
            const auto self = weak.lock();
            // Taken again meanwhile: its timer was cancelled too late.
            if (code || !self || c->exchange()) return;
            c->drop();
            self->pools[c->pool_name()].kept.remove(c);
            self->forget_if_empty(c->pool_name());
        });
    }

    void serve_next(const std::string& name) {
        host_pool& pool = pools[name];
        while (!pool.waiting.empty()) {
            if (pool.kept.empty() && pool.busy.size() >= max_connections) return;
            const std::shared_ptr<http_exchange> x = pool.waiting.front();
            pool.waiting.pop_front();
            assign(x);
        }
        forget_if_empty(name);
    }

    void forget_if_empty(const std::string& name) {
        const auto at = pools.find(name);
        if (at != pools.end() && at->second.busy.empty() && at->second.kept.empty() &&
            at->second.waiting.empty())
            pools.erase(at);
    }

    void late(const std::shared_ptr<http_exchange>& x) {
        const auto c = x->on.lock();
        const std::string_view why = c ? describe(c->where()) : "no free connection in time";
        take_off(x);
        finish(x, failed(asio::error::timed_out, x->url.host + ": " + std::string(why),
                         x->maybe_sent));
    }

    // Ends whatever is done for `x`; its connection cannot be used again.
    void take_off(const std::shared_ptr<http_exchange>& x) {
        const auto at = pools.find(x->pool);
        if (at == pools.end()) return;
        host_pool& pool = at->second;
        pool.waiting.erase(std::remove(pool.waiting.begin(), pool.waiting.end(), x),
                           pool.waiting.end());
        if (const auto c = x->on.lock()) {
            static_cast<void>(c->release());
            c->drop();
            pool.busy.remove(c);
        }
        serve_next(std::string(x->pool));
    }

    void cancel(const std::shared_ptr<http_exchange>& x) {
        if (!x->done) return;
        take_off(x);
        finish_soon(x, failed(asio::error::operation_aborted, "cancelled", x->maybe_sent));
    }

    void finish(const std::shared_ptr<http_exchange>& x, http_outcome outcome) {
        const auto self = shared_from_this();  // the callback may destroy the client
        x->deadline.cancel();
        const auto done = std::exchange(x->done, nullptr);
        if (done && !shut) done(std::move(outcome));
    }

    void finish_soon(const std::shared_ptr<http_exchange>& x, http_outcome outcome) {
        x->deadline.cancel();
        asio::post(loop, [self = shared_from_this(), x, outcome = std::move(outcome)]() mutable {
            self->finish(x, std::move(outcome));
        });
    }

    void shut_down() {
        shut = true;
        const std::map<std::string, host_pool> all = std::move(pools);
        pools.clear();
        for (const auto& [name, pool] : all) {
            for (const auto& c : pool.busy)
                close(c);
            for (const auto& c : pool.kept)
                close(c);
            for (const auto& x : pool.waiting)
                silence(x);
        }
    }

    static void close(const std::shared_ptr<http_connection>& c) {
        if (const auto x = c->release()) silence(x);
        c->drop();
    }

    static void silence(const std::shared_ptr<http_exchange>& x) {
        x->deadline.cancel();
        x->done = nullptr;
    }
};

http_client::http_client(asio::any_io_executor loop, tls_client& tls, std::string user_agent)
    : impl_(std::make_shared<impl>(std::move(loop), tls, std::move(user_agent))) {}

http_client::~http_client() {
    impl_->shut_down();
}

void http_client::start(http_request r, std::function<void(http_outcome)> done) {
    static_cast<void>(impl_->start(std::move(r), std::move(done)));
}

http_client_stats http_client::stats() const noexcept {
    http_client_stats now = impl_->stats;
    for (const auto& [name, pool] : impl_->pools) {
        now.idle += pool.kept.size();
        now.waiting += pool.waiting.size();
    }
    return now;
}

asio::awaitable<http_outcome> http_client::request(http_request r) {
    // Not a coroutine: the awaitable is Asio's own, so that nothing of ours lives in its frame.
    auto initiate = [](auto handler, const std::shared_ptr<impl>& self, http_request&& request) {
        using handler_type = decltype(handler);
        const auto executor = asio::get_associated_executor(handler, self->loop);
        auto slot = asio::get_associated_cancellation_slot(handler);
        const auto kept = std::make_shared<handler_type>(std::move(handler));
        auto done = [kept, executor](http_outcome outcome) {
            auto slot_used = asio::get_associated_cancellation_slot(*kept);
            if (slot_used.is_connected()) slot_used.clear();
            auto call = [h = std::move(*kept), o = std::move(outcome)]() mutable {
                std::move(h)(std::move(o));
            };
            asio::dispatch(executor, std::move(call));
        };
        const auto x = self->start(std::move(request), std::move(done));
        if (!slot.is_connected()) return;
        auto on_cancel = [weak = std::weak_ptr<impl>(self),
                          watched = std::weak_ptr<http_exchange>(x)](asio::cancellation_type) {
            const auto client = weak.lock();
            const auto exchange = watched.lock();
            if (client && exchange) client->cancel(exchange);
        };
        slot.assign(std::move(on_cancel));
    };
    return asio::async_initiate<decltype(asio::use_awaitable), void(http_outcome)>(
        std::move(initiate), asio::use_awaitable, impl_, std::move(r));
}

}  // namespace shardgate
