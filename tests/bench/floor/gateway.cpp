// SPDX-License-Identifier: Apache-2.0
// The gateway's stream as cheaply as it can be read: large reads that OpenSSL takes records from,
// no read that must fail (a short one says that the socket is empty), frames inflated in place.
#include "floor/gateway.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace shardgate::bench::floor {
namespace {

constexpr std::size_t buffer_size = 256U << 10;
constexpr std::size_t record_max = 16384 + 256;
constexpr std::size_t message_max = 64U << 20;

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error(what);
}

std::uint64_t big_endian(const char* at, int bytes) {
    std::uint64_t value = 0;
    for (int i = 0; i < bytes; ++i)
        value = value << 8U | static_cast<unsigned char>(at[i]);
    return value;
}

}  // namespace

std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> make_tls(const std::string& ca) {
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                              &SSL_CTX_free);
    if (!context || SSL_CTX_load_verify_locations(context.get(), ca.c_str(), nullptr) != 1)
        fail(ca + " is no certificate");
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_read_ahead(context.get(), 1);
    SSL_CTX_set_default_read_buffer_len(context.get(), 128U << 10);
    return context;
}

shard::shard(const gateway_options& options, SSL_CTX* tls, std::uint32_t id, scratch& shared)
    : id_(id), shared_(shared), in_(buffer_size + simdjson::SIMDJSON_PADDING) {
    if (options.zstd) zstd_ = ZSTD_createDStream();
    connect(options);
    handshake(options, tls);
    upgrade(options);
    send_text(R"({"op":2,"d":{"token":")" + options.token +
              R"(","properties":{"os":"linux","browser":"floor","device":"floor"},"intents":)" +
              std::to_string(options.intents) + R"(,"shard":[)" + std::to_string(id) + "," +
              std::to_string(options.shards) + "]}}");
    ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK);
    blocking_ = false;
}

shard::~shard() {
    SSL_free(tls_);
    ZSTD_freeDStream(zstd_);
    if (fd_ >= 0) ::close(fd_);
}

void shard::connect(const gateway_options& options) {
    addrinfo hints{}, *found = nullptr;
    hints.ai_socktype = SOCK_STREAM;
    if (::getaddrinfo(options.host.c_str(), options.port.c_str(), &hints, &found) != 0)
        fail(options.host + " is not known");
    for (const addrinfo* a = found; a != nullptr && fd_ < 0; a = a->ai_next) {
        fd_ = ::socket(a->ai_family, a->ai_socktype, 0);
        if (fd_ >= 0 && ::connect(fd_, a->ai_addr, a->ai_addrlen) != 0) {
            ::close(fd_);
            fd_ = -1;
        }
    }
    ::freeaddrinfo(found);
    if (fd_ < 0) fail(options.host + ":" + options.port + " does not answer");
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int shard::bio_read(BIO* bio, char* to, int size) {
    auto* self = static_cast<shard*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (self->drained_) {
        BIO_set_retry_read(bio);
        return -1;
    }
    const auto got = ::read(self->fd_, to, static_cast<std::size_t>(size));
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
    self->drained_ = !self->blocking_ && got < size && (got >= 0 || errno == EAGAIN);
    return static_cast<int>(got);
}

int shard::bio_write(BIO* bio, const char* from, int size) {
    auto* self = static_cast<shard*>(BIO_get_data(bio));
    return static_cast<int>(::write(self->fd_, from, static_cast<std::size_t>(size)));
}

long shard::bio_control(BIO*, int what, long, void*) {
    return what == BIO_CTRL_FLUSH ? 1 : 0;
}

void shard::handshake(const gateway_options& options, SSL_CTX* tls) {
    static BIO_METHOD* const method = [] {
        BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
        BIO_meth_set_read(m, bio_read);
        BIO_meth_set_write(m, bio_write);
        BIO_meth_set_ctrl(m, bio_control);
        return m;
    }();
    BIO* bio = BIO_new(method);
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    tls_ = SSL_new(tls);
    SSL_set_bio(tls_, bio, bio);
    SSL_set_tlsext_host_name(tls_, options.host.c_str());
    SSL_set1_host(tls_, options.host.c_str());
    if (SSL_connect(tls_) != 1) fail("the TLS handshake failed");
}

void shard::upgrade(const gateway_options& options) {
    const std::string request =
        "GET /?v=10&encoding=json" + std::string(options.zstd ? "&compress=zstd-stream" : "") +
        " HTTP/1.1\r\nHost: " + options.host + ":" + options.port +
        "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\nUser-Agent: DiscordBot (floor, 1)\r\n\r\n";
    if (SSL_write(tls_, request.data(), static_cast<int>(request.size())) <= 0)
        fail("the upgrade could not be sent");
    for (;;) {
        if (!fill()) fail("the upgrade was not answered");
        const std::string_view text(in_.data(), end_);
        const auto at = text.find("\r\n\r\n");
        if (at == std::string_view::npos) continue;
        if (text.substr(0, 12) != "HTTP/1.1 101") fail(std::string(text.substr(0, at)));
        begin_ = at + 4;
        return;
    }
}

// Masked with zeros, which leaves the text as it is (RFC 6455 section 5.3).
void shard::send_text(std::string_view text) {
    std::string frame{'\x81', static_cast<char>(0xfe), static_cast<char>(text.size() >> 8U),
                      static_cast<char>(text.size() & 0xffU)};
    frame.append(4, '\0');
    frame += text;
    if (SSL_write(tls_, frame.data(), static_cast<int>(frame.size())) <= 0)
        fail("IDENTIFY could not be sent");
}

// More decrypted bytes behind the others. False when the socket has none.
bool shard::fill() {
    if (begin_ == end_) begin_ = end_ = 0;
    if (begin_ > 0 && in_.size() - simdjson::SIMDJSON_PADDING - end_ < record_max) {
        std::memmove(in_.data(), in_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    if (in_.size() - simdjson::SIMDJSON_PADDING - end_ < record_max) {
        if (in_.size() > message_max) fail("a message is too large");
        in_.resize(in_.size() * 2);
    }
    const int room = static_cast<int>(in_.size() - simdjson::SIMDJSON_PADDING - end_);
    const int got = SSL_read(tls_, in_.data() + end_, room);
    if (got > 0) {
        end_ += static_cast<std::size_t>(got);
        return true;
    }
    if (SSL_get_error(tls_, got) == SSL_ERROR_WANT_READ) return false;
    fail("the gateway ended the connection");
}

// Reads one frame off the buffer (RFC 6455 section 5.2). True when a message is whole.
bool shard::take_frame() {
    for (;;) {
        const char* const at = in_.data() + begin_;
        const std::size_t have = end_ - begin_;
        std::size_t head = 2, size = 0;
        if (have >= 2) {
            const auto length = static_cast<unsigned char>(at[1]) & 0x7fU;
            head = length == 126 ? 4 : length == 127 ? 10 : 2;
            if (have >= head)
                size = head == 2 ? length : big_endian(at + 2, static_cast<int>(head) - 2);
        }
        if (size > message_max) fail("a message is too large");
        if (have < head + size) {
            if (!fill()) return false;
            continue;
        }
        const auto opcode = static_cast<unsigned char>(at[0]) & 0x0fU;
        begin_ += head + size;
        if (opcode == 8) fail("closed: " + std::string(at + head, size));
        if (opcode > 2) continue;
        append({at + head, size});
        if ((static_cast<unsigned char>(at[0]) & 0x80U) != 0) return true;
    }
}

void shard::append(std::string_view payload) {
    if (zstd_ != nullptr) return inflate(payload);
    const std::size_t wanted = inflated_ + payload.size() + simdjson::SIMDJSON_PADDING;
    if (shared_.inflated.size() < wanted) shared_.inflated.resize(wanted);
    std::memcpy(shared_.inflated.data() + inflated_, payload.data(), payload.size());
    inflated_ += payload.size();
}

void shard::inflate(std::string_view payload) {
    ZSTD_inBuffer from{payload.data(), payload.size(), 0};
    for (;;) {
        const std::size_t room = shared_.inflated.size() - simdjson::SIMDJSON_PADDING;
        ZSTD_outBuffer to{shared_.inflated.data(), room, inflated_};
        const std::size_t result = ZSTD_decompressStream(zstd_, &to, &from);
        if (ZSTD_isError(result) != 0U) fail(ZSTD_getErrorName(result));
        inflated_ = to.pos;
        if (to.pos < room && from.pos == from.size) return;
        if (shared_.inflated.size() > message_max) fail("a message is too large");
        shared_.inflated.resize(shared_.inflated.size() * 2);
    }
}

bool shard::next(event& out) {
    while (take_frame())
        if (read(out)) return true;
    return false;
}

std::uint64_t shard::guild_of(simdjson::ondemand::value d) {
    std::uint64_t id = 0;
    std::string_view text;
    simdjson::ondemand::object object;
    if (d.get_object().get(object) != simdjson::SUCCESS ||
        object.find_field_unordered("guild_id").get_string().get(text) != simdjson::SUCCESS)
        return id;
    std::from_chars(text.data(), text.data() + text.size(), id);
    return id;
}

// One pass: op, t, s and the guild. False for what is no dispatch.
bool shard::read(event& out) {
    const std::size_t size = std::exchange(inflated_, 0);
    simdjson::ondemand::document document;
    const simdjson::padded_string_view text(shared_.inflated.data(), size, shared_.inflated.size());
    if (shared_.parser.iterate(text).get(document) != simdjson::SUCCESS) fail("no JSON");
    out = {};
    std::uint64_t op = 99;
    for (auto field : document.get_object()) {
        const simdjson::ondemand::raw_json_string key = field.key();
        simdjson::ondemand::value value = field.value();
        if (key == "op") {
            op = value.get_uint64();
        } else if (key == "t") {
            if (value.get_string().get(out.name) != simdjson::SUCCESS) out.name = {};
        } else if (key == "s") {
            if (value.get_uint64().get(out.seq) != simdjson::SUCCESS) out.seq = 0;
        } else if (key == "d") {
            out.guild = guild_of(value);
        }
    }
    if (op != 0) return false;
    out.frame = {shared_.inflated.data(), size};
    if (out.name == "READY") {
        const auto at = out.frame.find(R"("session_id":")") + 14;
        session_ = out.frame.substr(at, out.frame.find('"', at) - at);
    }
    return true;
}

}  // namespace shardgate::bench::floor
