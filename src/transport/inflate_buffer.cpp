// SPDX-License-Identifier: Apache-2.0
// The output space of a loop's inflaters.
#include <algorithm>
#include <cstring>
#include <utility>

#include "shardgate/protocol/envelope.hpp"
#include "shardgate/transport/inflate.hpp"

namespace shardgate {
namespace {

// Zeroed behind the capacity only: what a scanner reads there must be initialised.
std::unique_ptr<char[]> make_space(std::size_t size) {
    std::unique_ptr<char[]> memory(new char[size + scanner::padding]);
    std::memset(memory.get() + size, 0, scanner::padding);
    return memory;
}

}  // namespace

inflate_buffer::inflate_buffer(std::size_t resting_size)
    : memory_(make_space(resting_size)), capacity_(resting_size), resting_(resting_size) {}

void inflate_buffer::grow(std::size_t used, std::size_t at_least) {
    if (at_least <= capacity_) return;
    std::unique_ptr<char[]> larger = make_space(at_least);
    std::memcpy(larger.get(), memory_.get(), std::min(used, capacity_));
    memory_ = std::move(larger);
    capacity_ = at_least;
}

void inflate_buffer::trim() {
    if (capacity_ <= resting_) return;
    memory_.reset();  // before the new one: the peak matters
    memory_ = make_space(resting_);
    capacity_ = resting_;
}

}  // namespace shardgate
