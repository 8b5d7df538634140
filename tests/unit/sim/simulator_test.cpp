// SPDX-License-Identifier: Apache-2.0
// The whole simulator on loopback, with Beast as client: another's idea of TLS and RFC 6455.
#include "sim/simulator.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "shardgate/protocol/close_code.hpp"

namespace shardgate::sim {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace json = boost::json;
using tcp = asio::ip::tcp;

std::uint16_t port_of(const json::value& address) {
    const std::string text(address.as_string());
    return static_cast<std::uint16_t>(std::stoul(text.substr(text.rfind(':') + 1)));
}

// The simulator on a thread of its own; the test talks to it as a client would, blocking.
class running {
public:
    explicit running(options o) {
        ca_file_ = ::testing::TempDir() + "shardgate-sim-ca-" + std::to_string(::getpid()) + ".pem";
        o.endpoints.ca_out = ca_file_;
        sim_ = std::make_unique<simulator>(loop_, std::move(o));
        sim_->start();
        ready = json::parse(sim_->ready_line());
        thread_ = std::thread([this] { loop_.run(); });
    }
    ~running() {
        asio::post(loop_, [this] {
            sim_->stop();
            loop_.stop();
        });
        thread_.join();
        sim_.reset();
        std::remove(ca_file_.c_str());
    }

    json::value http(const char* port, beast::http::verb verb, const std::string& target,
                     const std::string& body = {}) {
        asio::io_context io;
        tcp::socket socket(io);
        socket.connect({asio::ip::make_address("127.0.0.1"), port_of(ready.at(port))});
        beast::http::request<beast::http::string_body> request{verb, target, 11};
        request.set(beast::http::field::host, "localhost");
        request.set(beast::http::field::authorization, "Bot simulated-token");
        request.set(beast::http::field::content_type, "application/json");
        request.body() = body;
        request.prepare_payload();
        beast::http::write(socket, request);
        beast::flat_buffer buffer;
        beast::http::response<beast::http::string_body> response;
        beast::http::read(socket, buffer, response);
        return json::parse(response.body());
    }
    json::value post(const std::string& target, const std::string& body) {
        return http("control", beast::http::verb::post, target, body);
    }

    json::value ready;
    [[nodiscard]] const std::string& ca_file() const { return ca_file_; }

private:
    asio::io_context loop_{1};
    std::unique_ptr<simulator> sim_;
    std::string ca_file_;
    std::thread thread_;
};

// One gateway connection, verified against the run's CA.
class socket_client {
public:
    socket_client(const running& sim, std::uint16_t port, const std::string& target = "/?v=10") {
        tls_.load_verify_file(sim.ca_file());
        tls_.set_verify_mode(asio::ssl::verify_peer);
        ws_.emplace(io_, tls_);
        auto& stream = ws_->next_layer();
        stream.next_layer().connect({asio::ip::make_address("127.0.0.1"), port});
        stream.set_verify_callback(asio::ssl::host_name_verification("localhost"));
        stream.handshake(asio::ssl::stream_base::client);
        ws_->handshake("localhost", target, error);
    }

    // The next payload; null when the connection ended (see error and reason()).
    json::value read() {
        beast::flat_buffer buffer;
        ws_->read(buffer, error);
        if (error) return nullptr;
        return json::parse(beast::buffers_to_string(buffer.data()));
    }
    void send(const std::string& text) {
        ws_->text(true);
        ws_->write(asio::buffer(text));
    }
    void identify() {
        send(R"({"op":2,"d":{"token":"simulated-token","properties":{},"intents":53608447,)"
             R"("shard":[0,1]}})");
    }
    [[nodiscard]] close_code reason() const { return ws_->reason().code; }
    void abort() { ws_->next_layer().next_layer().close(); }

    beast::error_code error;

private:
    asio::io_context io_;
    asio::ssl::context tls_{asio::ssl::context::tls_client};
    std::optional<beast::websocket::stream<asio::ssl::stream<tcp::socket>>> ws_;
};

options quick() {
    options o;
    o.world.guilds = 12;
    o.world.guild_bytes = 60000;  // frames with all three kinds of length
    return o;
}

TEST(Simulator, ABeastClientIdentifiesLoadsItsGuildsAndResumes) {
    running sim(quick());
    const json::value bot = sim.http("rest", beast::http::verb::get, "/api/v10/gateway/bot");
    EXPECT_EQ(port_of(json::value(std::string(bot.at("url").as_string().c_str(),
                                              bot.at("url").as_string().size() - 1))),
              port_of(sim.ready.at("gateway")));

    std::string session;
    std::uint16_t resume_port = 0;
    std::uint64_t last = 0;
    {
        socket_client c(sim, port_of(sim.ready.at("gateway")), "/?v=10&encoding=json");
        EXPECT_EQ(c.read().at("op").as_int64(), 10);
        c.identify();
        const json::value ready = c.read();
        session = std::string(ready.at("d").at("session_id").as_string());
        resume_port = port_of(ready.at("d").at("resume_gateway_url"));
        for (int i = 0; i < 12; ++i) {
            const json::value guild = c.read();
            EXPECT_EQ(guild.at("t").as_string(), "GUILD_CREATE");
            last = guild.at("s").to_number<std::uint64_t>();
        }
        c.send(R"({"op":1,"d":)" + std::to_string(last) + "}");
        EXPECT_EQ(c.read().at("op").as_int64(), 11);
        c.abort();
    }
    EXPECT_NE(resume_port, port_of(sim.ready.at("gateway")));
    sim.post("/emit", R"({"what":"message","count":5})");

    socket_client c(sim, resume_port);
    EXPECT_EQ(c.read().at("op").as_int64(), 10);
    c.send(R"({"op":6,"d":{"token":"simulated-token","session_id":")" + session + R"(","seq":)" +
           std::to_string(last) + "}}");
    for (std::uint64_t i = 1; i <= 5; ++i) {
        const json::value v = c.read();
        EXPECT_EQ(v.at("s").to_number<std::uint64_t>(), last + i);
        EXPECT_EQ(v.at("t").as_string(), "MESSAGE_CREATE");
    }
    EXPECT_EQ(c.read().at("t").as_string(), "RESUMED");
    EXPECT_EQ(sim.http("control", beast::http::verb::get, "/report")
                  .at("session_starts")
                  .at("remaining")
                  .as_int64(),
              999);
}

TEST(Simulator, FaultsCanBeSeenFromOutside) {
    running sim(quick());
    const std::uint16_t port = port_of(sim.ready.at("gateway"));
    const auto connected = [&] {
        auto c = std::make_unique<socket_client>(sim, port);
        c->read();
        return c;
    };

    sim.post("/fault", R"({"kind":"upgrade","status":503,"next":1})");
    EXPECT_EQ(socket_client(sim, port).error, beast::websocket::error::upgrade_declined);

    auto c = connected();
    c->send(R"({"op":3,"d":{}})");
    c->read();
    EXPECT_EQ(c->error, beast::websocket::error::closed);
    EXPECT_EQ(c->reason(), 4003);

    c = connected();
    c->identify();
    for (int i = 0; i < 13; ++i)
        c->read();  // READY and its guilds
    sim.post("/fault", R"({"kind":"close","code":0})");
    while (!c->error)
        c->read();
    EXPECT_EQ(c->error, beast::websocket::error::closed);
    EXPECT_EQ(c->reason(), 0);

    sim.post("/fault", R"({"kind":"reset","phase":"hello","next":1})");
    socket_client reset(sim, port);
    while (!reset.error)
        reset.read();
    EXPECT_NE(reset.error, beast::websocket::error::closed);

    sim.post("/fault", R"({"kind":"resume_dead","for_ms":60000})");
    socket_client again(sim, port);
    EXPECT_FALSE(again.error);
    const json::value state = sim.http("control", beast::http::verb::get, "/state");
    EXPECT_EQ(state.at("shards").as_array().at(0).at("last_server_close").as_int64(), 0);
}

TEST(Simulator, PagesAndCallsThatDoNotExistSaySo) {
    running sim(quick());

    EXPECT_TRUE(
        sim.http("control", beast::http::verb::get, "/nothing").as_object().contains("error"));
    EXPECT_TRUE(sim.post("/nothing", "{}").as_object().contains("error"));
    EXPECT_TRUE(sim.post("/emit", "not json").as_object().contains("error"));
    EXPECT_TRUE(sim.post("/load", R"({"mix":"none"})").as_object().contains("error"));
    EXPECT_EQ(sim.http("control", beast::http::verb::get, "/guilds").as_array().size(), 12U);
    EXPECT_TRUE(sim.http("control", beast::http::verb::get, "/handler").is_object());
    EXPECT_TRUE(sim.http("control", beast::http::verb::get, "/interactions").as_array().empty());
    EXPECT_TRUE(sim.http("control", beast::http::verb::get, "/identifies").as_array().empty());
    EXPECT_TRUE(sim.http("control", beast::http::verb::get, "/commands").as_array().empty());
    EXPECT_TRUE(sim.http("control", beast::http::verb::get, "/messages").as_array().empty());
    EXPECT_TRUE(sim.post("/handler", R"({"down":true})").is_object());
    EXPECT_TRUE(sim.post("/handler", "3").as_object().contains("error"));
    EXPECT_TRUE(sim.post("/reset", "").as_object().empty());
    EXPECT_TRUE(sim.post("/quit", "").as_object().empty());
}

}  // namespace
}  // namespace shardgate::sim
