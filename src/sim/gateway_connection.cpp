// SPDX-License-Identifier: Apache-2.0
#include "sim/gateway_connection.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

namespace shardgate::sim {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t batch = 64U << 10;  // bytes put together for one write
constexpr std::size_t kept = 256U << 10;  // a buffer that grew beyond gives its memory back
constexpr std::size_t head_max = 16U << 10;
constexpr std::size_t client_message_max = 1U << 20;  // the gateway refuses above 4096 itself

void reset_socket(asio::ip::tcp::socket& socket) {
    boost::system::error_code ignored;
    socket.set_option(asio::socket_base::linger(true, 0), ignored);
    socket.close(ignored);
}

}  // namespace

gateway_connection::gateway_connection(asio::ip::tcp::socket socket, asio::ssl::context& tls,
                                       gateway& logic, const options& o, bool generic_url,
                                       std::uint64_t seed, finished done)
    : stream_(std::move(socket), tls),
      timer_(stream_.get_executor()),
      drip_timer_(stream_.get_executor()),
      logic_(logic),
      options_(o),
      generic_(generic_url),
      random_(seed),
      done_(std::move(done)),
      decoder_(client_message_max) {}

gateway_connection::~gateway_connection() = default;

void gateway_connection::start() {
    boost::system::error_code ignored;
    stream_.next_layer().set_option(asio::ip::tcp::no_delay(true), ignored);
    // Asio has OpenSSL give 16 KiB back after every write and ask for them before the next one.
    SSL_clear_mode(stream_.native_handle(), SSL_MODE_RELEASE_BUFFERS);
    const auto f = logic_.on_accept(clock::now());
    if (f) return meet(*f);
    deadline(30s);
    handshake();
}

void gateway_connection::meet(const fault& f) {
    deadline(60s);
    switch (f.kind) {
    case fault_kind::reset: reset_socket(stream_.next_layer()); return end();
    case fault_kind::fin: return end();
    case fault_kind::tls_stall: return swallow();
    default: early_ = f; return handshake();
    }
}

// Takes the client's bytes and never answers, until it goes away.
void gateway_connection::swallow() {
    stream_.next_layer().async_read_some(asio::buffer(in_),
                                         [me = shared_from_this()](error_code ec, std::size_t) {
                                             if (ec || me->over_) return me->end();
                                             me->swallow();
                                         });
}

void gateway_connection::handshake() {
    stream_.async_handshake(asio::ssl::stream_base::server,
                            [me = shared_from_this()](error_code ec) {
                                if (ec || me->over_) return me->end();
                                me->read_head();
                            });
}

void gateway_connection::read_head() {
    stream_.async_read_some(asio::buffer(in_),
                            [me = shared_from_this()](error_code ec, std::size_t n) {
                                if (ec || me->over_) return me->end();
                                me->on_head(n);
                            });
}

void gateway_connection::on_head(std::size_t size) {
    head_.append(in_.data(), size);
    const std::size_t end_of_head = head_.find("\r\n\r\n");
    if (end_of_head == std::string::npos) {
        if (head_.size() > head_max) return end();
        return read_head();
    }
    const upgrade_request r = parse_upgrade(std::string_view(head_).substr(0, end_of_head + 4));
    decoder_.feed(std::string_view(head_).substr(end_of_head + 4));
    head_ = std::string();
    if (early_) return refuse(early_->status);
    const unsigned status = logic_.admit(r);
    if (status != 101) return refuse(status);
    upgrade(r);
}

void gateway_connection::refuse(unsigned status) {
    ++logic_.stats().refused_upgrades;
    out_ = "HTTP/1.1 " + std::to_string(status) +
           " Simulated\r\nContent-Type: text/html\r\nContent-Length: 16\r\n"
           "Retry-After: 1\r\nConnection: close\r\n\r\n<h1>no room</h1>";
    closing_ = close_after_write_ = true;
    kick();
}

void gateway_connection::upgrade(const upgrade_request& r) {
    timer_.cancel();
    out_ =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: " +
        accept_key(r.key) + "\r\n\r\n";
    const std::string compress = query_value(r.target, "compress");
    compressor_options c;
    c.zlib_level = options_.encoding.zlib_level;
    c.zstd_level = options_.encoding.zstd_level;
    c.zstd_window_log = options_.encoding.zstd_window_log;
    const compression kind = compress == "zlib-stream"   ? compression::zlib_stream
                             : compress == "zstd-stream" ? compression::zstd_stream
                                                         : compression::none;
    compressor_ = make_compressor(kind, c);
    link_ = &logic_.open(*this, r, generic_, clock::now());
    kick();
    on_bytes();
    read();
}

void gateway_connection::read() {
    if (over_ || silent_ || close_after_write_) return;
    stream_.async_read_some(asio::buffer(in_),
                            [me = shared_from_this()](error_code ec, std::size_t n) {
                                if (me->over_) return;
                                if (ec) return me->end();
                                if (me->silent_) return;
                                me->decoder_.feed({me->in_.data(), n});
                                me->on_bytes();
                                me->read();
                            });
}

void gateway_connection::on_bytes() {
    while (!over_ && !silent_) {
        const ws_decoder::item item = decoder_.next();
        if (item.what == ws_decoder::kind::none) return;
        on_item(item);
        if (item.what == ws_decoder::kind::broken) return;
    }
}

void gateway_connection::on_item(const ws_decoder::item& item) {
    using enum ws_decoder::kind;
    switch (item.what) {
    case text:
    case binary:
        // What was read while the connection said goodbye is nobody's any more.
        if (link_) logic_.on_message(*link_, item.payload, clock::now());
        return;
    case ping:
        if (closing_) return;
        write_frame_header(out_, ws_opcode::pong, item.payload.size());
        out_ += item.payload;
        return wake();
    case broken: return close(item.code);
    case close_frame:
        client_code_ = item.code;
        if (client_code_ == 0) client_code_ = 1005;
        if (!closing_) {
            write_close_frame(out_, item.code);
            closing_ = true;
        }
        close_after_write_ = true;
        return wake();
    default: return;
    }
}

void gateway_connection::encode(std::string_view payload) {
    if (!compressor_) {
        const bool alone = link_ && link_->payload_compression && payload.size() > 1024;
        if (alone)
            add_message(compress_alone(payload), true);
        else
            add_message(payload, false);
        return;
    }
    compressed_.clear();
    compressor_->add(payload, compressed_);
    if (corrupt_ && !compressed_.empty()) {
        corrupt_ = false;
        // A payload starts with a block's header, and type 3 does not exist (RFC 1951 3.2.3, RFC
        // 8878 3.1.1.2.2). A byte further in may decode to another text that nobody can tell.
        compressed_[0] = static_cast<char>(compressed_[0] | 0x06);
    }
    const bool split = link_ && link_->kind == compression::zlib_stream &&
                       random_.chance(options_.encoding.zlib_split);
    if (!split || compressed_.size() < 8) return add_message(compressed_, true);
    // Anywhere, and sometimes inside the 00 00 FF FF that ends the payload (S8).
    const std::string_view all = compressed_;
    const std::size_t at = random_.below(2) == 0 ? all.size() - 1 - random_.below(3)
                                                 : 1 + random_.below(all.size() - 1);
    add_message(all.substr(0, at), true);
    add_message(all.substr(at), true);
}

void gateway_connection::add_message(std::string_view bytes, bool binary) {
    write_frame_header(out_, binary ? ws_opcode::binary : ws_opcode::text, bytes.size());
    out_.append(bytes);
}

void gateway_connection::send(std::string_view payload) {
    if (over_ || closing_) return;
    encode(payload);
    wake();
}

void gateway_connection::wake() {
    if (kick_posted_ || over_ || silent_) return;
    kick_posted_ = true;
    // Posted: everything that happens in this turn goes into one write.
    asio::post(stream_.get_executor(), [me = shared_from_this()] {
        me->kick_posted_ = false;
        me->kick();
    });
}

void gateway_connection::pull() {
    const time_point now = clock::now();
    std::string_view frame;
    while (!closing_ && link_ && out_.size() < batch && logic_.next(*link_, frame, now))
        encode(frame);
}

void gateway_connection::kick() {
    if (busy_ || over_ || silent_) return;
    pull();
    if (silent_) return;
    if (out_.empty()) {
        if (close_after_write_) goodbye();
        return;
    }
    if (drip_) return write(1);
    writing_.swap(out_);
    out_.clear();
    busy_ = true;
    asio::async_write(stream_, asio::buffer(writing_),
                      [me = shared_from_this()](error_code ec, std::size_t) {
                          me->busy_ = false;
                          if (me->over_) return;
                          if (ec) return me->end();
                          me->written();
                      });
}

void gateway_connection::written() {
    if (writing_.capacity() > kept) writing_ = std::string();
    if (closing_ && out_.empty() && !close_after_write_) {
        deadline(5s);  // for the client's close frame
        return;
    }
    kick();
}

// The drip: so many bytes, then a second's rest.
void gateway_connection::write(std::size_t bytes) {
    writing_ = out_.substr(0, bytes);
    out_.erase(0, bytes);
    busy_ = true;
    asio::async_write(stream_, asio::buffer(writing_),
                      [me = shared_from_this()](error_code ec, std::size_t) {
                          if (me->over_) return;
                          if (ec) return me->end();
                          me->drip_timer_.expires_after(me->options_.scaled(1000ms));
                          me->drip_timer_.async_wait([me](error_code) {
                              me->busy_ = false;
                              if (!me->over_) me->written();
                          });
                      });
}

void gateway_connection::close(close_code code) {
    if (over_ || closing_) return;
    write_close_frame(out_, code);
    closing_ = true;
    wake();
}

void gateway_connection::drop(bool reset) {
    if (over_) return;
    closing_ = close_after_write_ = true;
    out_.clear();
    if (reset) reset_socket(stream_.next_layer());
    // Not from inside the caller: end() calls the gateway back.
    asio::post(stream_.get_executor(), [me = shared_from_this()] { me->end(); });
}

void gateway_connection::abandon() {
    link_ = nullptr;
    end();
}

void gateway_connection::deadline(duration after) {
    timer_.expires_after(after);
    timer_.async_wait([me = shared_from_this()](error_code ec) {
        if (!ec && me->timer_.expiry() <= clock::now()) me->end();
    });
}

// The orderly end: TLS is told as well, so that a client can tell it from a cut line (RFC
// 8446 6.1).
void gateway_connection::goodbye() {
    if (leaving_ || over_) return;
    leaving_ = true;
    if (link_) logic_.on_end(*std::exchange(link_, nullptr), client_code_, clock::now());
    deadline(1s);
    stream_.async_shutdown([me = shared_from_this()](error_code) { me->end(); });
}

void gateway_connection::end() {
    if (over_) return;
    over_ = true;
    timer_.cancel();
    drip_timer_.cancel();
    boost::system::error_code ignored;
    // A plain TCP end: the simulator's clients have to take that from Discord as well.
    stream_.next_layer().shutdown(asio::socket_base::shutdown_both, ignored);
    stream_.next_layer().close(ignored);
    if (link_) logic_.on_end(*std::exchange(link_, nullptr), client_code_, clock::now());
    done_(*this);
}

}  // namespace shardgate::sim
