// SPDX-License-Identifier: Apache-2.0
// Our client against another implementation of the protocol: Beast's server.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "unit/transport/websocket_fixture.hpp"

namespace shardgate {
namespace {

namespace beast = boost::beast;
using boost::asio::ip::tcp;
using server_stream = beast::websocket::stream<boost::asio::ssl::stream<tcp::socket>>;

// Echoes until the client closes; notes the close code it saw.
boost::asio::awaitable<void> echo(tcp::acceptor* acceptor, unsigned* closed_with, int* pings) {
    constexpr auto quietly = boost::asio::as_tuple(boost::asio::use_awaitable);
    auto [refused, socket] = co_await acceptor->async_accept(quietly);
    if (refused) co_return;
    server_stream ws(std::move(socket), shared_server_context());
    auto [untrusted] =
        co_await ws.next_layer().async_handshake(boost::asio::ssl::stream_base::server, quietly);
    if (untrusted) co_return;
    auto [failed] = co_await ws.async_accept(quietly);
    if (failed) co_return;
    ws.auto_fragment(true);
    ws.write_buffer_bytes(4096);  // so that longer messages come in fragments
    const std::function<void(beast::websocket::frame_type, beast::string_view)> note =
        [pings](beast::websocket::frame_type kind, beast::string_view) {
            if (kind == beast::websocket::frame_type::pong) ++*pings;
        };
    ws.control_callback(note);
    beast::flat_buffer buffer;
    for (int count = 0;; ++count) {
        auto [gone, n] = co_await ws.async_read(buffer, quietly);
        if (gone) break;
        ws.text(ws.got_text());
        auto [stuck, m] = co_await ws.async_write(buffer.data(), quietly);
        if (stuck) break;
        buffer.clear();
        if (count % 10 != 0) continue;
        const beast::websocket::ping_data data("still there?");
        auto [unheard] = co_await ws.async_ping(data, quietly);
        if (unheard) break;
    }
    *closed_with = ws.reason().code;
}

TEST_F(Websocket, TalksToBeast) {
    tcp::acceptor acceptor(loop, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
    unsigned closed_with = 0;
    int pongs = 0;
    boost::asio::co_spawn(loop, echo(&acceptor, &closed_with, &pongs), boost::asio::detached);
    std::mt19937 random(7);
    std::vector<std::string> sent;
    for (int i = 0; i < 100; ++i) {
        std::string text(random() % (i % 10 == 0 ? 200000 : 500), 'x');
        for (char& c : text)
            c = static_cast<char>('a' + random() % 26);
        sent.push_back(text);
    }
    std::size_t next = 0;
    seen.at_open = [&] { client->send(sent[next++]); };
    seen.at_message = [&] {
        if (next < sent.size())
            client->send(sent[next++]);
        else
            client->close(4200);
    };
    open(shared_client(), "wss://localhost:" + std::to_string(acceptor.local_endpoint().port()));

    ASSERT_TRUE(until_end());
    ASSERT_TRUE(until([&] { return closed_with != 0; }));

    EXPECT_EQ(seen.why(), cause::closed_by_us);
    EXPECT_EQ(seen.messages, sent);
    EXPECT_EQ(closed_with, 4200U);
    EXPECT_GE(pongs, 9);
}

}  // namespace
}  // namespace shardgate
