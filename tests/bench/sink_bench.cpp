// SPDX-License-Identifier: Apache-2.0
// The sink over loopback against the simulator's event handler on another thread: requests per
// second, and what a request costs the sink's own thread in user and system time.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <thread>

#include "event_stream.hpp"
#include "shardgate/sink/http_sink.hpp"
#include "shardgate/transport/tls_client.hpp"
#include "sim/handler.hpp"
#include "sim/truth.hpp"

namespace shardgate::bench {
namespace {

namespace asio = boost::asio;

// The handler on a thread of its own.
class handler_thread {
public:
    handler_thread() {
        sim::handler_options options;
        options.validate_every = 0;
        handler_ = std::make_unique<sim::event_handler>(io_.get_executor(), options, book_);
        if (!handler_->start()) throw std::runtime_error("the handler cannot listen");
        url_ = handler_->url();
        thread_ = std::thread([this] { io_.run(); });
    }
    ~handler_thread() {
        asio::post(io_, [this] { handler_.reset(); });
        work_.reset();
        thread_.join();
    }
    [[nodiscard]] const std::string& url() const noexcept { return url_; }

private:
    asio::io_context io_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
    sim::truth book_;
    std::unique_ptr<sim::event_handler> handler_;
    std::string url_;
    std::thread thread_;
};

struct counter final : post_listener {
    void on_posted(std::uint64_t, const delivery_outcome& outcome, time_point) override {
        if (outcome.status == 204) ++accepted;
        --in_flight;
    }
    std::uint64_t accepted = 0;
    std::int64_t in_flight = 0;
};

double seconds(const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
}

void post(benchmark::State& state) {
    handler_thread handler;
    asio::io_context io{1};
    auto tls = tls_client::make({});
    if (!tls) throw std::runtime_error(tls.error().detail);
    config::handler settings;
    settings.urls = {handler.url()};
    settings.pipelining = static_cast<std::uint32_t>(state.range(0));
    counter done;
    http_sink sink(io.get_executor(), **tls, settings, done);
    const auto events = shared_stream().events();
    const std::int64_t window = 64 * state.range(0);

    rusage before{}, after{};
    getrusage(RUSAGE_THREAD, &before);
    std::uint64_t id = 0;
    for (auto _ : state) {
        while (done.in_flight == window) {
            io.restart();
            io.run_one();
        }
        delivery_request request;
        request.id = ++id;
        request.items.emplace_back();
        request.items.front().event = events[id % events.size()];
        ++done.in_flight;
        sink.post(std::move(request), clock::now());
    }
    getrusage(RUSAGE_THREAD, &after);
    while (done.in_flight > 0) {
        io.restart();
        io.run_one();
    }
    if (done.accepted != id) state.SkipWithError("not every request was accepted");
    const auto per_request = [&](double used) { return used * 1e6 / static_cast<double>(id); };
    state.counters["user_us"] = per_request(seconds(after.ru_utime) - seconds(before.ru_utime));
    state.counters["system_us"] = per_request(seconds(after.ru_stime) - seconds(before.ru_stime));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(post)->ArgName("pipelining")->Arg(1)->Arg(4)->UseRealTime();

}  // namespace
}  // namespace shardgate::bench
