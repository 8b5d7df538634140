// SPDX-License-Identifier: Apache-2.0
// The floor under any gateway proxy: reads every shard's stream and posts each event to the
// handler, with nothing but what nobody can avoid (TLS, inflating, one JSON pass, writing the
// request, reading the answer). What the daemon costs is given as a ratio to this. Runs until it is
// terminated.
//
//   bench_floor GATEWAY CA TOKEN SHARDS INTENTS HANDLER plain|pipelined|batched DEPTH CONNECTIONS
//   COMPRESSION
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <deque>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "floor/gateway.hpp"
#include "floor/outlet.hpp"

namespace shardgate::bench::floor {
namespace {

constexpr int turn_max = 256;  // events of the kernel, and of one shard before the next one
constexpr std::size_t arguments = 11;

// "wss://host:port/…" to host and port.
void split(const std::string& url, std::string& host, std::string& port) {
    const auto scheme = url.find("://");
    const auto begin = scheme == std::string::npos ? 0 : scheme + 3;
    const auto colon = url.find(':', begin);
    if (colon == std::string::npos) throw std::runtime_error(url + ": a port is wanted");
    host = url.substr(begin, colon - begin);
    port = url.substr(colon + 1, url.find('/', colon) - colon - 1);
}

mode mode_of(const std::string& name) {
    if (name == "plain") return mode::plain;
    if (name == "pipelined") return mode::pipelined;
    if (name == "batched") return mode::batched;
    throw std::runtime_error(name + ": plain, pipelined or batched");
}

class forwarder {
public:
    forwarder(int epoll, outlet& out) : epoll_(epoll), out_(out) {}

    void add(shard& s) {
        epoll_event interest{};
        interest.events = EPOLLIN | EPOLLET;
        interest.data.u64 = reinterpret_cast<std::uintptr_t>(&s) | 1U;  // links have it even
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, s.fd(), &interest);
        ready_.push_back(&s);
    }

    [[noreturn]] void run() {
        std::array<epoll_event, turn_max> events{};
        for (;;) {
            const int n = ::epoll_wait(epoll_, events.data(), turn_max, -1);
            for (int i = 0; i < n; ++i)
                on_ready(events[static_cast<std::size_t>(i)]);
            do {
                out_.flush();
                forward();
                out_.flush();
            } while (!ready_.empty() && out_.room());
        }
    }

private:
    void on_ready(const epoll_event& e) {
        if ((e.data.u64 & 1U) == 0)
            return out_.on_ready(*static_cast<outlet::link*>(e.data.ptr), e.events);
        auto* s = reinterpret_cast<shard*>(static_cast<std::uintptr_t>(e.data.u64 & ~1ULL));
        s->readable();
        for (const shard* other : ready_)
            if (other == s) return;
        ready_.push_back(s);
    }

    // Shards in turn, as long as the handler's connections have room.
    void forward() {
        event e;
        while (!ready_.empty() && out_.room()) {
            shard& s = *ready_.front();
            ready_.pop_front();
            bool more = true;
            for (int i = 0; i < turn_max && more && out_.room(); ++i) {
                more = s.next(e);
                if (more) out_.take(e, s);
            }
            if (more) ready_.push_back(&s);
        }
    }

    int epoll_;
    outlet& out_;
    std::deque<shard*> ready_;  // may have something to read
};

int run(const std::vector<std::string>& a) {
    gateway_options options;
    split(a[1], options.host, options.port);
    options.ca = a[2];
    options.token = a[3];
    options.shards = static_cast<std::uint32_t>(std::stoul(a[4]));
    options.intents = std::stoull(a[5]);
    options.zstd = a[10] == "zstd-stream";
    outlet_options handler;
    split(a[6], handler.host, handler.port);
    handler.how = mode_of(a[7]);
    handler.depth = static_cast<std::uint32_t>(std::stoul(a[8]));
    handler.connections = static_cast<std::uint32_t>(std::stoul(a[9]));
    handler.shards = options.shards;
    if (handler.depth == 0 || handler.connections == 0) throw std::runtime_error("zero is too few");

    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    outlet out(handler, epoll);
    forwarder all(epoll, out);
    scratch shared;
    const auto tls = make_tls(options.ca);
    std::vector<std::unique_ptr<shard>> shards;
    for (std::uint32_t i = 0; i < options.shards; ++i) {
        shards.push_back(std::make_unique<shard>(options, tls.get(), i, shared));
        all.add(*shards.back());
    }
    all.run();
}

}  // namespace
}  // namespace shardgate::bench::floor

int main(int argc, char** argv) {
    if (static_cast<std::size_t>(argc) != shardgate::bench::floor::arguments) {
        std::cerr << "usage: bench_floor GATEWAY CA TOKEN SHARDS INTENTS HANDLER "
                     "plain|pipelined|batched DEPTH CONNECTIONS COMPRESSION\n";
        return 64;
    }
    try {
        return shardgate::bench::floor::run({argv, argv + argc});
    } catch (const std::exception& e) {
        std::cerr << "bench_floor: " << e.what() << '\n';
        return 1;
    }
}
