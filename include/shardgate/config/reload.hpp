// SPDX-License-Identifier: Apache-2.0
// What a new configuration changes in a running daemon: which keys may change while it runs, and
// which wait for the next start. Pure. What each change does: docs/configuration.md, Reload.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "shardgate/config/config.hpp"

namespace shardgate::config {

struct reload_plan {
    std::vector<std::string> applied;        // taken over
    std::vector<std::string> needs_restart;  // differ, and stay as they are
    std::size_t unchanged = 0;

    // One of the applied keys begins with `prefix`: "filter.", "handler.urls".
    [[nodiscard]] bool applies(std::string_view prefix) const noexcept;
};

// Takes over into `running` what of `wanted` may change. Both were loaded without a problem; so is
// what comes out: a key that is sound only together with one that has to wait waits with it.
[[nodiscard]] reload_plan take_over(settings& running, settings wanted);

// Whether the key may change while the daemon runs.
[[nodiscard]] bool may_change(std::string_view key) noexcept;

}  // namespace shardgate::config
