// SPDX-License-Identifier: Apache-2.0
// Memory for queued events. An event is one allocation of about a kilobyte that lives for
// milliseconds: each thread keeps what it gave back, by size, and takes it again. Any thread may
// give back what another one took. Depends on nothing.
#pragma once

#include <cstddef>

namespace shardgate::event_memory {

// Throws std::bad_alloc. Aligned as operator new's.
[[nodiscard]] void* take(std::size_t size);
// `size` as it was taken.
void give(void* memory, std::size_t size) noexcept;

// What the calling thread keeps, in bytes; never above kept_max.
inline constexpr std::size_t kept_max = 4U << 20;
[[nodiscard]] std::size_t kept() noexcept;

}  // namespace shardgate::event_memory
