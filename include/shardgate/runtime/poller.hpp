// SPDX-License-Identifier: Apache-2.0
// Readiness of many sockets for the price of one: an epoll instance of its own, which the loop sees
// as a single descriptor. A socket is registered once, level-triggered; waiting for it again costs
// nothing, where Asio tries a read that must fail (async_read_some) or registers anew (async_wait).
// A turn tells what is ready, then lets in what may be more than there is time for, then tells
// those who wait for its end; how soon the next one may begin can be somebody's to say. One for
// each loop. Loop thread only.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "shardgate/base/result.hpp"
#include "shardgate/base/time.hpp"

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

    // What may bring more than there is time for, a gateway's socket: let in one after the other in
    // the order they asked, after everything else that is ready, while the turn's slice of time
    // lasts; the others are the first of the next turn. So a flood of events cannot keep the
    // handler's answers, and with them the next requests, waiting.
    class intake {
    public:
        // Takes a piece of what there is, and asks again if there may be more.
        virtual void on_intake() = 0;

    protected:
        ~intake() = default;
    };

    // What waits for the end of a turn, to do once what all that it brought asks for.
    class finisher {
    public:
        virtual void on_turn_end() = 0;

    protected:
        ~finisher() = default;
    };

    [[nodiscard]] static poller& of(boost::asio::io_context& loop);
    // Pre: an io_context's executor.
    [[nodiscard]] static poller& of(const boost::asio::any_io_executor& loop);
    explicit poller(boost::asio::execution_context& loop);

    // Tells `who` of these events (EPOLLIN, EPOLLOUT) until remove(). `fd` is the caller's.
    [[nodiscard]] error_code add(int fd, std::uint32_t events, watcher& who);
    void change(int fd, std::uint32_t events, watcher& who) noexcept;
    // Before `fd` is closed. Nothing comes afterwards, not even what epoll has told already.
    void remove(int fd, const watcher& who) noexcept;

    // Pre: `who` has not asked already. Also outside a turn: then one follows.
    void ask(intake& who);
    void forget(const intake& who) noexcept;

    // True: `who` is told once, when the turn under way has told everything. False: there is none.
    [[nodiscard]] bool at_turn_end(finisher& who);
    void forget(const finisher& who) noexcept;

    // Asked before each turn: no other one begins sooner than so long after its begin, unless it
    // finds nothing. The loop does not stand still meanwhile. Empty, or little: at once.
    void set_pace(std::function<duration()> pace) { pace_ = std::move(pace); }

    inline static boost::asio::execution_context::id id;

private:
    static constexpr std::size_t batch = 128;
    static constexpr std::size_t busy = 4;  // so many at once: more will be
    static constexpr int looks_max = 4;     // then the rest of the loop has its turn
    // For intakes, in a turn: about what sending a request on each of 64 connections takes, and
    // more than is needed for what has come since the last turn unless the loop is behind.
    static constexpr duration slice = std::chrono::milliseconds(1);
    // Less is not worth a timer.
    static constexpr duration shortest_rest = std::chrono::microseconds(50);

    void shutdown() noexcept override;
    void arm();
    void rest_until(time_point when);
    void soon();
    void turn();
    [[nodiscard]] std::size_t look();
    void let_in(time_point slice_end);
    void finish();

    boost::asio::posix::stream_descriptor inner_;
    boost::asio::steady_timer rest_;
    std::function<duration()> pace_;
    std::deque<intake*> intakes_;  // one for each socket at most
    std::vector<finisher*> finishers_;
    std::size_t watched_ = 0;
    bool armed_ = false;  // waits, or rests
    bool soon_ = false;   // a turn is posted
    bool turning_ = false;
    std::array<epoll_event, batch> told_{};
    std::size_t at_ = 0, told_count_ = 0;  // the turn under way
};

}  // namespace shardgate
