// SPDX-License-Identifier: Apache-2.0
#include "shardgate/runtime/poller.hpp"

#include <unistd.h>

#include <boost/asio/error.hpp>
#include <cerrno>

namespace shardgate {

namespace asio = boost::asio;

namespace {

error_code last_error() {
    return {errno, boost::system::system_category()};
}

}  // namespace

poller& poller::of(asio::io_context& loop) {
    return asio::use_service<poller>(loop);
}

poller::poller(asio::execution_context& loop)
    : service(loop), inner_(static_cast<asio::io_context&>(loop)) {
    const int fd = ::epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0) throw boost::system::system_error(last_error(), "epoll_create1");
    error_code ec;
    inner_.assign(fd, ec);
    if (!ec) return;
    ::close(fd);
    throw boost::system::system_error(ec, "poller");
}

error_code poller::add(int fd, std::uint32_t events, watcher& who) {
    epoll_event interest{};
    interest.events = events;
    interest.data.ptr = &who;
    if (::epoll_ctl(inner_.native_handle(), EPOLL_CTL_ADD, fd, &interest) != 0) return last_error();
    ++watched_;
    arm();
    return {};
}

void poller::change(int fd, std::uint32_t events, watcher& who) noexcept {
    epoll_event interest{};
    interest.events = events;
    interest.data.ptr = &who;
    ::epoll_ctl(inner_.native_handle(), EPOLL_CTL_MOD, fd, &interest);
}

void poller::remove(int fd, const watcher& who) noexcept {
    if (!inner_.is_open()) return;  // the loop is being destroyed
    for (std::size_t i = at_; i < told_count_; ++i)
        if (told_[i].data.ptr == &who) told_[i].data.ptr = nullptr;
    epoll_event ignored{};
    if (::epoll_ctl(inner_.native_handle(), EPOLL_CTL_DEL, fd, &ignored) != 0) return;
    if (--watched_ > 0) return;
    error_code nothing_waits;  // a loop without sockets may run out of work
    inner_.cancel(nothing_waits);
}

void poller::arm() {
    if (armed_ || watched_ == 0) return;
    armed_ = true;
    inner_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const error_code& ec) {
        armed_ = false;
        if (!ec) turn();
        arm();
    });
}

// While much is ready at a time, more has become so meanwhile: to look again at once costs one
// system call, through the loop it is three.
void poller::turn() {
    std::size_t told = busy;
    for (int look = 0; look < looks_max && told >= busy && inner_.is_open(); ++look) {
        const int n = ::epoll_wait(inner_.native_handle(), told_.data(), batch, 0);
        told = told_count_ = n > 0 ? static_cast<std::size_t>(n) : 0;
        for (at_ = 0; at_ < told_count_; ++at_)
            if (auto* const who = static_cast<watcher*>(told_[at_].data.ptr))
                who->on_ready(told_[at_].events);
        at_ = told_count_ = 0;
    }
}

void poller::shutdown() noexcept {
    error_code ignored;
    inner_.close(ignored);
}

}  // namespace shardgate
