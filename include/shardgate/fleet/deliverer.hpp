// SPDX-License-Identifier: Apache-2.0
// Joins the delivery core to the outside: requests to the sink, interaction callbacks to Discord's
// REST API, answers back, one timer. Decides nothing. Loop thread only.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "shardgate/config/config.hpp"
#include "shardgate/delivery/delivery.hpp"
#include "shardgate/fleet/rest_guard.hpp"
#include "shardgate/runtime/lazy_timer.hpp"
#include "shardgate/runtime/poller.hpp"
#include "shardgate/sink/http_sink.hpp"
#include "shardgate/transport/http_client.hpp"

namespace shardgate {

[[nodiscard]] wall_ms wall_now() noexcept;

// wall_now() for what happens at one and the same time: many events of one read, many answers. The
// clock is asked once for them.
class wall_clock {
public:
    [[nodiscard]] wall_ms at(time_point now) noexcept {
        if (now != asked_) {
            asked_ = now;
            wall_ = wall_now();
        }
        return wall_;
    }

private:
    time_point asked_ = never;
    wall_ms wall_{};
};

// The way to the spool, for those who only say when.
class spool_driver {
public:
    virtual ~spool_driver() = default;
    // Something in delivery changed: look whether anything is due.
    virtual void pump() = 0;
    virtual void urgent() = 0;
    virtual void hold(generation gen, shard_id shard) = 0;
    virtual void when_held(generation gen, shard_id shard, std::function<void()> go) = 0;
};

// Sees what goes into delivery, while somebody watches. Must not call back.
class delivery_tap {
public:
    virtual ~delivery_tap() = default;
    virtual void on_push(const dispatch& event) = 0;
    virtual void on_push_own(const queued_event& event) = 0;
};

class deliverer final : public dispatch_sink, private post_listener, private poller::finisher {
public:
    // `settings`, `rest`, `handler_tls` and `random` are borrowed and outlive it. `run_id` makes
    // the keys of delivery's own events unique.
    deliverer(boost::asio::any_io_executor loop, const config::settings& settings,
              http_client& rest, tls_client& handler_tls, std::string_view run_id,
              random_source& random, delivery_listener* listener);
    ~deliverer() override;
    deliverer(const deliverer&) = delete;
    deliverer& operator=(const deliverer&) = delete;

    void push(const dispatch& event) override;
    void push_own(event_ptr event);
    // Asks the core what is due and does it. Cheap when nothing is.
    void pump();

    [[nodiscard]] const delivery& core() const noexcept { return core_; }
    [[nodiscard]] delivery& core() noexcept { return core_; }
    // Takes up what changed in the settings, but for the URLs.
    void reconfigure(const config::settings& settings);
    std::size_t retry_dead_letters(const std::vector<std::string>& keys);
    std::size_t clear_dead_letters(const std::vector<std::string>& keys);
    // Nothing new is sent while paused; what is under way finishes.
    void pause(bool paused);
    // Requests under way finish at the old URLs, everything else goes to the new ones, in order.
    void set_urls(const std::vector<std::string>& urls);
    // Null: nobody watches.
    void set_tap(delivery_tap* tap) noexcept { tap_ = tap; }
    // Null: everything is in memory alone.
    void set_spool(spool_driver* spool) noexcept { spool_ = spool; }
    [[nodiscard]] spool_driver* spool() const noexcept { return spool_; }
    [[nodiscard]] sink_stats sink() const noexcept { return sink_.stats(); }

private:
    void on_posted(std::uint64_t request, const delivery_outcome& outcome, time_point now) override;
    void on_answer_near(std::uint64_t request, unsigned step) noexcept override {
        core_.foresee(request, step);
    }
    void on_turn_end() override;
    void pump(time_point now, wall_ms wall);
    [[nodiscard]] bool has_company();
    void post_pump();
    void answer(interaction_callback callback);

    boost::asio::any_io_executor loop_;
    poller& poller_;
    const config::settings& settings_;
    http_client& rest_;
    rest_guard guard_;
    delivery core_;
    wall_clock wall_;
    http_sink sink_;
    spool_driver* spool_ = nullptr;
    delivery_tap* tap_ = nullptr;
    lazy_timer timer_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    bool pumping_ = false;
    // More than 1: events and answers of a turn are taken together, so many at most.
    std::uint32_t company_;
    std::uint32_t unpumped_ = 0;
    bool pump_due_ = false;  // at the end of the turn
};

}  // namespace shardgate
