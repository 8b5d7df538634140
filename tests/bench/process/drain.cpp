// SPDX-License-Identifier: Apache-2.0
// The least that any client must do with the same stream: read it over TLS and inflate it. Opens
// every shard, identifies, counts dispatches, forwards nothing. What the daemon costs is given as a
// ratio to this.
//
//   bench_drain GATEWAY CA TOKEN SHARDS COMPRESSION SECONDS     prints one JSON line
#include <sys/resource.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "shardgate/base/time.hpp"
#include "shardgate/protocol/outbound.hpp"
#include "shardgate/transport/inflate.hpp"
#include "shardgate/transport/tls_client.hpp"
#include "shardgate/transport/websocket.hpp"

namespace shardgate {
namespace {

struct counts {
    std::uint64_t payloads = 0, bytes = 0, lost = 0;
};

class drain final : public websocket_listener {
public:
    drain(const identify_profile& profile, config::compression kind, shard_id shard, shard_count of,
          inflate_buffer& buffer, counts& into)
        : profile_(profile),
          shard_(shard),
          of_(of),
          into_(into),
          inflate_(make_inflater(kind, 64U << 20, buffer)) {}

    std::unique_ptr<websocket> socket;

private:
    void on_open() override {}
    void on_message(std::string_view message, bool, time_point) override {
        const auto payload = inflate_->feed(message);
        if (!payload || !*payload) return;
        if (!std::exchange(greeted_, true))
            return socket->send(identify_text(profile_, shard_, of_));
        ++into_.payloads;
        into_.bytes += (*payload)->size();
    }
    void on_end(const websocket_end& end) override {
        ++into_.lost;
        std::cerr << "connection ended: " << end.code << ' ' << end.detail << '\n';
    }

    const identify_profile& profile_;
    shard_id shard_;
    shard_count of_;
    counts& into_;
    std::unique_ptr<inflater> inflate_;
    bool greeted_ = false;
};

double cpu_seconds() {
    rusage u{};
    getrusage(RUSAGE_SELF, &u);
    return static_cast<double>(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           static_cast<double>(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

config::compression kind_of(const std::string& name) {
    if (name == "zstd-stream") return config::compression::zstd_stream;
    if (name == "zlib-stream") return config::compression::zlib_stream;
    return config::compression::none;
}

int run(const std::vector<std::string>& a) {
    boost::asio::io_context loop{1};
    tls_client_options trust;
    trust.ca_file = a[2];
    auto tls = tls_client::make(trust);
    if (!tls) {
        std::cerr << tls.error().detail << '\n';
        return 1;
    }
    identify_profile profile;
    profile.token = secret(a[3]);
    profile.intents = 33281 | (1U << 11);  // GUILDS, GUILD_MESSAGES, MESSAGE_CONTENT, typing
    profile.properties = R"({"os":"linux","browser":"drain","device":"drain"})";
    const shard_count shards{static_cast<std::uint32_t>(std::stoul(a[4]))};
    const std::string compression = a[5] == "none" ? "" : a[5];
    inflate_buffer buffer;
    counts all;
    std::vector<std::unique_ptr<drain>> open;
    for (std::uint32_t i = 0; i < shards.value; ++i) {
        open.push_back(
            std::make_unique<drain>(profile, kind_of(a[5]), shard_id{i}, shards, buffer, all));
        websocket_options options;
        options.user_agent = "DiscordBot (drain, 1)";
        open.back()->socket = open_websocket(
            loop.get_executor(), **tls, gateway_address(a[1], compression), options, *open.back());
    }
    // A second to get going, then the measured time.
    counts before;
    double cpu = 0;
    boost::asio::steady_timer timer(loop, std::chrono::seconds(2));
    timer.async_wait([&](const auto&) {
        before = all;
        cpu = cpu_seconds();
        timer.expires_after(std::chrono::milliseconds(static_cast<long>(std::stod(a[6]) * 1000)));
        timer.async_wait([&](const auto&) { loop.stop(); });
    });
    loop.run();
    const double used = cpu_seconds() - cpu;
    const auto n = all.payloads - before.payloads;
    std::cout << "{\"events\":" << n << ",\"seconds\":" << a[6] << ",\"cpu_s\":" << used
              << ",\"bytes\":" << all.bytes - before.bytes << ",\"lost\":" << all.lost << "}"
              << std::endl;
    return n > 0 ? 0 : 1;
}

}  // namespace
}  // namespace shardgate

int main(int argc, char** argv) {
    if (argc != 7) {
        std::cerr << "usage: bench_drain GATEWAY CA TOKEN SHARDS COMPRESSION SECONDS\n";
        return 64;
    }
    return shardgate::run({argv, argv + argc});
}
