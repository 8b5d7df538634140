// SPDX-License-Identifier: Apache-2.0
#include "delivery/event_memory.hpp"

#include <array>
#include <new>

#include "shardgate/base/sanitizer.hpp"

namespace shardgate::event_memory {
namespace {

constexpr bool keeps = !address_sanitizer;

constexpr std::size_t granule = 128;
constexpr std::size_t largest = 16U << 10;  // beyond that malloc's own time does not matter

struct free_block {
    free_block* next;
};

constexpr std::size_t index_of(std::size_t size) noexcept {
    return (size + granule - 1) / granule;
}

// Trivially destructible, so that it can be asked after the cache is gone.
thread_local bool over = false;

class cache {
public:
    cache() = default;
    ~cache() {
        over = true;
        for (free_block* list : lists_)
            while (list != nullptr) {
                free_block* const next = list->next;
                ::operator delete(list);
                list = next;
            }
    }
    cache(const cache&) = delete;
    cache& operator=(const cache&) = delete;

    [[nodiscard]] void* take(std::size_t index) noexcept {
        free_block* const block = lists_[index];
        if (block == nullptr) return nullptr;
        lists_[index] = block->next;
        // The next one's link would be waited for: nobody has looked at it for a while.
        if (block->next != nullptr) __builtin_prefetch(block->next, 1);
        bytes_ -= index * granule;
        return block;
    }
    [[nodiscard]] bool give(void* memory, std::size_t index) noexcept {
        if (bytes_ + index * granule > kept_max) return false;
        bytes_ += index * granule;
        lists_[index] = new (memory) free_block{lists_[index]};
        return true;
    }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

private:
    std::array<free_block*, largest / granule + 1> lists_{};
    std::size_t bytes_ = 0;
};

thread_local cache mine;

}  // namespace

void* take(std::size_t size) {
    if (!keeps || size > largest || over) return ::operator new(size);
    if (void* const kept_one = mine.take(index_of(size))) return kept_one;
    return ::operator new(index_of(size) * granule);
}

void give(void* memory, std::size_t size) noexcept {
    if (keeps && size <= largest && !over && mine.give(memory, index_of(size))) return;
    ::operator delete(memory);
}

std::size_t kept() noexcept {
    return keeps && !over ? mine.bytes() : 0;
}

}  // namespace shardgate::event_memory
