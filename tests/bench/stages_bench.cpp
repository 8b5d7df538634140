// SPDX-License-Identifier: Apache-2.0
// The pure stages, one after the other. "drain" is the yardstick: every byte of the stream read
// once and nothing done with it.
#include <benchmark/benchmark.h>

#include <cstring>
#include <numeric>

#include "event_stream.hpp"
#include "shardgate/delivery/delivery.hpp"
#include "shardgate/filter/stage.hpp"
#include "sink/request_writer.hpp"
#include "sink/response_reader.hpp"

namespace shardgate::bench {
namespace {

struct nowhere final : dispatch_sink {
    void push(const dispatch& event) override {
        bytes += event.frame.size();
        benchmark::DoNotOptimize(bytes);
    }
    std::size_t bytes = 0;
};

void finish(benchmark::State& state) {
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(state.iterations() *
                            static_cast<std::int64_t>(shared_stream().mean_size()));
}

void drain(benchmark::State& state) {
    const event_stream& stream = shared_stream();
    std::size_t i = 0;
    for (auto _ : state) {
        const std::string_view frame = stream.frame(i++);
        std::uint64_t sum = 0, word = 0;
        for (std::size_t at = 0; at + 8 <= frame.size(); at += 8) {
            std::memcpy(&word, frame.data() + at, 8);
            sum ^= word;
        }
        benchmark::DoNotOptimize(sum);
    }
    finish(state);
}
BENCHMARK(drain);

void scan(benchmark::State& state) {
    const event_stream& stream = shared_stream();
    scanner scan;
    std::size_t i = 0;
    for (auto _ : state) {
        const auto read = scan.scan(stream.frame(i++));
        benchmark::DoNotOptimize(read.has_value());
    }
    finish(state);
}
BENCHMARK(scan);

// Without the scan: the dispatches are read beforehand.
void filter(benchmark::State& state) {
    const event_stream& stream = shared_stream();
    std::vector<dispatch> dispatches;
    scanner scan;
    for (std::size_t i = 0; i < event_stream::count; ++i)
        dispatches.push_back(stream.at(i, scan));
    nowhere next;
    config::filter rules;
    rules.guild_create = config::guild_create_mode::pass;
    filter_stage stage(rules, next, nullptr);
    std::size_t i = 0;
    for (auto _ : state)
        stage.push(dispatches[i++ % event_stream::count]);
    finish(state);
}
BENCHMARK(filter);

void copy(benchmark::State& state) {
    const event_stream& stream = shared_stream();
    std::vector<dispatch> dispatches;
    scanner scan;
    for (std::size_t i = 0; i < event_stream::count; ++i)
        dispatches.push_back(stream.at(i, scan));
    std::size_t i = 0;
    for (auto _ : state) {
        auto event = queued_event::from(dispatches[i++ % event_stream::count]);
        benchmark::DoNotOptimize(event);
    }
    finish(state);
}
BENCHMARK(copy);

// Copy, lane, request, outcome: with nothing waiting, and behind so many others.
void deliver(benchmark::State& state) {
    const event_stream& stream = shared_stream();
    std::vector<dispatch> dispatches;
    scanner scan;
    for (std::size_t i = 0; i < event_stream::count; ++i)
        dispatches.push_back(stream.at(i, scan));
    random_source random(1);
    config::handler handler;
    config::queue queue;
    queue.overflow = config::overflow_policy::drop_oldest;
    delivery d(handler, queue, config::interactions{}, "bench", random, nullptr);
    const time_point now = clock::now();
    const wall_ms wall{std::chrono::milliseconds(1700000000000)};
    std::size_t i = 0;
    for (std::int64_t waiting = state.range(0); waiting > 0; --waiting)
        d.push(dispatches[i++ % event_stream::count]);
    delivery_outcome accepted;
    accepted.status = 204;
    for (auto _ : state) {
        d.push(dispatches[i++ % event_stream::count]);
        if (const auto request = d.next_request(now))
            d.on_outcome(request->id, accepted, now, wall);
    }
    finish(state);
}
BENCHMARK(deliver)->Arg(0)->Arg(10000);

void render(benchmark::State& state) {
    const auto events = shared_stream().events();
    config::handler handler;
    handler.authorization = secret("a secret of usual length, 40 characters");
    if (state.range(0) != 0) handler.signing_keys.emplace_back("signing key");
    sink::request_writer writer(handler, 1);
    const std::string head =
        writer.constant_head(*sink::parse_endpoint("http://127.0.0.1:8080/events"));
    sink::rendered_requests rendered;
    std::vector<std::string_view> pieces;
    delivery_request request;
    request.items.emplace_back();
    std::size_t i = 0;
    for (auto _ : state) {
        request.items.front().event = events[i++ % events.size()];
        writer.render(request, head, wall_ms{std::chrono::milliseconds(1700000000000)}, rendered);
        pieces.clear();
        rendered.pieces(pieces);
        benchmark::DoNotOptimize(pieces.data());
        rendered.clear();
    }
    finish(state);
}
BENCHMARK(render)->ArgName("signed")->Arg(0)->Arg(1);

void read_answer(benchmark::State& state) {
    const std::string_view answer =
        "HTTP/1.1 204 No Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
        "Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n";
    sink::response_reader reader;
    for (auto _ : state) {
        std::size_t used = 0;
        auto what = reader.read(answer, used);
        what = reader.read(answer.substr(used), used);
        benchmark::DoNotOptimize(what);
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(read_answer);

}  // namespace
}  // namespace shardgate::bench
