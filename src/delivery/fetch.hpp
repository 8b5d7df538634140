// SPDX-License-Identifier: Apache-2.0
// Asks for memory before it is needed. With thousands of events in flight what they left behind is
// in no near cache any more, and to wait for it costs more than all that is done with it.
#pragma once

#include <cstddef>

namespace shardgate {

// Into the CPU's cache, to be written to.
template <class T>
void fetch_lines(const T* object) noexcept {
    constexpr std::size_t line = 64;
    const auto* const bytes = reinterpret_cast<const char*>(object);
    for (std::size_t at = 0; at < sizeof(T); at += line)
        __builtin_prefetch(bytes + at, 1);
    // Or GCC takes whoever does nothing else for a function without effect, and leaves it out.
    asm volatile("");
}

}  // namespace shardgate
