// SPDX-License-Identifier: Apache-2.0
#include "shardgate/transport/tls_memory.hpp"

#include <malloc.h>
#include <openssl/crypto.h>

#include <array>
#include <cstdlib>

#include "shardgate/base/sanitizer.hpp"

namespace shardgate::tls_memory {
namespace {

constexpr bool keeps = !address_sanitizer;

// Blocks of one size. A request takes one when it wants at least half of it.
class shelf {
public:
    constexpr shelf(std::size_t size, std::size_t places) : size_(size), places_(places) {}

    [[nodiscard]] constexpr bool suits(std::size_t bytes) const noexcept {
        return bytes <= size_ && bytes > size_ / 2;
    }
    // Whether a block from malloc that has room for so much can serve here.
    [[nodiscard]] constexpr bool takes(std::size_t usable) const noexcept {
        return usable >= size_ && usable < size_ + size_ / 4;
    }
    [[nodiscard]] constexpr std::size_t bytes() const noexcept { return size_ * places_; }

    [[nodiscard]] void* take() noexcept {
        return count_ > 0 ? kept_[--count_] : std::malloc(size_);
    }
    [[nodiscard]] bool give(void* block) noexcept {
        if (count_ == places_) return false;
        kept_[count_++] = block;
        return true;
    }
    void clear() noexcept {
        while (count_ > 0)
            std::free(kept_[--count_]);
    }

private:
    static constexpr std::size_t places_max = 64;

    std::size_t size_, places_, count_ = 0;
    std::array<void*, places_max> kept_{};
};

// Trivially destructible, so that it can be asked after the shelves are gone.
thread_local bool over = false;

struct shelves {
    ~shelves() {
        over = true;
        small.clear();
        large.clear();
    }
    shelf small{64, 64};
    shelf large{80U << 10, 4};
};
static_assert(shelf(64, 64).bytes() + shelf(80U << 10, 4).bytes() <= kept_max);

thread_local shelves mine;

void* take(std::size_t size, const char*, int) {
    if (size > 0 && !over) {
        if (mine.small.suits(size)) return mine.small.take();
        if (mine.large.suits(size)) return mine.large.take();
    }
    return std::malloc(size);
}

void* resize(void* block, std::size_t size, const char*, int) {
    return std::realloc(block, size);
}

void give(void* block, const char*, int) {
    if (block != nullptr && !over) {
        const std::size_t usable = ::malloc_usable_size(block);
        if (mine.small.takes(usable) && mine.small.give(block)) return;
        if (mine.large.takes(usable) && mine.large.give(block)) return;
    }
    std::free(block);
}

}  // namespace

bool keep() noexcept {
    return keeps && ::CRYPTO_set_mem_functions(&take, &resize, &give) == 1;
}

}  // namespace shardgate::tls_memory
