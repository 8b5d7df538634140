// SPDX-License-Identifier: Apache-2.0
// The log: one line per state change, facts as fields, never a payload or a secret.
// Lines go through a bounded queue to a writer thread, so that a slow console never holds a loop.
// Any thread.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string_view>
#include <type_traits>
#include <variant>

namespace shardgate::log {

enum class level : std::uint8_t { trace, debug, info, warn, error, off };
enum class format : std::uint8_t { text, json };

// A fact beside the message. Views: must live during the call only.
struct field {
    std::string_view key;
    std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool> value;

    field(std::string_view k, std::string_view v) : key(k), value(v) {}
    field(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
    field(std::string_view k, double v) : key(k), value(v) {}
    field(std::string_view k, bool v) : key(k), value(v) {}
    template <std::integral T>
    requires(!std::same_as<T, bool>) field(std::string_view k, T v) : key(k), value() {
        if constexpr (std::is_signed_v<T>)
            value = static_cast<std::int64_t>(v);
        else
            value = static_cast<std::uint64_t>(v);
    }
};
using fields = std::initializer_list<field>;

// Starts (or changes) the writer. Before the first call lines go to standard error as text.
void configure(level threshold, format shape);
// Writes out what is queued (two seconds at most) and ends the writer thread; later lines are
// written directly.
void shutdown();
// Lines that gave way to later ones in the full queue, or that standard error did not take.
[[nodiscard]] std::uint64_t lost_lines() noexcept;

[[nodiscard]] bool enabled(level l) noexcept;
void write(level l, std::string_view message, fields facts = {});

// As write(), but one line a minute for equal `key`s; the next one says how many were left out.
// The keys remembered are bounded (1,024, the oldest forgotten).
void write_limited(level l, std::string_view key, std::string_view message, fields facts = {});

inline void debug(std::string_view m, fields f = {}) {
    write(level::debug, m, f);
}
inline void info(std::string_view m, fields f = {}) {
    write(level::info, m, f);
}
inline void warn(std::string_view m, fields f = {}) {
    write(level::warn, m, f);
}
inline void error(std::string_view m, fields f = {}) {
    write(level::error, m, f);
}

// Tests: takes every line (without its end) instead of the writer, in the shape configured; an
// empty function gives the writer back. `sink` runs under the log's lock: it must not log.
void capture(std::function<void(level, std::string_view line)> sink);

}  // namespace shardgate::log
