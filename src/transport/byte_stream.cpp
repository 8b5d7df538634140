// SPDX-License-Identifier: Apache-2.0
// A client's byte stream, driven by readiness: OpenSSL works on the socket directly, so one wake-up
// decrypts everything that has arrived and costs no copy besides the decryption.
#include "transport/byte_stream.hpp"

#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <cerrno>
#include <utility>

#include "transport/read_buffer.hpp"
#include "transport/tls_native.hpp"

namespace shardgate {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// OpenSSL's own buffer while there is something in it: one system call for several TLS records.
constexpr std::size_t tls_read_ahead = 64U << 10;
// Queue memory kept once everything is sent.
constexpr std::size_t kept_for_writing = 4U << 10;

}  // namespace

byte_stream::byte_stream(asio::any_io_executor loop, tls_client* tls, std::string host, user& who)
    : loop_(std::move(loop)),
      tls_(tls),
      host_(std::move(host)),
      user_(&who),
      poller_(poller::of(loop_)) {}

byte_stream::~byte_stream() {
    close();
}

std::shared_ptr<byte_stream> byte_stream::open(asio::any_io_executor loop, tls_client* tls,
                                               std::string host, std::uint16_t port, user& who) {
    auto made = std::make_shared<byte_stream>(loop, tls, host, who);
    auto done = [weak = std::weak_ptr<byte_stream>(made)](dialled result) {
        if (const auto self = weak.lock()) self->connected(std::move(result));
    };
    made->dial_ = dial::start(std::move(loop), std::move(host), port, std::move(done));
    return made;
}

byte_stream::stage byte_stream::where() const noexcept {
    if (stage_ == stage::lookup && dial_ && dial_->looked_up()) return stage::connect;
    return stage_;
}

void byte_stream::connected(dialled result) {
    if (user_ == nullptr) return;
    stage_ = stage::connect;
    loss why;
    if (result.code) {
        why.at = result.looked_up ? stage::connect : stage::lookup;
        why.code = result.code;
        why.detail = std::move(result.detail);
        lose(std::move(why));
        return;
    }
    if (const error_code code = take_over(std::move(result.socket))) {
        why.at = stage::connect;
        why.code = code;
        why.detail = "cannot use the socket: " + code.message();
        lose(std::move(why));
        return;
    }
    if (tls_ == nullptr) {
        established();
        return;
    }
    stage_ = stage::handshake;
    if (set_up_tls(why))
        handshake();
    else
        lose(std::move(why));
}

error_code byte_stream::take_over(tcp::socket socket) {
    error_code code;
    socket.native_non_blocking(true, code);
    if (!code) socket.set_option(tcp::no_delay(true), code);
    if (code) return code;
    const int fd = socket.release(code);
    if (code) return code;
    code = poller_.add(fd, EPOLLIN, *this);
    if (code) {
        ::close(fd);
    } else {
        port_.fd = fd;
        awaited_ = EPOLLIN;
    }
    return code;
}

bool byte_stream::set_up_tls(loss& why) {
    ::ERR_clear_error();
    ssl_.reset(::SSL_new(tls_->native().context.native_handle()));
    BIO* bio = ssl_ ? make_socket_bio(port_) : nullptr;
    error_code code = asio::error::no_memory;
    if (bio != nullptr) {
        ::SSL_set_bio(ssl_.get(), bio, bio);
        ::SSL_set_connect_state(ssl_.get());
        ::SSL_set_read_ahead(ssl_.get(), 1);
        ::SSL_set_default_read_buffer_len(ssl_.get(), tls_read_ahead);
        code = require_host(ssl_.get(), host_);
        if (!code) return true;
    }
    why.at = stage::handshake;
    why.code = code;
    why.detail = "cannot set up TLS: " + code.message();
    return false;
}

void byte_stream::handshake() {
    if (user_ == nullptr) return;
    ::ERR_clear_error();
    const int n = ::SSL_connect(ssl_.get());
    if (n == 1) {
        established();
        return;
    }
    ssl_error_ = ::SSL_get_error(ssl_.get(), n);
    if (ssl_error_ == SSL_ERROR_WANT_READ) {
        wait_for(EPOLLIN);
    } else if (ssl_error_ == SSL_ERROR_WANT_WRITE) {
        wait_for(EPOLLOUT);
    } else {
        ssl_reason_ = ::ERR_peek_last_error();
        loss why = loss_now();
        const bool refused = ::SSL_get_verify_result(ssl_.get()) != X509_V_OK;
        if (refused || !port_.end_of_stream)
            why.detail = describe_handshake_failure(ssl_.get(), why.code);
        else
            why.detail = "the peer closed the connection during the TLS handshake";
        why.detail = host_ + ": " + why.detail;
        lose(std::move(why));
    }
}

void byte_stream::established() {
    stage_ = stage::open;
    connected_ = true;
    wait_for(EPOLLIN);
    handshake_bytes_out_ = port_.bytes_out;
    const auto self = shared_from_this();
    user_->on_connected();
    // OpenSSL may hold data that arrived with the handshake's last message.
    if (user_ != nullptr) readable();
}

void byte_stream::on_ready(std::uint32_t events) {
    if (user_ == nullptr) return;
    const auto self = shared_from_this();
    port_.drained = false;
    if (stage_ == stage::handshake) return handshake();
    if ((events & EPOLLOUT) != 0) {
        wait_for(EPOLLIN);
        flush();
    }
    read_later();  // an error is found by reading too
}

void byte_stream::on_intake() {
    asked_ = false;
    port_.drained = false;
    readable();
}

void byte_stream::wait_for(std::uint32_t events) noexcept {
    if (port_.fd < 0 || std::exchange(awaited_, events) == events) return;
    poller_.change(port_.fd, events, *this);
}

// One buffer's worth: then other streams get their turn.
void byte_stream::readable() {
    const auto self = shared_from_this();
    read_buffer& buffer = read_buffer::of(loop_);
    std::size_t filled = 0;
    const io state = fill(buffer, filled);
    bytes_in_ += filled;
    loss why;
    if (state == io::failed) why = loss_now();  // before the user's calls change anything
    if (filled > 0) user_->on_bytes({buffer.data(), filled});
    if (user_ == nullptr) return;
    if (state == io::failed) {
        lose(std::move(why));
    } else if (state == io::done) {
        read_later();
    } else if (write_failed_) {  // nothing more to hear from a peer we cannot talk to
        lose(loss_now());
    } else if (unsent() > 0) {  // TLS may have waited for a record to answer
        flush();
    }
}

void byte_stream::read_later() {
    if (!std::exchange(asked_, true)) poller_.ask(*this);
}

// done: the buffer is full and there may be more.
byte_stream::io byte_stream::fill(read_buffer& buffer, std::size_t& filled) {
    // Once for all records: OpenSSL frees 32 texts for it that mostly are none. What a read that
    // succeeds leaves in the error queue is nothing.
    if (ssl_) ::ERR_clear_error();
    while (filled < read_buffer::size) {
        std::size_t got = 0;
        const io state = read_some(buffer.data() + filled, read_buffer::size - filled, got);
        if (state != io::done) return state;
        filled += got;
    }
    return io::done;
}

// Pre: OpenSSL's error queue is empty.
byte_stream::io byte_stream::read_some(char* into, std::size_t size, std::size_t& got) {
    if (!ssl_) {
        const long n = port_receive(port_, into, size);
        if (n > 0) got = static_cast<std::size_t>(n);
        return n > 0 ? io::done : n == -1 ? io::would_block : io::failed;
    }
    // To ask OpenSSL when there is nothing costs it a buffer of 64 KiB, taken and given back.
    if (port_.drained && ::SSL_has_pending(ssl_.get()) == 0) return io::would_block;
    if (::SSL_read_ex(ssl_.get(), into, size, &got) == 1) return io::done;
    got = 0;
    ssl_error_ = ::SSL_get_error(ssl_.get(), 0);
    if (ssl_error_ == SSL_ERROR_WANT_READ) return io::would_block;
    if (ssl_error_ == SSL_ERROR_WANT_WRITE) {
        // A key update waits for room to be answered, and reading for that.
        wait_for(EPOLLOUT);
        return io::would_block;
    }
    ssl_reason_ = ::ERR_peek_last_error();
    return io::failed;
}

void byte_stream::write(std::string_view bytes) {
    if (user_ == nullptr || stage_ != stage::open || write_failed_) return;
    out_.append(bytes);
    if ((awaited_ & EPOLLOUT) == 0) flush();
}

void byte_stream::flush() {
    if (write_failed_) return;
    while (unsent() > 0) {
        std::size_t taken = 0;
        const io state = write_some(out_.data() + out_sent_, unsent(), taken);
        out_sent_ += taken;
        if (state == io::would_block) {
            wait_for(awaited_ | EPOLLOUT);
            return;
        }
        if (state == io::failed) {
            // The reader finds out, after what the peer may have said before it went.
            write_failed_ = true;
            read_later();
            return;
        }
    }
    out_sent_ = 0;
    out_.clear();
    if (out_.capacity() > kept_for_writing) std::string().swap(out_);
}

byte_stream::io byte_stream::write_some(const char* from, std::size_t size, std::size_t& taken) {
    if (!ssl_) {
        const long n = port_send(port_, from, size);
        if (n >= 0) taken = static_cast<std::size_t>(n);
        return n >= 0 ? io::done : n == -1 ? io::would_block : io::failed;
    }
    ::ERR_clear_error();
    if (::SSL_write_ex(ssl_.get(), from, size, &taken) == 1) return io::done;
    taken = 0;
    const int error = ::SSL_get_error(ssl_.get(), 0);
    if (error == SSL_ERROR_WANT_WRITE) return io::would_block;
    if (error == SSL_ERROR_WANT_READ) return io::would_block;
    ssl_error_ = error;
    ssl_reason_ = ::ERR_peek_last_error();
    return io::failed;
}

byte_stream::loss byte_stream::loss_now() const {
    loss why;
    why.at = stage_;
    if (port_.failed_errno != 0)
        why.code = error_code(port_.failed_errno, boost::system::system_category());
    else if (ssl_ && ssl_error_ == SSL_ERROR_SSL && port_.end_of_stream && stage_ == stage::open)
        why.code = asio::ssl::error::stream_truncated;
    else if (ssl_ && ssl_error_ == SSL_ERROR_SSL && ssl_reason_ != 0)
        why.code = error_code(static_cast<int>(ssl_reason_), asio::error::get_ssl_category());
    else
        why.code = asio::error::eof;
    why.detail =
        why.code == asio::error::eof ? "the peer closed the connection" : why.code.message();
    return why;
}

void byte_stream::lose(loss why) {
    user* const who = user_;
    const auto self = shared_from_this();
    drop();
    if (who != nullptr) who->on_lost(why);
}

void byte_stream::drop() {
    user_ = nullptr;
    stage_ = stage::gone;
    dial_.reset();
    close();
    std::string().swap(out_);
    out_sent_ = 0;
}

void byte_stream::close() noexcept {
    if (std::exchange(asked_, false)) poller_.forget(*this);
    if (port_.fd < 0) return;
    poller_.remove(port_.fd, *this);
    ::close(std::exchange(port_.fd, -1));
    awaited_ = 0;
}

std::uint64_t byte_stream::wire_bytes_out() const noexcept {
    return connected_ ? port_.bytes_out - handshake_bytes_out_ : 0;
}

bool byte_stream::is_quiet() noexcept {
    if (stage_ != stage::open || write_failed_ || asked_) return false;
    char byte = 0;
    const ::ssize_t n = ::recv(port_.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace shardgate
