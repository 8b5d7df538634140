// SPDX-License-Identifier: Apache-2.0
// TLS over TCP, verified as the tls_client says. The pieces are joined before they are encrypted:
// one record instead of three, and OpenSSL copies them in any case.
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "sink/dialer.hpp"
#include "sink/stream.hpp"
#include "transport/tls_native.hpp"

namespace shardgate::sink {
namespace {

namespace asio = boost::asio;
constexpr std::size_t joined_kept = 65536;

class tls_stream final : public stream {
public:
    tls_stream(const loop_executor& loop, const endpoint& to, tls_client& tls)
        : tls_(loop, tls.native().context), to_(to), dialer_(tls_.next_layer(), to) {}

    void connect(owner keep) override {
        dialer_.start(
            [this, keep = std::move(keep)](const error_code& ec, std::string_view detail) {
                if (ec) {
                    keep->on_connected(ec, detail);
                } else {
                    shake_hands(keep);
                }
            });
    }

    void read(char* to, std::size_t size, owner keep) override {
        tls_.async_read_some(asio::buffer(to, size),
                             [keep = std::move(keep)](const error_code& ec, std::size_t n) {
                                 keep->on_read(ec, n);
                             });
    }

    write_result write(const std::vector<std::string_view>& pieces) override {
        joined_.clear();
        if (joined_.capacity() > joined_kept) joined_.shrink_to_fit();
        for (const std::string_view piece : pieces)
            joined_ += piece;
        return write_result::later;
    }

    void tell_written(owner keep) override {
        asio::async_write(
            tls_, asio::buffer(joined_),
            [keep = std::move(keep)](const error_code& ec, std::size_t) { keep->on_written(ec); });
    }

    void close() noexcept override {
        error_code ignored;
        dialer_.stop();
        tls_.next_layer().close(ignored);
    }

private:
    void shake_hands(owner keep) {
        if (const error_code ec = require_host(tls_.native_handle(), to_.host)) {
            keep->on_connected(ec, "the host name cannot be used with TLS");
            return;
        }
        tls_.async_handshake(asio::ssl::stream_base::client,
                             [this, keep = std::move(keep)](const error_code& ec) {
                                 std::string detail;
                                 if (ec)
                                     detail = describe_handshake_failure(tls_.native_handle(), ec);
                                 keep->on_connected(ec, detail);
                             });
    }

    asio::ssl::stream<dialer::socket> tls_;
    const endpoint& to_;
    dialer dialer_;
    std::string joined_;
};

}  // namespace

std::unique_ptr<stream> make_tls_stream(const loop_executor& loop, const endpoint& to,
                                        tls_client& tls) {
    return std::make_unique<tls_stream>(loop, to, tls);
}

}  // namespace shardgate::sink
