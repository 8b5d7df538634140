// SPDX-License-Identifier: Apache-2.0
#include "shardgate/runtime/poller.hpp"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>
#include <cerrno>
#include <utility>

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

poller& poller::of(const asio::any_io_executor& loop) {
    return asio::use_service<poller>(asio::query(loop, asio::execution::context));
}

poller::poller(asio::execution_context& loop)
    : service(loop),
      inner_(static_cast<asio::io_context&>(loop)),
      rest_(static_cast<asio::io_context&>(loop)) {
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
    rest_.cancel();
}

void poller::ask(intake& who) {
    intakes_.push_back(&who);
    if (!turning_) soon();
}

void poller::forget(const intake& who) noexcept {
    const auto at = std::find(intakes_.begin(), intakes_.end(), &who);
    if (at != intakes_.end()) intakes_.erase(at);
}

bool poller::at_turn_end(finisher& who) {
    if (!turning_) return false;
    if (std::find(finishers_.begin(), finishers_.end(), &who) == finishers_.end())
        finishers_.push_back(&who);
    return true;
}

void poller::forget(const finisher& who) noexcept {
    std::replace_if(
        finishers_.begin(), finishers_.end(), [&](const finisher* f) { return f == &who; },
        nullptr);
}

void poller::arm() {
    if (armed_ || soon_ || watched_ == 0) return;
    armed_ = true;
    inner_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const error_code& ec) {
        armed_ = false;
        if (!ec) turn();
        arm();
    });
}

void poller::rest_until(time_point when) {
    if (armed_ || watched_ == 0) return;
    armed_ = true;
    rest_.expires_at(when);
    rest_.async_wait([this](const error_code& ec) {
        armed_ = false;
        if (!ec) turn();
        arm();
    });
}

// What is still to be let in may lie in a buffer of TLS's: no socket would tell of it. Posted, so
// that the rest of the loop has its turn.
void poller::soon() {
    if (std::exchange(soon_, true)) return;
    asio::post(inner_.get_executor(), [this] {
        soon_ = false;
        turn();
        arm();
    });
}

// While much is ready at a time, more has become so meanwhile: to look again at once costs one
// system call, through the loop it is three. With a pace it is the rest that lets more come.
void poller::turn() {
    const duration pace = pace_ ? pace_() : duration{0};
    const bool paced = pace >= shortest_rest;
    const time_point began = clock::now();
    const time_point next = later(began, pace), slice_end = later(began, slice);
    turning_ = true;
    bool any = !intakes_.empty();
    for (int looks = 0; looks < looks_max; ++looks) {
        const std::size_t told = look();
        any = any || told > 0;
        let_in(slice_end);
        if (paced || told < busy || !intakes_.empty()) break;
    }
    turning_ = false;
    finish();
    if (paced && any && later(clock::now(), shortest_rest) < next)
        rest_until(next);
    else if (!intakes_.empty())
        soon();
}

std::size_t poller::look() {
    if (!inner_.is_open()) return 0;
    const int n = ::epoll_wait(inner_.native_handle(), told_.data(), batch, 0);
    const std::size_t told = told_count_ = n > 0 ? static_cast<std::size_t>(n) : 0;
    for (at_ = 0; at_ < told_count_; ++at_)
        if (auto* const who = static_cast<watcher*>(told_[at_].data.ptr))
            who->on_ready(told_[at_].events);
    at_ = told_count_ = 0;
    return told;
}

void poller::let_in(time_point slice_end) {
    while (!intakes_.empty()) {
        intake* const who = intakes_.front();
        intakes_.pop_front();
        who->on_intake();
        if (!intakes_.empty() && clock::now() >= slice_end) return;
    }
}

// What they do may ask for more, which is then not of this turn.
void poller::finish() {
    for (std::size_t i = 0; i < finishers_.size(); ++i)
        if (finishers_[i] != nullptr) finishers_[i]->on_turn_end();
    finishers_.clear();
}

void poller::shutdown() noexcept {
    error_code ignored;
    inner_.close(ignored);
    rest_.cancel();
    pace_ = nullptr;
    intakes_.clear();
    finishers_.clear();
}

}  // namespace shardgate
