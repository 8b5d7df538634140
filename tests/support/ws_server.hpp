// SPDX-License-Identifier: Apache-2.0
// A scripted WebSocket server over TLS for tests: each connection plays the steps in order, byte
// for byte, so that it can also do what no real server does. Records what the client sent. Same
// loop as the client under test.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace shardgate::testing {

// A frame as the client sent it, unmasked.
struct client_frame {
    unsigned opcode = 0;
    bool masked = false;
    std::string payload;

    // A close frame's code; 0 = none.
    [[nodiscard]] unsigned close_code() const;
};

class ws_server {
public:
    ws_server(boost::asio::io_context& loop, boost::asio::ssl::context& tls);
    ~ws_server();

    [[nodiscard]] std::uint16_t port() const;
    [[nodiscard]] std::string address(const std::string& host = "localhost") const;

    // Script. Steps are played by every connection, from the first.
    ws_server& stall();                       // accepts TCP and then nothing: no TLS
    ws_server& upgrade();                     // reads the request, answers it rightly
    ws_server& answer(std::string response);  // reads the request, answers with this
    ws_server& text(std::string payload);
    ws_server& binary(std::string payload);
    ws_server& frame(unsigned first_byte, std::string payload);  // FIN, RSV and opcode as given
    ws_server& close(unsigned code, std::string reason = {});    // 0: without a code
    ws_server& raw(std::string bytes);
    ws_server& drip(std::string bytes);  // a TLS record a byte
    ws_server& expect(unsigned opcode);  // waits until the client has sent such a frame
    ws_server& reset();                  // TCP RST
    ws_server& truncate();               // TCP FIN without TLS's close_notify
    ws_server& shut_down();              // TLS close_notify and TCP FIN

    // Without another step a connection listens until the client goes.
    std::string request;               // of the latest connection
    std::vector<client_frame> frames;  // of all connections, in order
    int accepted = 0;
    int left = 0;  // connections whose client has gone

private:
    struct step;
    struct session;
    static boost::asio::awaitable<void> accept(ws_server* self);
    static boost::asio::awaitable<void> serve(std::shared_ptr<session> s);
    static boost::asio::awaitable<bool> play(std::shared_ptr<session> s, step what);
    static boost::asio::awaitable<bool> read_request(std::shared_ptr<session> s);
    static boost::asio::awaitable<bool> read_more(std::shared_ptr<session> s);
    ws_server& add(int what, std::string bytes, unsigned number = 0);

    boost::asio::io_context& loop_;
    boost::asio::ssl::context& tls_;
    boost::asio::ip::tcp::acceptor acceptor_;
    std::vector<step> steps_;
    std::vector<std::weak_ptr<session>> sessions_;
};

// A server's frame: unmasked, shortest length.
[[nodiscard]] std::string server_frame(unsigned first_byte, std::string_view payload);

}  // namespace shardgate::testing
