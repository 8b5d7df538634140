// SPDX-License-Identifier: Apache-2.0
#include "shardgate/fleet/fleet.hpp"

#include <algorithm>
#include <utility>

#include "shardgate/base/log.hpp"

namespace shardgate {

namespace {

constexpr std::size_t close_codes_told_apart = 32;
constexpr auto sleep_check_every = std::chrono::seconds(5);
constexpr auto sleep_that_kills = std::chrono::seconds(30);

session_settings session_settings_for(const config::settings& settings) {
    session_settings s;
    const config::discord& d = settings.discord;
    s.profile.token = d.token;
    s.profile.intents = d.intents;
    s.profile.large_threshold = d.large_threshold;
    s.profile.capabilities = d.capabilities;
    s.profile.presence = d.presence;
    s.profile.properties = d.properties;
    return s;
}

}  // namespace

std::vector<shard_id> shard_range::ids() const {
    std::vector<shard_id> all;
    for (std::uint32_t id = 0; id < total.value; ++id)
        if (holds(shard_id{id})) all.push_back(shard_id{id});
    return all;
}

fleet::fleet(boost::asio::any_io_executor loop, const config::settings& settings, tls_client& tls,
             loop_stage& stage, identify_gate& gate, random_source& random, shard_range range,
             std::string gateway_url, std::string user_agent, fleet_listener& listener)
    : settings_(settings),
      range_(range),
      listener_(&listener),
      session_(session_settings_for(settings)),
      connects_(settings.sharding.connect_concurrency),
      around_{loop,
              settings.discord,
              session_,
              tls,
              stage,
              gate,
              connects_,
              random,
              *this,
              std::move(user_agent),
              std::move(gateway_url),
              false},
      silence_({}, shard_id{0}, range.total.value, clock::now()),
      silence_timer_(loop, [this] { watch_silence(); }),
      sleep_timer_(loop, [this] { watch_sleep(); }) {
    for (const shard_id id : range.ids())
        shards_.push_back(std::make_unique<shard_runner>(around_, id, range.total, range.gen));
}

fleet::~fleet() = default;

void fleet::start(const std::vector<stored_session>& stored) {
    running_ = shards_.size();
    std::map<shard_id, const stored_session*> sessions;
    for (const stored_session& s : stored)
        if (s.row.gen == range_.gen && s.row.shards == range_.total)
            sessions.emplace(s.row.shard, &s);
    const auto session_of = [&](shard_id id) {
        const auto it = sessions.find(id);
        return it == sessions.end() ? nullptr : it->second;
    };
    // In order of shard id: the pacer starts buckets in the order they come (Discord docs, Gateway,
    // Max Concurrency).
    for (auto& shard : shards_)
        shard->start(session_of(shard->id()));
    silence_timer_.arm(silence_.deadline());
    sleep_timer_.arm(clock::now() + sleep_check_every);
}

void fleet::add_state(store_batch& batch) {
    for (auto& shard : shards_)
        shard->add_state(batch);
}

void fleet::on_stored() {
    for (auto& shard : shards_)
        shard->on_stored();
}

void fleet::forget_stored() {
    for (auto& shard : shards_)
        shard->forget_stored();
}

void fleet::stop(close_code code) {
    stopping_ = true;
    // on_stopped() may come from inside stop(): the last one must not be told before all were
    // asked.
    ++running_;
    for (auto& shard : shards_)
        shard->stop(code);
    if (--running_ == 0) listener_->on_all_stopped();
}

shard_runner& fleet::runner(shard_id id) {
    const auto it = std::lower_bound(shards_.begin(), shards_.end(), id,
                                     [](const auto& s, shard_id i) { return s->id() < i; });
    return **it;  // who asks has the id from here
}

shard_runner* fleet::find(shard_id id) noexcept {
    const auto it = std::lower_bound(shards_.begin(), shards_.end(), id,
                                     [](const auto& s, shard_id i) { return s->id() < i; });
    return it == shards_.end() || (*it)->id() != id ? nullptr : it->get();
}

bool fleet::stop_some(close_code code, std::size_t n,
                      const std::function<bool(const shard_runner&)>& spare) {
    stopping_ = true;
    for (auto& shard : shards_) {
        if (n == 0) break;
        if (asked_to_stop_.contains(shard->id()) || spare(*shard)) continue;
        asked_to_stop_.insert(shard->id());
        --n;
        shard->stop(code);
    }
    return asked_to_stop_.size() < shards_.size();
}

void fleet::restart(shard_id shard) {
    // Not a new session: a parked shard has none, and one that an outage's 4004 sent away may still
    // have its own. Nor may this spend the operator's reserve.
    runner(shard).reconnect(false);
}

std::vector<shard_snapshot> fleet::snapshots() const {
    std::vector<shard_snapshot> all;
    all.reserve(shards_.size());
    for (const auto& shard : shards_)
        all.push_back(shard->snapshot());
    return all;
}

std::uint64_t fleet::guilds() const noexcept {
    std::uint64_t n = 0;
    for (const auto& shard : shards_)
        n += shard->guilds().size();
    return n;
}

std::uint64_t fleet::fullest() const noexcept {
    std::uint64_t most = 0;
    for (const auto& shard : shards_)
        most = std::max<std::uint64_t>(most, shard->guilds().size());
    return most;
}

std::uint32_t fleet::loaded() const noexcept {
    std::uint32_t n = 0;
    for (const auto& shard : shards_)
        n += shard->guilds().loaded() ? 1U : 0U;
    return n;
}

void fleet::on_parked(shard_runner& shard, close_code code) {
    bool all = true;
    for (const auto& s : shards_)
        if (s.get() != &shard && s->state() != shard_state::parked) all = false;
    listener_->on_parked(shard.id(), code, all);
}

void fleet::on_stop_bot(shard_runner& shard, close_code code) {
    listener_->on_stop_bot(shard.id(), code);
}

void fleet::on_stopped(shard_runner&) {
    if (--running_ == 0) listener_->on_all_stopped();
}

void fleet::on_close_seen(close_code code) {
    if (closes_.size() >= close_codes_told_apart && !closes_.contains(code)) code = 0;
    ++closes_[code];
}

void fleet::on_live(shard_runner& shard, bool live) {
    silence_.on_live(shard.id(), live, clock::now());
    around_.stage.on_live(range_.gen, shard.id(), live);
}

void fleet::on_event(shard_id shard, shed_class what) {
    silence_.on_event(shard, what);
}

void fleet::watch_silence() {
    if (stopping_) return;
    const auto advice = silence_.poll(clock::now());
    // Asked each time: a reload may switch it.
    if (advice && settings_.watchdog.silence) treat(*advice);
    silence_timer_.arm(silence_.deadline());
}

void fleet::watch_sleep() {
    if (stopping_) return;
    sleep_timer_.arm(clock::now() + sleep_check_every);
    const duration slept = time_asleep() - std::exchange(asleep_, time_asleep());
    if (slept < sleep_that_kills) return;
    // Discord has dropped every connection meanwhile; waiting for each to be found dead would cost
    // another heartbeat interval of the replay window.
    log::warn("the machine was asleep: resuming every shard",
              {{"seconds", std::chrono::duration<double>(slept).count()}});
    for (auto& shard : shards_)
        if (shard->connected()) shard->reconnect(false);
}

void fleet::treat(const silence_advice& advice) {
    const bool renew = advice.step == silence_step::identify;
    // A new session costs a start: never into the reserve for a suspicion.
    const bool affordable =
        around_.gate.state().remaining(clock::now()) > settings_.sharding.identify_reserve;
    log::warn(!renew       ? "shard silent against its habit: resuming it"
              : affordable ? "shard still silent against its habit: starting a new session"
                           : "shard still silent against its habit, and no session start to spare",
              {{"shard", advice.shard.value},
               {"class", name_of(advice.what)},
               {"silent_s", std::chrono::duration<double>(advice.silent).count()},
               {"events_expected", advice.expected}});
    if (renew && !affordable) return;
    runner(advice.shard).reconnect(renew);
}

}  // namespace shardgate
