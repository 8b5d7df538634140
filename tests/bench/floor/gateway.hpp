// SPDX-License-Identifier: Apache-2.0
// A shard's connection with nothing but what no client of the gateway can leave out: TLS, frames,
// inflating, one pass over the JSON. Calls OpenSSL, zstd, simdjson and the kernel directly, and
// none of the daemon's code, so that its cost is a yardstick for that code.
#pragma once

#include <openssl/ssl.h>
#include <simdjson.h>
#include <zstd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace shardgate::bench::floor {

struct event {
    std::string_view frame;  // Discord's own text; until the next call of next()
    std::string_view name;
    std::uint64_t seq = 0;
    std::uint64_t guild = 0;
};

struct gateway_options {
    std::string host, port, ca, token;
    std::uint32_t shards = 1;
    std::uint64_t intents = 0;
    bool zstd = true;
};

// What the shards share: one runs at a time, and is done with it before the next one does.
struct scratch {
    scratch() : inflated(1U << 20) {}
    std::vector<char> inflated;
    simdjson::ondemand::parser parser;
};

class shard {
public:
    // Connects and identifies, blocking; from then on the socket does not block. Throws.
    shard(const gateway_options& options, SSL_CTX* tls, std::uint32_t id, scratch& shared);
    ~shard();
    shard(const shard&) = delete;
    shard& operator=(const shard&) = delete;

    [[nodiscard]] int fd() const noexcept { return fd_; }
    [[nodiscard]] std::uint32_t id() const noexcept { return id_; }
    [[nodiscard]] const std::string& session() const noexcept { return session_; }
    // The kernel said that something came.
    void readable() noexcept { drained_ = false; }
    // False: nothing more until readable().
    [[nodiscard]] bool next(event& out);

private:
    void connect(const gateway_options& options);
    void handshake(const gateway_options& options, SSL_CTX* tls);
    void upgrade(const gateway_options& options);
    void send_text(std::string_view text);
    [[nodiscard]] bool fill();
    [[nodiscard]] bool take_frame();
    void append(std::string_view payload);
    void inflate(std::string_view payload);
    [[nodiscard]] bool read(event& out);
    [[nodiscard]] std::uint64_t guild_of(simdjson::ondemand::value d);
    static int bio_read(BIO* bio, char* to, int size);
    static int bio_write(BIO* bio, const char* from, int size);
    static long bio_control(BIO* bio, int what, long, void*);

    int fd_ = -1;
    std::uint32_t id_;
    scratch& shared_;
    SSL* tls_ = nullptr;
    ZSTD_DStream* zstd_ = nullptr;
    std::string session_;
    std::vector<char> in_;             // decrypted, not yet read
    std::size_t begin_ = 0, end_ = 0;  // of it
    std::size_t inflated_ = 0;         // bytes of the message so far
    bool blocking_ = true;             // while connecting
    bool drained_ = false;             // the last read got less than it asked for
};

[[nodiscard]] std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> make_tls(const std::string& ca);

}  // namespace shardgate::bench::floor
