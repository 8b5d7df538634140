// SPDX-License-Identifier: Apache-2.0
// Connecting: whom we trust, what the server may answer, and how long it may take.
#include <boost/asio/error.hpp>
#include <future>
#include <string>

#include "unit/transport/websocket_fixture.hpp"

namespace shardgate {
namespace {

using namespace std::chrono_literals;

TEST_F(Websocket, OpensAndDeliversInOrder) {
    server.upgrade().text("hello").binary("\x01\x02");
    open();

    ASSERT_TRUE(until([&] { return seen.messages.size() == 2; }));

    EXPECT_EQ(seen.opened, 1);
    EXPECT_EQ(seen.messages, (std::vector<std::string>{"hello", "\x01\x02"}));
    EXPECT_EQ(seen.binary, (std::vector<bool>{false, true}));
    EXPECT_GT(client->wire_bytes(), 100U);
}

TEST_F(Websocket, AsksForWhatTheAddressSays) {
    server.upgrade();
    open();
    ASSERT_TRUE(until_open());

    EXPECT_EQ(server.request.rfind("GET /?v=10&encoding=json HTTP/1.1\r\n", 0), 0U);
    const std::string host = "Host: localhost:" + std::to_string(server.port()) + "\r\n";
    EXPECT_NE(server.request.find(host), std::string::npos);
    EXPECT_NE(server.request.find("User-Agent: shardgate-test\r\n"), std::string::npos);
    EXPECT_NE(server.request.find("Sec-WebSocket-Version: 13\r\n"), std::string::npos);
    EXPECT_EQ(server.request.find("Sec-WebSocket-Extensions"), std::string::npos);
}

TEST_F(Websocket, SendsTheHostAsSni) {
    std::string sni;
    SSL_CTX_set_tlsext_servername_arg(shared_server_context().native_handle(), &sni);
    SSL_CTX_set_tlsext_servername_callback(
        shared_server_context().native_handle(), +[](SSL* ssl, int*, void* to) {
            const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
            *static_cast<std::string*>(to) = name != nullptr ? name : "";
            return SSL_TLSEXT_ERR_OK;
        });
    server.upgrade();
    open();
    ASSERT_TRUE(until_open());
    SSL_CTX_set_tlsext_servername_callback(shared_server_context().native_handle(),
                                           static_cast<int (*)(SSL*, int*, void*)>(nullptr));

    EXPECT_EQ(sni, "localhost");
}

TEST_F(Websocket, RefusesACertificateOfAnotherCa) {
    const testing::test_ca other("another CA");
    const auto tls = testing::client_trusting(other);
    server.upgrade();
    open(*tls);

    ASSERT_TRUE(until_end());

    EXPECT_EQ(seen.why(), cause::connect_failed);
    EXPECT_EQ(seen.opened, 0);
    EXPECT_NE(seen.ends[0].detail.find("certificate refused"), std::string::npos)
        << seen.ends[0].detail;
    EXPECT_EQ(server.request, "") << "nothing may be said to a server that is not trusted";
}

TEST_F(Websocket, RefusesACertificateForAnotherHost) {
    server.upgrade();
    open(shared_client(), server.address("gateway.example.com"));

    ASSERT_TRUE(until_end());

    EXPECT_EQ(seen.why(), cause::connect_failed);
    EXPECT_NE(seen.ends[0].detail.find("hostname mismatch"), std::string::npos)
        << seen.ends[0].detail;
}

TEST_F(Websocket, RefusesAnExpiredCertificate) {
    auto context = testing::server_context(shared_ca().issue("DNS:localhost", true));
    testing::ws_server expired(loop, context);
    expired.upgrade();
    open(shared_client(), expired.address());

    ASSERT_TRUE(until_end());

    EXPECT_EQ(seen.why(), cause::connect_failed);
    EXPECT_NE(seen.ends[0].detail.find("expired"), std::string::npos) << seen.ends[0].detail;
    client.reset();
}

TEST_F(Websocket, ChecksAddressesInCertificatesToo) {
    auto context = testing::server_context(shared_ca().issue("IP:127.0.0.1"));
    testing::ws_server by_address(loop, context);
    by_address.upgrade();
    open(shared_client(), by_address.address("127.0.0.1"));
    EXPECT_TRUE(until_open());

    recorder other;
    auto named = open_websocket(loop.get_executor(), shared_client(),
                                by_address.address("localhost"), options, other);
    EXPECT_TRUE(until([&] { return !other.ends.empty(); }));
    EXPECT_EQ(other.why(), cause::connect_failed);
    named.reset();
    client.reset();
}

TEST_F(Websocket, RefusesTlsBelow12) {
    auto context = testing::server_context(shared_ca().issue("DNS:localhost"));
    SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context.native_handle(), TLS1_1_VERSION);
    SSL_CTX_set_security_level(context.native_handle(), 0);
    testing::ws_server old(loop, context);
    old.upgrade();
    open(shared_client(), old.address());

    ASSERT_TRUE(until_end());

    EXPECT_EQ(seen.why(), cause::connect_failed);
    client.reset();
}

TEST_F(Websocket, WorksOverTls12) {
    auto context = testing::server_context(shared_ca().issue("DNS:localhost"));
    SSL_CTX_set_max_proto_version(context.native_handle(), TLS1_2_VERSION);
    testing::ws_server older(loop, context);
    older.upgrade().text("still fine");
    open(shared_client(), older.address());

    EXPECT_TRUE(until([&] { return seen.messages.size() == 1; }));
    client.reset();
}

TEST_F(Websocket, AStalledTlsHandshakeTimesOut) {
    options.connect_timeout = 300ms;
    server.stall();
    open();

    ASSERT_TRUE(until_end());

    EXPECT_EQ(seen.why(), cause::timed_out);
    EXPECT_NE(seen.ends[0].detail.find("TLS handshake"), std::string::npos) << seen.ends[0].detail;
}

TEST_F(Websocket, ASilentUpgradeTimesOut) {
    options.connect_timeout = 500ms;
    server.answer("");
    open();

    ASSERT_TRUE(until_end());

    EXPECT_EQ(seen.why(), cause::timed_out);
    EXPECT_NE(seen.ends[0].detail.find("upgrade"), std::string::npos) << seen.ends[0].detail;
}

TEST_F(Websocket, AStuckLookupTimesOutAndHoldsNothing) {
    options.connect_timeout = 30ms;
    const auto release = std::make_shared<std::promise<void>>();
    const std::shared_future<void> released(release->get_future());
    resolver::of(loop.get_executor())
        .replace(
            [released](const std::string&, resolver::addresses&) {
                released.wait();
                return error_code(boost::asio::error::host_not_found);
            },
            5s);
    open(shared_client(), "wss://stuck.example/");

    ASSERT_TRUE(until_end());

    EXPECT_EQ(seen.why(), cause::timed_out);
    EXPECT_NE(seen.ends[0].detail.find("looked up"), std::string::npos) << seen.ends[0].detail;
    release->set_value();
}

TEST_F(Websocket, TellsTheStatusOfARefusedUpgrade) {
    for (const unsigned status : {429U, 503U, 520U}) {
        testing::ws_server refusing(loop, shared_server_context());
        refusing.answer("HTTP/1.1 " + std::to_string(status) +
                        " No\r\nRetry-After: 5\r\nContent-Length: 3\r\n\r\nno!");
        seen.ends.clear();
        open(shared_client(), refusing.address());

        ASSERT_TRUE(until_end());

        EXPECT_EQ(seen.why(), cause::connect_failed);
        EXPECT_EQ(seen.ends[0].http_status, status);
        EXPECT_EQ(seen.ends[0].detail.find("v=10"), std::string::npos) << "no query in a detail";
        client.reset();
    }
}

TEST_F(Websocket, RefusesAnAnswerThatProvesNothing) {
    server.answer(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
    open();

    ASSERT_TRUE(until_end());

    EXPECT_EQ(seen.why(), cause::connect_failed);
    EXPECT_NE(seen.ends[0].detail.find("Accept"), std::string::npos);
}

TEST_F(Websocket, RefusesAnEndlessHeader) {
    server.answer("HTTP/1.1 101 Switching Protocols\r\nX: " + std::string(20000, 'x'));
    open();

    ASSERT_TRUE(until_end());

    EXPECT_EQ(seen.why(), cause::connect_failed);
    EXPECT_NE(seen.ends[0].detail.find("too long"), std::string::npos) << seen.ends[0].detail;
}

TEST_F(Websocket, AClosedPortFails) {
    std::string address;
    {
        testing::ws_server gone(loop, shared_server_context());
        address = gone.address();
    }
    open(shared_client(), address);

    ASSERT_TRUE(until_end());

    EXPECT_EQ(seen.why(), cause::connect_failed);
    EXPECT_NE(seen.ends[0].detail.find("cannot connect to localhost"), std::string::npos);
}

TEST_F(Websocket, AnAddressThatIsNoneFailsLater) {
    for (const char* address : {"", "https://localhost/", "ws://localhost/", "wss://", "wss://a b/",
                                "wss://user:pass@localhost/"}) {
        seen.ends.clear();
        client = open_websocket(loop.get_executor(), shared_client(), address, options, seen);
        EXPECT_TRUE(seen.ends.empty()) << address;

        ASSERT_TRUE(until_end()) << address;

        EXPECT_EQ(seen.why(), cause::connect_failed) << address;
        EXPECT_EQ(seen.ends[0].detail.find("pass@"), std::string::npos);
    }
}

TEST_F(Websocket, TheNameIsAskedForEachConnection) {
    server.upgrade();
    open();
    ASSERT_TRUE(until_open());
    const auto before = resolver::of(loop.get_executor()).stats().lookups;
    open();
    ASSERT_TRUE(until([&] { return seen.opened == 2; }));

    EXPECT_EQ(resolver::of(loop.get_executor()).stats().lookups, before + 1);
}

}  // namespace
}  // namespace shardgate
