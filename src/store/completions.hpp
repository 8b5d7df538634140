// SPDX-License-Identifier: Apache-2.0
// What the callers on the loop wait for. The callbacks stay here while storage's thread works with
// their numbers: they are called, and destroyed, on the loop only. Loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <utility>
#include <variant>

#include "shardgate/store/storage.hpp"

namespace shardgate::store {

class completions {
public:
    template <class T>
    [[nodiscard]] std::uint64_t add(std::function<void(T)> done) {
        waiting_.emplace(++last_, std::move(done));
        return last_;
    }

    template <class T>
    void complete(std::uint64_t id, T value) {
        const auto found = waiting_.find(id);
        if (found == waiting_.end()) return;
        // Out of the table first: it may ask for more, or destroy the storage.
        auto done = std::get<std::function<void(T)>>(std::move(found->second));
        waiting_.erase(found);
        if (done) done(std::move(value));
    }

    void drop_all() {
        const auto gone = std::exchange(waiting_, {});  // a callback's end may look in here
    }
    [[nodiscard]] std::size_t size() const noexcept { return waiting_.size(); }

private:
    using callback =
        std::variant<std::function<void(write_outcome)>,
                     std::function<void(read_outcome<spool_row>)>,
                     std::function<void(read_outcome<spool_row_info>)>, std::function<void(bool)>>;
    std::unordered_map<std::uint64_t, callback> waiting_;
    std::uint64_t last_ = 0;
};

}  // namespace shardgate::store
