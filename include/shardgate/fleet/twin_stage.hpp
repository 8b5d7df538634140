// SPDX-License-Identifier: Apache-2.0
// The stage before the filter while two shard sets run: lets each event through once, and gives it
// a key that does not depend on which set showed it. Loop thread only; owner: app, for one reshard.
// Rules: docs/resharding.md.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <optional>
#include <string>

#include "shardgate/fleet/deliverer.hpp"
#include "shardgate/protocol/envelope.hpp"
#include "shardgate/reshard/identity_keys.hpp"
#include "shardgate/reshard/pairing.hpp"
#include "shardgate/runtime/lazy_timer.hpp"

namespace shardgate {

// What the event is to both sets; nothing for those that belong to one session alone: its
// beginning, answers to what it asked, and what every shard shows without a guild.
[[nodiscard]] std::optional<event_identity> shared_identity(const dispatch& event);

class twin_stage {
public:
    // `next` (the filter), `keys` and `out` are borrowed and outlive it.
    twin_stage(boost::asio::any_io_executor loop, const pairing_settings& settings,
               generation old_gen, generation new_gen, dispatch_sink& next, identity_keys& keys,
               deliverer& out);

    void push(const dispatch& event);
    void on_live(generation gen, shard_id shard, bool live);
    void on_new_session(generation gen, shard_id shard);

    void prefer(shard_set set);
    [[nodiscard]] shard_set preferred() const noexcept { return pairing_.preferred(); }
    // Nothing is lost and nothing doubled when the set that is not preferred ends now.
    [[nodiscard]] bool settled() const { return pairing_.settled() && acquainted(); }
    [[nodiscard]] bool acquainted() const { return pairing_.acquainted(clock::now()); }
    // This set is over.
    void forget(shard_set set);

    // The lowest seq of the session that hangs on a twin which is not safe.
    [[nodiscard]] std::optional<seq_no> first_unsafe(generation gen, shard_id shard);
    [[nodiscard]] pairing_stats stats() const noexcept { return pairing_.stats(); }

private:
    [[nodiscard]] shard_set set_of(generation gen) const noexcept {
        return gen == old_gen_ ? shard_set::old_set : shard_set::new_set;
    }
    void send_on(const dispatch& event, const event_identity& id);
    void send_released();
    void arm();

    generation old_gen_, new_gen_;
    dispatch_sink& next_;
    identity_keys& keys_;
    deliverer& out_;
    pairing pairing_;
    scanner again_;     // for what was held: read a second time
    std::string text_;  // what is being read, with the scanner's padding
    lazy_timer timer_;
};

}  // namespace shardgate
