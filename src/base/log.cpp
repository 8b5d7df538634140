// SPDX-License-Identifier: Apache-2.0
#include "shardgate/base/log.hpp"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/log_line.hpp"
#include "base/log_writer.hpp"
#include "base/repeat_limiter.hpp"
#include "shardgate/base/time.hpp"

namespace shardgate::log {

namespace {

constexpr std::size_t queue_capacity = 8192;  // lines
constexpr std::size_t limited_keys = 1024;
constexpr auto limited_window = std::chrono::minutes(1);

struct state {
    std::atomic<level> threshold{level::info};
    std::atomic<format> shape{format::text};

    std::mutex mutex;  // what follows
    std::unique_ptr<writer> out;
    std::function<void(level, std::string_view)> captured;
    std::uint64_t lost_before = 0;  // by writers that have ended, and by direct lines

    std::mutex limiter_mutex;
    repeat_limiter limiter{limited_window, limited_keys};
};

// Never destroyed: a line from another object's destructor must still find it.
state& the() {
    static auto* const s = new state;
    return *s;
}

void emit(level l, std::string_view message, std::span<const field> facts) {
    state& s = the();
    const auto now = std::chrono::system_clock::now();
    const wall_ms when = std::chrono::floor<std::chrono::milliseconds>(now);
    const std::string line =
        render(s.shape.load(std::memory_order_relaxed), l, when, message, facts);
    const std::lock_guard lock(s.mutex);
    if (s.captured)
        s.captured(l, line);
    else if (s.out)
        s.out->post(line);
    else if (!write_line(STDERR_FILENO, line))
        ++s.lost_before;
}

}  // namespace

void configure(level threshold, format shape) {
    state& s = the();
    s.threshold.store(threshold, std::memory_order_relaxed);
    s.shape.store(shape, std::memory_order_relaxed);
    const std::lock_guard lock(s.mutex);
    if (!s.out) s.out = std::make_unique<writer>(STDERR_FILENO, queue_capacity);
}

void shutdown() {
    state& s = the();
    std::unique_ptr<writer> ending;
    {
        const std::lock_guard lock(s.mutex);
        ending = std::move(s.out);
    }
    if (!ending) return;
    ending->drain(std::chrono::seconds(2));
    const std::uint64_t lost = ending->lost();
    ending.reset();
    {
        const std::lock_guard lock(s.mutex);
        s.lost_before += lost;
    }
    if (lost > 0) warn("log lines lost", {{"count", lost}});
}

std::uint64_t lost_lines() noexcept {
    state& s = the();
    const std::lock_guard lock(s.mutex);
    return s.lost_before + (s.out ? s.out->lost() : 0);
}

bool enabled(level l) noexcept {
    return l != level::off && l >= the().threshold.load(std::memory_order_relaxed);
}

void write(level l, std::string_view message, fields facts) {
    if (!enabled(l)) return;
    emit(l, message, std::span<const field>(facts.begin(), facts.size()));
}

void write_limited(level l, std::string_view key, std::string_view message, fields facts) {
    if (!enabled(l)) return;
    state& s = the();
    const time_point now = clock::now();
    std::optional<std::uint64_t> left_out;
    {
        const std::lock_guard lock(s.limiter_mutex);
        left_out = s.limiter.admit(key, now);
    }
    if (!left_out) return;
    std::vector<field> all(facts);
    if (*left_out > 0) all.emplace_back("left_out", *left_out);
    emit(l, message, all);
}

void capture(std::function<void(level, std::string_view line)> sink) {
    state& s = the();
    const std::lock_guard lock(s.mutex);
    s.captured = std::move(sink);
}

}  // namespace shardgate::log
