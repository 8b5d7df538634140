// SPDX-License-Identifier: Apache-2.0
// A scripted WebSocket server over TLS.
#include "support/ws_server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "transport/ws_frame.hpp"
#include "transport/ws_upgrade.hpp"

namespace shardgate::testing {

namespace asio = boost::asio;
using asio::ip::tcp;
constexpr auto quietly = asio::as_tuple(asio::use_awaitable);

enum step_kind {
    do_stall,
    do_upgrade,
    do_answer,
    do_raw,
    do_drip,
    do_expect,
    do_reset,
    do_truncate,
    do_shut_down
};

struct ws_server::step {
    int what;
    std::string bytes;
    unsigned number;

    step(int w, std::string b, unsigned n) : what(w), bytes(std::move(b)), number(n) {}
};

struct ws_server::session {
    ws_server* owner;
    asio::ssl::stream<tcp::socket> stream;
    std::string in;
    std::size_t seen = 0;  // of owner->frames, by expect steps
    session(ws_server* o, tcp::socket socket, asio::ssl::context& tls)
        : owner(o), stream(std::move(socket), tls) {}

    // Takes whole frames off `in`.
    void take_frames() {
        for (;;) {
            if (in.size() < 2) return;
            const auto* b = reinterpret_cast<const unsigned char*>(in.data());
            std::size_t header = 2;
            std::size_t length = b[1] & 0x7FU;
            const std::size_t wide = length == 126 ? 2 : length == 127 ? 8 : 0;
            if (in.size() < header + wide) return;
            if (wide != 0) length = 0;
            for (std::size_t i = 0; i < wide; ++i)
                length = length << 8 | b[header + i];
            header += wide;
            client_frame f;
            f.opcode = b[0] & 0x0FU;
            f.masked = (b[1] & 0x80U) != 0;
            const std::size_t key_at = header;
            if (f.masked) header += 4;
            if (in.size() < header + length) return;
            f.payload = in.substr(header, length);
            if (f.masked)
                for (std::size_t i = 0; i < length; ++i)
                    f.payload[i] = static_cast<char>(f.payload[i] ^ in[key_at + i % 4]);
            in.erase(0, header + length);
            owner->frames.push_back(std::move(f));
        }
    }
};

unsigned client_frame::close_code() const {
    if (opcode != 8 || payload.size() < 2) return 0;
    return static_cast<unsigned char>(payload[0]) * 256U + static_cast<unsigned char>(payload[1]);
}

std::string server_frame(unsigned first_byte, std::string_view payload) {
    std::string out(1, static_cast<char>(first_byte));
    const std::size_t size = payload.size();
    unsigned wide = 0;
    if (size < 126) {
        out.push_back(static_cast<char>(size));
    } else if (size <= 0xFFFF) {
        out.push_back(126);
        wide = 2;
    } else {
        out.push_back(127);
        wide = 8;
    }
    for (unsigned i = wide; i-- > 0;)
        out.push_back(static_cast<char>(static_cast<std::uint64_t>(size) >> (8 * i) & 0xFF));
    out += payload;
    return out;
}

ws_server::ws_server(asio::io_context& loop, asio::ssl::context& tls)
    : loop_(loop), tls_(tls), acceptor_(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
    asio::co_spawn(loop_, accept(this), asio::detached);
}

ws_server::~ws_server() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    for (const auto& weak : sessions_)
        if (const auto s = weak.lock()) s->stream.next_layer().close(ignored);
    // What was waiting sees its operation aborted and leaves before `this` does.
    loop_.restart();
    loop_.poll();
}

std::uint16_t ws_server::port() const {
    return acceptor_.local_endpoint().port();
}

std::string ws_server::address(const std::string& host) const {
    return "wss://" + host + ":" + std::to_string(port()) + "/?v=10&encoding=json";
}

ws_server& ws_server::add(int what, std::string bytes, unsigned number) {
    steps_.emplace_back(what, std::move(bytes), number);
    return *this;
}
ws_server& ws_server::stall() {
    return add(do_stall, {});
}
ws_server& ws_server::upgrade() {
    return add(do_upgrade, {});
}
ws_server& ws_server::answer(std::string response) {
    return add(do_answer, std::move(response));
}
ws_server& ws_server::text(std::string p) {
    return frame(0x81, std::move(p));
}
ws_server& ws_server::binary(std::string p) {
    return frame(0x82, std::move(p));
}
ws_server& ws_server::frame(unsigned first, std::string p) {
    return raw(server_frame(first, p));
}
ws_server& ws_server::close(unsigned code, std::string reason) {
    std::string payload = ws::close_payload(static_cast<close_code>(code));
    return frame(0x88, payload + reason);
}
ws_server& ws_server::raw(std::string bytes) {
    return add(do_raw, std::move(bytes));
}
ws_server& ws_server::drip(std::string bytes) {
    return add(do_drip, std::move(bytes));
}
ws_server& ws_server::expect(unsigned opcode) {
    return add(do_expect, {}, opcode);
}
ws_server& ws_server::reset() {
    return add(do_reset, {});
}
ws_server& ws_server::truncate() {
    return add(do_truncate, {});
}
ws_server& ws_server::shut_down() {
    return add(do_shut_down, {});
}

// What RFC 6455 wants to hear, for that request's key.
static std::string right_answer(const std::string& request) {
    const std::string name = "Sec-WebSocket-Key: ";
    const std::size_t at = request.find(name) + name.size();
    const std::string key = request.substr(at, request.find("\r\n", at) - at);
    return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Accept: " +
           ws::accept_of(key) + "\r\n\r\n";
}

asio::awaitable<void> ws_server::accept(ws_server* self) {
    for (;;) {
        auto [code, socket] = co_await self->acceptor_.async_accept(quietly);
        if (code) co_return;
        ++self->accepted;
        socket.set_option(tcp::no_delay(true));
        auto s = std::make_shared<session>(self, std::move(socket), self->tls_);
        self->sessions_.push_back(s);
        asio::co_spawn(self->loop_, serve(std::move(s)), asio::detached);
    }
}

asio::awaitable<void> ws_server::serve(std::shared_ptr<session> s) {
    const bool tls = s->owner->steps_.empty() || s->owner->steps_.front().what != do_stall;
    if (tls) {
        auto [failed] = co_await s->stream.async_handshake(asio::ssl::stream_base::server, quietly);
        if (failed) co_return;
    }
    s->seen = s->owner->frames.size();
    for (std::size_t i = 0; i < s->owner->steps_.size(); ++i) {
        step now = s->owner->steps_[i];
        const bool on = co_await play(s, std::move(now));
        if (!on) co_return;
    }
    for (bool open = true; open;)
        open = co_await read_more(s);
    // Closed by our own destructor: `owner` is going.
    if (s->stream.next_layer().is_open()) ++s->owner->left;
}

asio::awaitable<bool> ws_server::play(std::shared_ptr<session> s, step what) {
    boost::system::error_code ignored;
    bool on = true;
    switch (what.what) {
    case do_stall: {
        char byte = 0;
        while (on) {  // swallows what comes
            auto [failed, n] =
                co_await s->stream.next_layer().async_read_some(asio::buffer(&byte, 1), quietly);
            on = !failed && n > 0;
        }
        break;
    }
    case do_upgrade:
    case do_answer: {
        on = co_await read_request(s);
        if (!on) break;
        const bool rightly = what.what == do_upgrade;
        const std::string response = rightly ? right_answer(s->owner->request) : what.bytes;
        auto [failed, n] = co_await asio::async_write(s->stream, asio::buffer(response), quietly);
        on = !failed;
        break;
    }
    case do_raw: {
        auto [failed, n] = co_await asio::async_write(s->stream, asio::buffer(what.bytes), quietly);
        on = !failed;
        break;
    }
    case do_drip:
        for (std::size_t i = 0; i < what.bytes.size() && on; ++i) {
            auto [failed, n] = co_await asio::async_write(
                s->stream, asio::buffer(what.bytes.data() + i, 1), quietly);
            on = !failed;
        }
        break;
    case do_expect:
        for (bool found = false; on && !found;) {
            const auto& frames = s->owner->frames;
            while (!found && s->seen < frames.size())
                found = frames[s->seen++].opcode == what.number;
            if (!found) on = co_await read_more(s);
        }
        break;
    case do_reset: {
        const asio::socket_base::linger at_once(true, 0);
        s->stream.next_layer().set_option(at_once, ignored);
        s->stream.next_layer().close(ignored);
        on = false;
        break;
    }
    case do_truncate: s->stream.next_layer().shutdown(tcp::socket::shutdown_send, ignored); break;
    case do_shut_down: {
        auto [failed] = co_await s->stream.async_shutdown(quietly);
        on = failed != asio::error::operation_aborted;
        s->stream.next_layer().shutdown(tcp::socket::shutdown_send, ignored);
        break;
    }
    default: on = false; break;
    }
    co_return on;
}

asio::awaitable<bool> ws_server::read_request(std::shared_ptr<session> s) {
    while (s->in.find("\r\n\r\n") == std::string::npos) {
        std::string part(4096, '\0');
        auto [failed, n] = co_await s->stream.async_read_some(asio::buffer(part), quietly);
        if (failed) co_return false;
        s->in.append(part, 0, n);
    }
    const std::size_t end = s->in.find("\r\n\r\n") + 4;
    s->owner->request = s->in.substr(0, end);
    s->in.erase(0, end);
    co_return true;
}

asio::awaitable<bool> ws_server::read_more(std::shared_ptr<session> s) {
    std::string part(16384, '\0');
    auto [failed, n] = co_await s->stream.async_read_some(asio::buffer(part), quietly);
    if (failed) co_return false;
    s->in.append(part, 0, n);
    s->take_frames();
    co_return true;
}

}  // namespace shardgate::testing
