// SPDX-License-Identifier: Apache-2.0
// Writes the Prometheus text exposition format, version 0.0.4. Pure.
// Spec: prometheus.io/docs/instrumenting/exposition_formats.
#pragma once

#include <concepts>
#include <cstdint>
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

    static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

    // HELP and TYPE of the family whose samples follow. `name` without the prefix "shardgate_".
    // A family is begun once a page, and all its samples follow at once.
    void family(kind k, std::string_view name, std::string_view help);
    // The same for a name that is everybody's, like process_open_fds: no prefix.
    void shared_family(kind k, std::string_view name, std::string_view help);
    // Label values may hold anything; what is not UTF-8 is replaced, since one such byte makes
    // Prometheus refuse the page. Label names are ours.
    void sample(double value, labels with = {});
    void sample(std::uint64_t value, labels with = {});
    template <std::unsigned_integral T>
    void sample(T value, labels with = {}) {
        sample(static_cast<std::uint64_t>(value), with);
    }
    void sample(const histogram& h, labels with = {});
    [[nodiscard]] std::string take() { return std::exchange(text_, {}); }

private:
    void begin(kind k, std::string_view help);
    void name_and_labels(std::string_view suffix, labels with, std::string_view le);

    std::string text_;
    std::string name_;
};

}  // namespace shardgate
