// SPDX-License-Identifier: Apache-2.0
// The configuration read off the loop: its files may lie on a disk that is slow, or that hangs. One
// reading at a time, in a thread that lives only as long; who asks gets a reading that began after
// it asked. Loop thread only; owner: daemon.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "shardgate/app/run.hpp"
#include "shardgate/base/time.hpp"
#include "shardgate/config/load.hpp"
#include "shardgate/runtime/lazy_timer.hpp"

namespace shardgate {

class settings_reader {
public:
    // Settings, or problems. Must not destroy the reader.
    using callback = std::function<void(config::loaded)>;

    // Waiting at once; one more gets a problem.
    static constexpr std::size_t max_askers = 32;
    // Less than the admin API and systemd wait for an answer.
    static constexpr duration default_patience = std::chrono::seconds(30);

    // `read` is called in the other thread, which keeps a copy for as long as the disk takes.
    settings_reader(boost::asio::any_io_executor loop, settings_source read,
                    duration patience = default_patience);
    ~settings_reader();
    settings_reader(const settings_reader&) = delete;
    settings_reader& operator=(const settings_reader&) = delete;

    // `done` is called once, on the loop, never from inside this call and not after the reader is
    // destroyed; after the patience with a problem.
    void read(callback done);
    // Nobody waits.
    [[nodiscard]] bool idle() const noexcept { return askers_.empty(); }

private:
    struct board;  // what both threads share
    struct asker {
        callback done;
        time_point until{};
    };

    void start();
    void on_read(config::loaded found);
    void on_time();
    void fail_later(callback done, std::string why);
    [[nodiscard]] asker take_first();

    const boost::asio::any_io_executor loop_;
    const settings_source source_;
    const duration patience_;
    const std::shared_ptr<board> board_;
    std::deque<asker> askers_;  // a reading that runs is the first one's, unless it is for nobody
    bool reading_ = false;
    bool for_nobody_ = false;  // who it was for has given up
    std::thread thread_;       // while reading_
    lazy_timer timer_;
};

}  // namespace shardgate
