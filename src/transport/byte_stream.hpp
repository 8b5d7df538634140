// SPDX-License-Identifier: Apache-2.0
// A client's byte stream over TCP or TLS: connects, then hands on whatever has arrived, many
// messages' worth at a time, from a buffer all streams of a loop share; so an idle stream holds no
// buffer at all. Waits in the loop's poller. Loop thread only.
#pragma once

#include <openssl/ssl.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "shardgate/base/result.hpp"
#include "shardgate/runtime/poller.hpp"
#include "shardgate/transport/dial.hpp"
#include "shardgate/transport/tls_client.hpp"
#include "transport/socket_bio.hpp"

namespace shardgate {

class read_buffer;

class byte_stream final : public std::enable_shared_from_this<byte_stream>,
                          private poller::watcher,
                          private poller::intake {
public:
    enum class stage : std::uint8_t { lookup, connect, handshake, open, gone };

    struct loss {
        stage at = stage::open;
        error_code code;     // asio::error::eof when the peer closed its side in good order
        std::string detail;  // for a person
    };

    // Called on the loop, never from inside open(), write() or drop(). Any call may drop() the
    // stream.
    class user {
    public:
        virtual ~user() = default;
        virtual void on_connected() = 0;
        // scanner::padding readable bytes follow. The bytes live until the call returns.
        virtual void on_bytes(std::string_view bytes) = 0;
        virtual void on_lost(const loss& why) = 0;  // once; nothing follows
    };

    // `tls` null: plain TCP. `tls` must outlive the stream; `who` must until drop() or on_lost().
    [[nodiscard]] static std::shared_ptr<byte_stream> open(boost::asio::any_io_executor loop,
                                                           tls_client* tls, std::string host,
                                                           std::uint16_t port, user& who);
    ~byte_stream();

    // Sends after what is queued. Pre: on_connected() was called. Nothing once the peer is gone:
    // that is found out by reading, so that what it said last is still heard.
    void write(std::string_view bytes);
    // Closes the socket at once, with whatever is still queued. No callback follows.
    void drop();

    [[nodiscard]] stage where() const noexcept;
    [[nodiscard]] std::size_t unsent() const noexcept { return out_.size() - out_sent_; }
    [[nodiscard]] std::uint64_t bytes_in() const noexcept { return bytes_in_; }
    // Bytes the kernel took since on_connected(), TLS overhead included: not 0 = the peer may have
    // seen something.
    [[nodiscard]] std::uint64_t wire_bytes_out() const noexcept;
    // Nothing has arrived that was not handed on, an end of stream included: a kept connection is
    // still good as far as can be known.
    [[nodiscard]] bool is_quiet() noexcept;

    byte_stream(boost::asio::any_io_executor loop, tls_client* tls, std::string host, user& who);

private:
    enum class io : std::uint8_t { done, would_block, failed };

    void connected(dialled result);
    bool set_up_tls(loss& why);
    void handshake();
    void established();
    // Takes the socket from Asio to the poller.
    [[nodiscard]] error_code take_over(boost::asio::ip::tcp::socket socket);
    void on_ready(std::uint32_t events) override;
    void on_intake() override;
    void wait_for(std::uint32_t events) noexcept;
    void close() noexcept;
    void readable();
    void read_later();
    io fill(read_buffer& buffer, std::size_t& filled);
    io read_some(char* into, std::size_t size, std::size_t& got);
    io write_some(const char* from, std::size_t size, std::size_t& taken);
    void flush();
    loss loss_now() const;
    void lose(loss why);

    boost::asio::any_io_executor loop_;
    tls_client* tls_;
    std::string host_;
    user* user_;  // null: dropped or lost
    stage stage_ = stage::lookup;
    std::unique_ptr<dial> dial_;
    poller& poller_;
    socket_port port_;  // its descriptor is ours
    struct ssl_free {
        void operator()(SSL* s) const { ::SSL_free(s); }
    };
    std::unique_ptr<SSL, ssl_free> ssl_;  // after port_, which its BIO uses
    int ssl_error_ = 0;
    unsigned long ssl_reason_ = 0;
    std::uint32_t awaited_ = 0;  // EPOLLIN while it is open, unless TLS must write before it reads
    bool asked_ = false;         // to be let in by the poller
    bool write_failed_ = false;
    std::string out_;
    std::size_t out_sent_ = 0;
    std::uint64_t bytes_in_ = 0;
    bool connected_ = false;  // was, at least
    std::uint64_t handshake_bytes_out_ = 0;
};

}  // namespace shardgate
