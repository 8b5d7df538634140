// SPDX-License-Identifier: Apache-2.0
// Readiness of many sockets for the price of one: an epoll instance of its own, which the loop sees
// as a single descriptor. A socket is registered once, level-triggered; waiting for it again costs
// nothing, where Asio tries a read that must fail (async_read_some) or registers anew (async_wait).
// One for each loop. Loop thread only.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstddef>
#include <cstdint>

#include "shardgate/base/result.hpp"

namespace shardgate {

class poller : public boost::asio::execution_context::service {
public:
    class watcher {
    public:
        // `events` as epoll tells them. Comes from the loop, never from inside a call of the
        // poller's. It may remove watchers, itself included.
        virtual void on_ready(std::uint32_t events) = 0;

    protected:
        ~watcher() = default;
    };

    [[nodiscard]] static poller& of(boost::asio::io_context& loop);
    explicit poller(boost::asio::execution_context& loop);

    // Tells `who` of these events (EPOLLIN, EPOLLOUT) until remove(). `fd` is the caller's.
    [[nodiscard]] error_code add(int fd, std::uint32_t events, watcher& who);
    void change(int fd, std::uint32_t events, watcher& who) noexcept;
    // Before `fd` is closed. Nothing comes afterwards, not even what epoll has told already.
    void remove(int fd, const watcher& who) noexcept;

    inline static boost::asio::execution_context::id id;

private:
    static constexpr std::size_t batch = 128;
    static constexpr std::size_t busy = 4;  // so many at once: more will be
    static constexpr int looks_max = 4;     // then the rest of the loop has its turn

    void shutdown() noexcept override;
    void arm();
    void turn();

    boost::asio::posix::stream_descriptor inner_;
    std::size_t watched_ = 0;
    bool armed_ = false;
    std::array<epoll_event, batch> told_{};
    std::size_t at_ = 0, told_count_ = 0;  // the turn under way
};

}  // namespace shardgate
