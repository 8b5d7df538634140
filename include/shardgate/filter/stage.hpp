// SPDX-License-Identifier: Apache-2.0
// Drops what the handler does not want: events by name, loading guilds, message updates that change
// nothing. Renames loading guilds to GUILD_LOADED_DD in mode "mark". One per loop; loop thread
// only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "shardgate/config/config.hpp"
#include "shardgate/protocol/dispatch.hpp"

namespace shardgate {

enum class drop_reason : std::uint8_t { event_name, loaded_guild, unchanged_message };
inline constexpr std::size_t drop_reason_count = 3;
[[nodiscard]] std::string_view name_of(drop_reason r) noexcept;

// Told about every event that is filtered on purpose: it counts as safe.
class filter_listener {
public:
    virtual ~filter_listener() = default;
    virtual void on_filtered(const dispatch& event, drop_reason why) = 0;
};

struct filter_stats {
    std::uint64_t passed = 0;
    std::array<std::uint64_t, drop_reason_count> dropped{};
    std::uint64_t edit_cache_entries = 0;
};

class filter_stage final : public dispatch_sink {
public:
    // `next` and `listener` (may be null) outlive the stage.
    filter_stage(const config::filter& rules, dispatch_sink& next, filter_listener* listener);
    ~filter_stage() override;
    void push(const dispatch& event) override;
    // Other rules from the next event on. Of what it knows about messages it forgets all only when
    // those rules changed. Not from inside push().
    void set_rules(const config::filter& rules);
    [[nodiscard]] filter_stats stats() const noexcept;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace shardgate
