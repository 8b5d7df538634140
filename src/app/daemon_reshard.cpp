// SPDX-License-Identifier: Apache-2.0
// The daemon and its reshardings: what is asked, what Discord says, what is begun, what came of it.
#include <algorithm>
#include <utility>

#include "app/daemon.hpp"
#include "shardgate/base/log.hpp"

namespace shardgate {

namespace asio = boost::asio;

namespace {

constexpr auto first_look_soonest = std::chrono::seconds(1);

}  // namespace

// ---- state of both sets ------------------------------------------------------------------------

void daemon::add_state(store_batch& batch) {
    if (fleet_) fleet_->add_state(batch);
    if (resharder_) resharder_->next().add_state(batch);
    if (auto voices = stage_->voices().take_changed())
        batch.facts.emplace_back(facts::voices, std::move(*voices));
    if (stage_->bot() != std::exchange(stored_bot_, stage_->bot()))
        batch.facts.emplace_back(facts::bot, std::to_string(stored_bot_.value));
}

void daemon::on_stored() {
    if (fleet_) fleet_->on_stored();
    if (resharder_) resharder_->next().on_stored();
    end_old_keys();
}

// No replay can bring an event from before the end of the last resharding any more.
void daemon::end_old_keys() {
    if (resharder_ || !fleet_ || !stage_->keys().any()) return;
    const generation gen = fleet_->range().gen;
    const key_ranges* const keys = stage_->keys().of(gen);
    if (keys == nullptr) return;
    for (const auto& shard : fleet_->shards()) {
        if (shard->id().value >= keys->of.size()) continue;
        const key_range& r = keys->of[shard->id().value];
        if (r.until != 0 && shard->durable_mark() < seq_no{r.until}) return;
    }
    stage_->keys().forget(gen);
    keeper_->set_fact(facts::keys_of(gen), "");
}

void daemon::forget_stored() {
    if (fleet_) fleet_->forget_stored();
    if (resharder_) resharder_->next().forget_stored();
}

// ---- asking ------------------------------------------------------------------------------------

void daemon::reshard(const reshard_request& wanted, std::function<void(reshard_reply)> done) {
    const auto refuse = [&](reshard_reply::kind what, std::string why) {
        reshard_reply no;
        no.what = what;
        no.detail = std::move(why);
        asio::post(loop_, [done, no] { done(no); });
    };
    if (resharder_ || planning_)
        return refuse(reshard_reply::kind::busy, "A resharding runs already: see GET /v1/reshard.");
    if (!fleet_ || !limits_known_)
        return refuse(reshard_reply::kind::unavailable,
                      "The shards have not been started yet: Discord has not been reached.");
    planning_ = true;
    tasks_.spawn("plan a resharding", plan_reshard(wanted, true, std::move(done)));
}

reshard_question daemon::question_for(const reshard_request& wanted, bool by_hand,
                                      const bot_gateway& gateway) const {
    const shard_range& range = fleet_->range();
    reshard_question q;
    q.wanted = wanted.shards;
    q.by_hand = by_hand;
    // A part is always of what it was a part of at first: multiples of that.
    q.current = range.base.value == 0 ? range.total.value : range.base.value;
    q.first = range.first.value;
    q.last = range.last.value;
    q.recommended = gateway.shards;
    q.limit_total = gateway.limit.total;
    q.remaining = std::min(gateway.limit.remaining, gate_->state().remaining(clock::now()));
    q.reset_after = gateway.limit.reset_after;
    q.max_concurrency = gateway.limit.max_concurrency;
    q.max_concurrency_cap = settings_.sharding.max_concurrency;
    q.identify_interval = settings_.sharding.identify_interval;
    q.identify_reserve = settings_.sharding.identify_reserve;
    q.guilds = fleet_->guilds();
    q.fullest = fleet_->fullest();
    return q;
}

std::vector<std::string> daemon::voice_guilds() const {
    std::vector<std::string> all;
    for (const snowflake guild : stage_->voices().guilds())
        all.push_back(std::to_string(guild.value));
    return all;
}

shard_range daemon::range_of(const reshard_plan& plan) const {
    const shard_range& now = fleet_->range();
    shard_range to{generation{last_generation_.value + 1}, shard_count{plan.to},
                   shard_id{plan.first}, shard_id{plan.last}, shard_count{0}};
    if (!now.partial()) return to;
    to.first = now.first;
    to.last = now.last;
    to.base = now.base.value == 0 ? now.total : now.base;
    return to;
}

asio::awaitable<void> daemon::plan_reshard(reshard_request wanted, bool by_hand,
                                           std::function<void(reshard_reply)> done) {
    bot_gateway_answer answer = co_await fetch_bot_gateway(*rest_, settings_.discord);
    planning_ = false;
    if (stopping_ || !fleet_) co_return;
    reshard_reply reply;
    if (answer.what != bot_gateway_answer::kind::ok) {
        reply.what = reshard_reply::kind::unavailable;
        reply.detail = "Discord could not be asked for its session start limit: " + answer.detail;
        done(reply);
        co_return;
    }
    apply(answer.gateway.limit);
    const reshard_question question = question_for(wanted, by_hand, answer.gateway);
    const result<reshard_plan> plan = make_plan(question, settings_.resharding);
    if (resharder_) {
        reply.what = reshard_reply::kind::busy;
        reply.detail = "A resharding runs already: see GET /v1/reshard.";
    } else if (!plan) {
        reply.what = reshard_reply::kind::refused;
        reply.detail = plan.error().detail;
    } else {
        reply.what = wanted.dry_run ? reshard_reply::kind::planned : reshard_reply::kind::accepted;
        reply.plan = snapshot_of(*plan, voice_guilds());
        reply.plan.from = fleet_->range().total.value;
        if (!wanted.dry_run) {
            reshard_order order;
            order.to = range_of(*plan);
            order.expected_start = plan->identifying;
            order.automatic = !by_hand;
            order.started = wall_now();
            start_reshard(order, {});
        }
    }
    done(reply);
}

// ---- one under way -----------------------------------------------------------------------------

reshard_parts daemon::parts_for_reshard() {
    return {loop_.get_executor(), settings_,  *discord_tls_, *stage_,
            *deliverer_,          *gate_,     random_,       keeper_.get(),
            gateway_url_,         user_agent_};
}

void daemon::start_reshard(reshard_order order, const std::vector<stored_session>& stored) {
    last_generation_ = std::max(last_generation_, order.to.gen);
    if (trigger_) trigger_->started();
    resharder_ = std::make_unique<resharder>(parts_for_reshard(), *fleet_, order, stored, [this] {
        // Not from inside it: it ends here.
        asio::post(loop_, [this] { on_reshard_over(); });
    });
    presence_round_.again(all_shards(), clock::now());
    presence_timer_.arm(presence_round_.deadline());
}

void daemon::on_reshard_over() {
    if (stopping_ || !resharder_) return;
    last_reshard_ = resharder_->snapshot();
    command_route_.clear();
    if (std::unique_ptr<fleet> next = resharder_->take_new()) {
        next->report_to(*this);
        next->spend_reserve(false);
        resharder_.reset();
        fleet_ = std::move(next);
        plan_source_ = "stored";
        log::info("resharded", {{"from", last_reshard_.from}, {"to", last_reshard_.to}});
        if (trigger_) trigger_->ended(reshard_trigger::outcome::done, {}, clock::now());
    } else {
        resharder_.reset();
        log::warn("resharding called off: the old shards carry on",
                  {{"reason", std::string_view(last_reshard_.reason)}});
        if (trigger_)
            trigger_->ended(reshard_trigger::outcome::failed, last_reshard_.reason, clock::now());
    }
    log_trigger();
    if (trigger_) trigger_timer_.arm(trigger_->deadline());
    if (keeper_) keeper_->urgent();
}

abort_reply daemon::abort_reshard() {
    if (!resharder_) return abort_reply::nothing_runs;
    return resharder_->abort() ? abort_reply::aborting : abort_reply::too_late;
}

reshard_snapshot daemon::reshard_progress() const {
    reshard_snapshot s = resharder_ ? resharder_->snapshot() : last_reshard_;
    if (trigger_) s.warning = trigger_->warning();
    return s;
}

// ---- by itself ---------------------------------------------------------------------------------

void daemon::log_trigger() {
    while (const auto text = trigger_->take_log())
        log::warn(*text);
}

void daemon::watch_fullness() {
    if (stopping_ || !fleet_ || !trigger_) return;
    const time_point now = clock::now();
    const shard_range& range = fleet_->range();
    reshard_load load;
    load.partial = range.partial();
    load.fullest = fleet_->fullest();
    if (now >= trigger_->deadline() && !planning_ && trigger_->look(load, now)) {
        planning_ = true;
        reshard_request automatic;
        tasks_.spawn(
            "plan a resharding", plan_reshard(automatic, false, [this](const reshard_reply& reply) {
                if (reply.what == reshard_reply::kind::accepted) return;
                trigger_->ended(reshard_trigger::outcome::refused, reply.detail, clock::now());
                log_trigger();
            }));
    }
    log_trigger();
    trigger_timer_.arm(std::max(trigger_->deadline(), now + first_look_soonest));
}

}  // namespace shardgate
