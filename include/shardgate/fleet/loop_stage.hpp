// SPDX-License-Identifier: Apache-2.0
// What all shards of one loop share on an event's way: the scanner, the buffer payloads are
// inflated into, the filter and delivery, and the counters. Loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "shardgate/config/config.hpp"
#include "shardgate/delivery/own_events.hpp"
#include "shardgate/filter/stage.hpp"
#include "shardgate/fleet/deliverer.hpp"
#include "shardgate/fleet/twin_stage.hpp"
#include "shardgate/guild/voice_book.hpp"
#include "shardgate/protocol/envelope.hpp"
#include "shardgate/transport/inflate.hpp"

namespace shardgate {

// Wants answers to requests of the daemon's own.
class answer_taker {
public:
    virtual ~answer_taker() = default;
    // A GUILD_MEMBERS_CHUNK or RATE_LIMITED. True: it was one, and goes no further.
    [[nodiscard]] virtual bool take(const dispatch& event) = 0;
};

class loop_stage final {
public:
    // `out` is borrowed and outlives it. `run_id` makes the daemon's own events' keys unique.
    loop_stage(const config::settings& settings, deliverer& out, std::string_view run_id);

    [[nodiscard]] scanner& scan() noexcept { return scanner_; }
    [[nodiscard]] inflate_buffer& buffer() noexcept { return buffer_; }

    // An event of a shard, marked by its guild book.
    void push(const dispatch& event);
    // Other filter rules, from the next event on.
    void set_rules(const config::filter& rules);
    // SHARDGATE_GUILDS_LOADED and SHARDGATE_GAP of one shard.
    void tell_guilds_loaded(shard_id shard, shard_count shards, generation gen, std::size_t guilds,
                            std::size_t unavailable);
    // `reason`: "session_lost", or "storage" when what was stored of the shard is lost.
    void tell_gap(shard_id shard, shard_count shards, generation gen, std::string_view reason,
                  wall_ms from);

    void tell_resharded(shard_id shard, shard_count from, shard_count to, generation gen,
                        wall_ms started);

    // ---- two shard sets ------------------------------------------------------------------------
    // Events of this set go nowhere, and nothing is told of its shards; generation{} = none.
    void withhold(generation gen) noexcept { withheld_ = gen; }
    // While both sets' events come: through here, to the filter. Borrowed; null = no longer.
    void pair(twin_stage* twins) noexcept { twins_ = twins; }
    [[nodiscard]] dispatch_sink& filter() noexcept { return filter_; }
    [[nodiscard]] identity_keys& keys() noexcept { return keys_; }
    // Borrowed, for good.
    void take_answers(answer_taker* taker) noexcept { answers_ = taker; }
    // Where the bot is in voice; who the bot is.
    [[nodiscard]] voice_book& voices() noexcept { return voices_; }
    void on_bot(snowflake bot) noexcept { bot_ = bot; }
    [[nodiscard]] snowflake bot() const noexcept { return bot_; }
    void on_live(generation gen, shard_id shard, bool live) {
        if (twins_ != nullptr) twins_->on_live(gen, shard, live);
    }
    void on_new_session(generation gen, shard_id shard) {
        keys_.on_new_session(gen, shard);
        if (twins_ != nullptr) twins_->on_new_session(gen, shard);
    }

    // ---- state on disk; without it nothing below does anything -------------------------------
    [[nodiscard]] bool keeps_state() const noexcept { return out_.spool() != nullptr; }
    // Once the batch that is under way is durable.
    [[nodiscard]] std::optional<seq_no> first_unsafe(generation gen, shard_id shard) const;
    void restore_known(generation gen, shard_id shard, std::string_view session,
                       std::vector<std::uint64_t> seqs) {
        out_.core().restore_known(gen, shard, session, std::move(seqs));
    }
    void urgent() {
        if (out_.spool() != nullptr) out_.spool()->urgent();
    }
    void hold(generation gen, shard_id shard) {
        if (out_.spool() != nullptr) out_.spool()->hold(gen, shard);
    }
    void when_held(generation gen, shard_id shard, std::function<void()> go) {
        if (out_.spool() != nullptr)
            out_.spool()->when_held(gen, shard, std::move(go));
        else
            go();
    }

    // After a frame of this size: buffers that grew for a rare large one are given back.
    void settle(std::size_t frame_bytes);

    [[nodiscard]] std::uint64_t events_of(event_id id) const noexcept {
        return by_event_[static_cast<std::size_t>(id)];
    }
    [[nodiscard]] filter_stats filtered() const noexcept { return filter_.stats(); }

private:
    deliverer& out_;
    twin_stage* twins_ = nullptr;
    answer_taker* answers_ = nullptr;
    void watch_voice(const dispatch& event);

    generation withheld_{};
    identity_keys keys_;
    voice_book voices_;
    snowflake bot_{};
    scanner aside_;  // for what the first one has not read
    scanner scanner_;
    inflate_buffer buffer_;
    filter_stage filter_;
    std::vector<std::uint64_t> by_event_;
    own_event_factory own_events_;
};

}  // namespace shardgate
