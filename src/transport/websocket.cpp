// SPDX-License-Identifier: Apache-2.0
// The client WebSocket: upgrade, messages, closing, and how each connection's end is told.
// websocket::open hands out a thin handle; the connection behind it lives while a callback runs, so
// that a listener may destroy its handle at any time.
#include "shardgate/transport/websocket.hpp"

#include <openssl/rand.h>

#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstring>
#include <utility>

#include "shardgate/protocol/envelope.hpp"
#include "transport/byte_stream.hpp"
#include "transport/url.hpp"
#include "transport/ws_frame.hpp"
#include "transport/ws_upgrade.hpp"

namespace shardgate {

namespace asio = boost::asio;

namespace {

using cause = websocket_end::cause;

// What may wait to be sent to a peer that does not read. A session sends 120 payloads of at most
// 4 KiB a minute; pongs come on top.
constexpr std::size_t max_unsent_bytes = 1U << 20;
constexpr std::size_t max_unsent_frames = 1024;

std::uint32_t random_mask() {
    std::uint32_t mask = 0;
    std::array<unsigned char, sizeof mask> bytes{};
    ::RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
    std::memcpy(&mask, bytes.data(), sizeof mask);
    return mask;
}

std::string new_key() {
    std::array<unsigned char, 16> nonce{};
    ::RAND_bytes(nonce.data(), static_cast<int>(nonce.size()));
    return ws::key_of(nonce);
}

// A peer's close reason, for the log: printable ASCII only.
std::string readable(std::string_view reason) {
    std::string text;
    for (const char c : reason)
        text.push_back(c >= ' ' && c <= '~' ? c : '?');
    return text;
}

// What to answer a peer's close frame with. Echoing is usual (RFC 6455 section 5.5.1), but 1000 and
// 1001 from us would end the session for good (Discord docs, Gateway, Disconnecting).
close_code answer_to(close_code theirs) {
    return theirs >= 3000 && theirs <= 4999 ? theirs : close_to_resume;
}

class connection : public byte_stream::user, public std::enable_shared_from_this<connection> {
public:
    connection(asio::any_io_executor loop, websocket_options options, websocket_listener& listener)
        : loop_(std::move(loop)),
          options_(std::move(options)),
          listener_(&listener),
          timer_(loop_),
          decoder_(options_.max_message) {}

    void start(tls_client& tls, std::string_view address) {
        auto url = parse_url(address);
        if (!url || url->scheme != "wss") {
            end_soon(cause::connect_failed,
                     url ? "the address must begin with wss://" : std::move(url.error().detail));
            return;
        }
        url_ = std::move(*url);
        set_deadline(options_.connect_timeout);
        stream_ = byte_stream::open(loop_, &tls, url_.host, url_.port, *this);
    }

    void send(std::string_view text) {
        if (state_ != state::open) return;
        write_frame(ws::opcode::text, text);
    }

    void close(close_code code) {
        if (state_ == state::closing || state_ == state::ended) return;
        if (state_ != state::open) {
            abort();
            return;
        }
        state_ = state::closing;
        write_frame(ws::opcode::close, ws::close_payload(code));
        if (state_ == state::closing) set_deadline(options_.close_timeout);
    }

    void abort() { end_soon(cause::closed_by_us, "aborted"); }

    // The handle is gone: nothing is called any more.
    void detach() {
        listener_ = nullptr;
        shut();
    }

    [[nodiscard]] std::uint64_t wire_bytes() const noexcept { return wire_bytes_; }

private:
    enum class state : std::uint8_t { connecting, upgrading, open, closing, ended };

    void on_connected() override {
        state_ = state::upgrading;
        key_ = new_key();
        stream_->write(ws::upgrade_request(url_, options_.user_agent, key_));
    }

    void on_bytes(std::string_view bytes) override {
        const auto self = shared_from_this();
        wire_bytes_ += bytes.size();
        if (state_ == state::upgrading)
            upgrade(bytes);
        else
            frames(bytes, clock::now());
    }

    void on_lost(const byte_stream::loss& why) override {
        const bool opened = state_ == state::open || state_ == state::closing;
        if (state_ == state::closing)
            end(cause::closed_by_us, "the peer left without answering our close frame");
        else
            end(opened ? cause::lost : cause::connect_failed, why.detail);
    }

    void upgrade(std::string_view bytes) {
        upgrade_in_.append(bytes);
        const ws::upgrade_answer answer = ws::read_upgrade(upgrade_in_, key_);
        if (answer.what == ws::upgrade_answer::kind::need_more) return;
        if (answer.what == ws::upgrade_answer::kind::refused) {
            websocket_end e;
            e.why = cause::connect_failed;
            e.http_status = answer.status;
            e.detail = url_.host + ": " + answer.detail;
            end(std::move(e));
            return;
        }
        state_ = state::open;
        timer_.cancel();
        std::string rest = std::exchange(upgrade_in_, std::string());
        const std::size_t size = rest.size();
        rest.append(scanner::padding, '\0');
        std::string().swap(key_);
        listener_->on_open();
        frames(std::string_view(rest).substr(answer.used, size - answer.used), clock::now());
    }

    // What was read together has one time.
    void frames(std::string_view bytes, time_point now) {
        while (state_ == state::open || state_ == state::closing) {
            const ws::event e = decoder_.next(bytes);
            switch (e.what) {
            case ws::event::kind::need_more: return;
            case ws::event::kind::message:
                if (state_ == state::open) listener_->on_message(e.data, e.binary, now);
                break;
            case ws::event::kind::ping:
                if (state_ == state::open) write_frame(ws::opcode::pong, e.data);
                break;
            case ws::event::kind::pong: break;
            case ws::event::kind::close: closed_by_peer(e); return;
            case ws::event::kind::too_big:
                end(cause::too_big,
                    "a message above " + std::to_string(options_.max_message) + " bytes");
                return;
            case ws::event::kind::violation:
                end(cause::lost, "the peer broke the WebSocket protocol: " + std::string(e.data));
                return;
            }
        }
    }

    void closed_by_peer(const ws::event& e) {
        if (state_ == state::closing) {
            end(cause::closed_by_us, "closed");
            return;
        }
        websocket_end result;
        result.why = cause::closed_by_peer;
        result.code = e.code;
        result.detail = readable(e.data);
        // Only when it can go at once: the connection is dropped right after.
        if (stream_->unsent() == 0)
            write_frame(ws::opcode::close, ws::close_payload(answer_to(e.code)));
        end(std::move(result));
    }

    void write_frame(ws::opcode code, std::string_view payload) {
        if (stream_->unsent() == 0) unsent_frames_ = 0;
        ++unsent_frames_;
        std::string frame;
        ws::append_frame(frame, code, payload, random_mask());
        if (stream_->unsent() + frame.size() > max_unsent_bytes ||
            unsent_frames_ > max_unsent_frames) {
            end_soon(cause::lost, "the peer does not read what we send");
            return;
        }
        stream_->write(frame);
    }

    void set_deadline(duration span) {
        timer_.expires_after(span);
        timer_.async_wait([weak = weak_from_this(), span, armed_in = state_](const error_code& c) {
            const auto self = weak.lock();
            if (c || !self) return;
            // A cancelled timer may already be on its way: `armed_in` tells the phase it was for.
            const bool closing = armed_in == state::closing;
            const bool over =
                closing ? self->state_ != state::closing
                        : self->state_ != state::connecting && self->state_ != state::upgrading;
            if (!over) self->late(span);
        });
    }

    void late(duration span) {
        const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(span).count();
        std::string what;
        if (state_ == state::closing)
            what = "no answer to our close frame";
        else if (state_ == state::upgrading)
            what = "no answer to the upgrade request";
        else if (stream_->where() == byte_stream::stage::lookup)
            what = "the name was not looked up";
        else if (stream_->where() == byte_stream::stage::handshake)
            what = "the TLS handshake did not end";
        else
            what = "no TCP connection";
        end(cause::timed_out, what + " within " + std::to_string(ms) + " ms");
    }

    void end(cause why, std::string detail) {
        websocket_end e;
        e.why = why;
        e.detail = std::move(detail);
        end(std::move(e));
    }

    // From a callback of ours: the listener is told now.
    void end(websocket_end e) {
        if (state_ == state::ended) return;
        shut();
        const auto self = shared_from_this();
        if (websocket_listener* const who = std::exchange(listener_, nullptr)) who->on_end(e);
    }

    // From a call of the user's: it is told later.
    void end_soon(cause why, std::string detail) {
        if (state_ == state::ended) return;
        shut();
        websocket_end e;
        e.why = why;
        e.detail = std::move(detail);
        asio::post(loop_, [self = shared_from_this(), e = std::move(e)] {
            if (websocket_listener* const who = std::exchange(self->listener_, nullptr))
                who->on_end(e);
        });
    }

    void shut() {
        state_ = state::ended;
        timer_.cancel();
        if (stream_) stream_->drop();
    }

    asio::any_io_executor loop_;
    websocket_options options_;
    websocket_listener* listener_;  // null: told its end, or gone
    asio::steady_timer timer_;      // of connecting, then of closing
    url_parts url_;
    std::shared_ptr<byte_stream> stream_;
    state state_ = state::connecting;
    std::string key_;
    std::string upgrade_in_;
    ws::decoder decoder_;
    std::size_t unsent_frames_ = 0;
    std::uint64_t wire_bytes_ = 0;
};

class handle final : public websocket {
public:
    explicit handle(std::shared_ptr<connection> c) : connection_(std::move(c)) {}
    ~handle() override { connection_->detach(); }
    handle(const handle&) = delete;
    handle& operator=(const handle&) = delete;

    void send(std::string text) override { connection_->send(text); }
    void close(close_code code) override { connection_->close(code); }
    void abort() override { connection_->abort(); }
    [[nodiscard]] std::uint64_t wire_bytes() const noexcept override {
        return connection_->wire_bytes();
    }

private:
    std::shared_ptr<connection> connection_;
};

}  // namespace

std::unique_ptr<websocket> open_websocket(asio::any_io_executor loop, tls_client& tls,
                                          std::string address, websocket_options options,
                                          websocket_listener& listener) {
    auto made = std::make_shared<connection>(std::move(loop), std::move(options), listener);
    made->start(tls, address);
    return std::make_unique<handle>(std::move(made));
}

}  // namespace shardgate
