// SPDX-License-Identifier: Apache-2.0
// TCP and unix sockets. A write is tried at once: nearly always the kernel takes it whole, and the
// loop need not hear of it. Reading waits in the loop's poller, without a system call for waiting.
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <climits>
#include <utility>

#include "shardgate/runtime/poller.hpp"
#include "sink/dialer.hpp"
#include "sink/stream.hpp"

namespace shardgate::sink {
namespace {

namespace asio = boost::asio;

error_code error_of(int number) {
    return {number, boost::system::system_category()};
}

class plain_stream final : public stream, private poller::watcher {
public:
    plain_stream(const loop_executor& loop, const endpoint& to)
        : loop_(loop), poller_(poller::of(loop.context())), socket_(loop), dialer_(socket_, to) {}
    ~plain_stream() override { close(); }
    plain_stream(const plain_stream&) = delete;
    plain_stream& operator=(const plain_stream&) = delete;

    void connect(owner keep) override {
        dialer_.start(
            [this, keep = std::move(keep)](const error_code& ec, std::string_view detail) {
                if (ec) return keep->on_connected(ec, detail);
                const error_code taken = take_over();
                keep->on_connected(taken, "cannot wait for the connection: " + taken.message());
            });
    }

    void read(char* to, std::size_t size, owner keep) override {
        to_ = to;
        size_ = size;
        reader_ = std::move(keep);
        if (fd_ < 0)
            abort();
        else if (!watched_)
            watch();
    }

    write_result write(const std::vector<std::string_view>& pieces) override {
        rest_.clear();
        for (const std::string_view piece : pieces)
            if (!piece.empty()) rest_.push_back({const_cast<char*>(piece.data()), piece.size()});
        switch (send_rest()) {
        case progress::all: return write_result::all;
        case progress::failed: return write_result::failed;
        case progress::some: break;
        }
        return write_result::later;
    }

    void tell_written(owner keep) override {
        writer_ = std::move(keep);
        watch();
    }

    void close() noexcept override {
        error_code ignored;
        dialer_.stop();
        socket_.close(ignored);
        if (fd_ >= 0) {
            stop_watching();
            ::close(std::exchange(fd_, -1));
        }
        abort();
    }

private:
    enum class progress : std::uint8_t { all, some, failed };

    // From the dialer's socket, which Asio watches, to the poller.
    error_code take_over() {
        error_code ec;
        fd_ = socket_.release(ec);
        if (ec) return ec;
        ec = poller_.add(fd_, EPOLLIN, *this);
        watched_ = !ec;
        if (ec) ::close(std::exchange(fd_, -1));
        return ec;
    }

    void on_ready(std::uint32_t events) override {
        if (!writer_ || (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0) return take_in(events);
        const owner keep = writer_;  // a callback may let go of everything
        go_on_writing();
        take_in(events);
    }

    void take_in(std::uint32_t events) {
        if (fd_ < 0 || (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) == 0) return;
        // Nobody reads: it would be told for ever, and an error cannot be left out.
        if (!reader_) return stop_watching();
        owner reader = std::move(reader_);
        const ::ssize_t n = ::recv(fd_, to_, size_, 0);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
            reader_ = std::move(reader);
            return;
        }
        error_code ec;
        if (n < 0) ec = error_of(errno);
        if (n == 0) ec = asio::error::eof;
        reader->on_read(ec, n > 0 ? static_cast<std::size_t>(n) : 0);
    }

    void watch() {
        const std::uint32_t events = EPOLLIN | (writer_ ? EPOLLOUT : 0U);
        if (watched_)
            poller_.change(fd_, events, *this);
        else if (poller_.add(fd_, events, *this))
            abort();
        else
            watched_ = true;
    }

    void stop_watching() {
        if (std::exchange(watched_, false)) poller_.remove(fd_, *this);
    }

    void go_on_writing() {
        const progress how = send_rest();
        if (how == progress::some) return;
        const owner writer = std::move(writer_);
        watch();
        writer->on_written(how == progress::failed ? write_error_ : error_code());
    }

    [[nodiscard]] ::ssize_t send_from(std::size_t first) const {
        const ::iovec& one = rest_[first];
        if (first + 1 == rest_.size()) return ::send(fd_, one.iov_base, one.iov_len, MSG_NOSIGNAL);
        ::msghdr message{};
        message.msg_iov = const_cast<::iovec*>(&one);
        message.msg_iovlen = std::min<std::size_t>(rest_.size() - first, IOV_MAX);
        return ::sendmsg(fd_, &message, MSG_NOSIGNAL);
    }

    progress send_rest() {
        std::size_t first = 0;
        while (first < rest_.size()) {
            const ::ssize_t n = send_from(first);
            if (n < 0 && errno == EINTR) continue;
            if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
                write_error_ = error_of(errno);
                return progress::failed;
            }
            std::size_t sent = n > 0 ? static_cast<std::size_t>(n) : 0;
            const bool full = n < 0;
            while (first < rest_.size() && sent >= rest_[first].iov_len)
                sent -= rest_[first++].iov_len;
            if (sent > 0) {
                rest_[first].iov_base = static_cast<char*>(rest_[first].iov_base) + sent;
                rest_[first].iov_len -= sent;
            }
            if (full) break;
        }
        rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(first));
        return rest_.empty() ? progress::all : progress::some;
    }

    // Whoever waits is told, later.
    void abort() {
        if (reader_)
            asio::post(loop_, [who = std::move(reader_)] {
                who->on_read(asio::error::operation_aborted, 0);
            });
        if (writer_)
            asio::post(loop_, [who = std::move(writer_)] {
                who->on_written(asio::error::operation_aborted);
            });
        reader_.reset();
        writer_.reset();
    }

    loop_executor loop_;
    poller& poller_;
    dialer::socket socket_;  // until it is connected
    dialer dialer_;
    int fd_ = -1;
    char* to_ = nullptr;
    std::size_t size_ = 0;
    owner reader_, writer_;
    std::vector<::iovec> rest_;  // what the kernel has not taken yet
    error_code write_error_;
    bool watched_ = false;
};

}  // namespace

std::unique_ptr<stream> make_plain_stream(const loop_executor& loop, const endpoint& to) {
    return std::make_unique<plain_stream>(loop, to);
}

}  // namespace shardgate::sink
