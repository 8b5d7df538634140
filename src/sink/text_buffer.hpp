// SPDX-License-Identifier: Apache-2.0
// Text that is put together from many short pieces, a thousand times a millisecond: std::string's
// append is a call into the C++ library for each, this one is a copy in place. Grows, never shrinks
// by itself. Pure.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace shardgate::sink {

class text_buffer {
public:
    text_buffer() = default;
    text_buffer(text_buffer&& other) noexcept { swap(other); }
    text_buffer& operator=(text_buffer&& other) noexcept {
        swap(other);
        return *this;
    }

    text_buffer& operator+=(std::string_view piece) {
        if (piece.empty()) return *this;
        std::memcpy(room(piece.size()), piece.data(), piece.size());
        size_ += piece.size();
        return *this;
    }
    text_buffer& operator+=(char c) {
        *room(1) = c;
        ++size_;
        return *this;
    }
    void append_number(std::uint64_t value) {
        if (value < 10) {
            *this += static_cast<char>('0' + value);
            return;
        }
        if (value < 100) {
            *this += static_cast<char>('0' + value / 10);
            *this += static_cast<char>('0' + value % 10);
            return;
        }
        constexpr std::size_t most = 20;
        char* const at = room(most);
        size_ += static_cast<std::size_t>(std::to_chars(at, at + most, value).ptr - at);
    }

    [[nodiscard]] std::string_view view() const noexcept { return {memory_.get(), size_}; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    void clear() noexcept { size_ = 0; }
    // Gives the memory back too.
    void reset() noexcept {
        memory_.reset();
        size_ = capacity_ = 0;
    }
    void swap(text_buffer& other) noexcept {
        std::swap(memory_, other.memory_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
    }

private:
    [[nodiscard]] char* room(std::size_t bytes) {
        if (bytes > capacity_ - size_) [[unlikely]]
            grow(bytes);
        return memory_.get() + size_;
    }
    void grow(std::size_t bytes) {
        const std::size_t wanted =
            std::max(size_ + bytes, std::max<std::size_t>(capacity_ * 2, 1024));
        std::unique_ptr<char[]> larger(new char[wanted]);
        if (size_ > 0) std::memcpy(larger.get(), memory_.get(), size_);
        memory_ = std::move(larger);
        capacity_ = wanted;
    }

    std::unique_ptr<char[]> memory_;
    std::size_t size_ = 0, capacity_ = 0;
};

}  // namespace shardgate::sink
