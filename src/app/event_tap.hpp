// SPDX-License-Identifier: Apache-2.0
// Shows events on their way into delivery to whoever watches over the admin API; while nobody does
// it is not asked. Owner: daemon. Knows nothing of HTTP.
#pragma once

#include "shardgate/admin/daemon_view.hpp"
#include "shardgate/fleet/deliverer.hpp"

namespace shardgate {

class event_tap final : public delivery_tap {
public:
    // Null: nobody watches.
    void show_to(event_watcher* watcher, deliverer& from) noexcept {
        watcher_ = watcher;
        from.set_tap(watcher == nullptr ? nullptr : this);
    }

    void on_push(const dispatch& event) override;
    void on_push_own(const queued_event& event) override;

private:
    event_watcher* watcher_ = nullptr;
};

}  // namespace shardgate
