// SPDX-License-Identifier: Apache-2.0
// Writes the Prometheus text exposition format, version 0.0.4. Pure.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "shardgate/metrics/histogram.hpp"

namespace shardgate {

class prometheus_text {
public:
    using labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;
    enum class kind : unsigned char { counter, gauge, histogram };

    // HELP and TYPE of the family whose samples follow. `name` without the prefix "shardgate_".
    void family(kind k, std::string_view name, std::string_view help);
    void sample(double value, labels with = {});
    void sample(const histogram& h, labels with = {});
    [[nodiscard]] std::string take() { return std::move(text_); }

private:
    std::string text_;
    std::string name_;
};

}  // namespace shardgate
