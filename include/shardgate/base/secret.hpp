// SPDX-License-Identifier: Apache-2.0
// A token or password. It cannot be printed, formatted, compared in variable time or converted by
// accident: reveal() is the only way out and easy to grep for.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace shardgate {

class secret {
public:
    secret() = default;
    explicit secret(std::string value) : value_(std::move(value)) {}

    // The value itself, for the one place that puts it on the wire.
    [[nodiscard]] const std::string& reveal() const noexcept { return value_; }
    [[nodiscard]] bool empty() const noexcept { return value_.empty(); }

    // Takes the same time wherever the first difference is. Only the length can leak.
    [[nodiscard]] bool equals(std::string_view other) const noexcept {
        if (other.size() != value_.size()) return false;
        unsigned difference = 0;
        for (std::size_t i = 0; i < other.size(); ++i)
            difference |=
                static_cast<unsigned char>(value_[i]) ^ static_cast<unsigned char>(other[i]);
        return difference == 0;
    }

private:
    std::string value_;
};

}  // namespace shardgate
