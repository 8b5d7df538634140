// SPDX-License-Identifier: Apache-2.0
// One accepted gateway connection: TLS, upgrade, frames, compression, batching, and the faults that
// live in bytes. Owned by gateway_server's list and by its operations under way. Loop thread only.
#pragma once

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "sim/compressor.hpp"
#include "sim/gateway.hpp"
#include "sim/ws_codec.hpp"

namespace shardgate::sim {

class gateway_connection final : public peer,
                                 public std::enable_shared_from_this<gateway_connection> {
public:
    using finished = std::function<void(gateway_connection&)>;

    gateway_connection(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context& tls,
                       gateway& logic, const options& o, bool generic_url, std::uint64_t seed,
                       finished done);
    ~gateway_connection() override;

    void start();
    // Ends it at once, without telling the gateway's logic more than that.
    void abandon();

    void send(std::string_view payload) override;
    void wake() override;
    void close(close_code code) override;
    void drop(bool reset) override;
    void go_silent() override { silent_ = true; }
    void drip(bool on) override { drip_ = on; }
    void corrupt_next() override { corrupt_ = true; }

private:
    using self = std::shared_ptr<gateway_connection>;

    void meet(const fault& f);
    void swallow();
    void handshake();
    void read_head();
    void on_head(std::size_t size);
    void refuse(unsigned status);
    void upgrade(const upgrade_request& r);
    void read();
    void on_bytes();
    void on_item(const ws_decoder::item& item);
    void encode(std::string_view payload);
    void add_message(std::string_view bytes, bool binary);
    void pull();
    void kick();
    void write(std::size_t bytes);
    void written();
    void deadline(duration after);
    void goodbye();
    void end();

    boost::asio::ssl::stream<boost::asio::ip::tcp::socket> stream_;
    boost::asio::steady_timer timer_;
    boost::asio::steady_timer drip_timer_;
    gateway& logic_;
    const options& options_;
    bool generic_;
    rng random_;
    finished done_;

    std::optional<fault> early_;  // waits for the upgrade
    std::string head_;
    std::array<char, 8192> in_{};
    ws_decoder decoder_;
    link* link_ = nullptr;
    std::unique_ptr<compressor> compressor_;
    std::string compressed_;

    std::string out_;      // to be written
    std::string writing_;  // being written
    bool busy_ = false;
    bool kick_posted_ = false;
    bool closing_ = false;  // nothing more is added to out_
    bool close_after_write_ = false;
    bool silent_ = false;
    bool drip_ = false;
    bool corrupt_ = false;
    bool leaving_ = false;
    bool over_ = false;
    close_code client_code_ = 0;
};

}  // namespace shardgate::sim
