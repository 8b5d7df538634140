// SPDX-License-Identifier: Apache-2.0
// Carries finished lines to a file descriptor on a thread of its own, behind a bounded queue in
// which the oldest line gives way. The only part of the program that knows spdlog. Any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace shardgate::log {

// Writes the line and its end with one system call if the descriptor takes it; false = (partly)
// lost. A full non-blocking descriptor is waited for, one second at most.
bool write_line(int descriptor, std::string_view line);

class writer {
public:
    // Starts the thread. `descriptor` is borrowed.
    writer(int descriptor, std::size_t capacity);
    // Writes what is queued, for two seconds at most: a console that hangs must not hold the end
    // of the program. The thread that hangs in it is then left behind.
    ~writer();
    writer(const writer&) = delete;
    writer& operator=(const writer&) = delete;

    void post(std::string_view line);
    // Waits until everything posted so far is written; false when `limit` came first.
    bool drain(std::chrono::milliseconds limit);
    // Lines that gave way or could not be written.
    [[nodiscard]] std::uint64_t lost() const;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace shardgate::log
