// SPDX-License-Identifier: Apache-2.0
#include "shardgate/fleet/state_keeper.hpp"

#include <algorithm>

#include "shardgate/base/log.hpp"

namespace shardgate {

namespace {

constexpr duration tick = std::chrono::seconds(1);
// Between two batches at least: a fsync for each event would be the disk's whole work.
constexpr duration spacing = std::chrono::milliseconds(20);
constexpr duration hold_patience = std::chrono::milliseconds(500);
constexpr duration first_retry = std::chrono::seconds(1);
constexpr duration last_retry = std::chrono::seconds(30);
constexpr duration slow_write = std::chrono::seconds(1);
constexpr std::size_t warnings_kept = 16;

}  // namespace

state_keeper::state_keeper(boost::asio::any_io_executor loop, storage& disk, deliverer& out,
                           random_source& random, const spool_contents& contents)
    : disk_(disk), out_(out), random_(random), timer_(std::move(loop), [this] { pump(); }) {
    out_.core().restore(contents, clock::now(), wall_now());
    out_.set_spool(this);
}

state_keeper::~state_keeper() {
    out_.set_spool(nullptr);
}

void state_keeper::urgent() {
    urgent_ = true;
    timer_.arm(clock::now());
}

void state_keeper::set_fact(std::string name, std::string value) {
    facts_.emplace_back(std::move(name), std::move(value));
}

void state_keeper::end_sessions(const std::vector<stored_session>& sessions) {
    for (const stored_session& s : sessions)
        ended_.push_back({s.row.gen, s.row.shard});
}

void state_keeper::end_sessions(generation gen, const std::vector<shard_id>& shards) {
    for (const shard_id id : shards)
        ended_.push_back({gen, id});
}

void state_keeper::hold(generation gen, shard_id shard) {
    out_.core().hold(gen, shard);
    urgent();
}

void state_keeper::when_held(generation gen, shard_id shard, std::function<void()> go) {
    out_.core().hold(gen, shard);
    const auto same = [&](const waiter& w) { return w.gen == gen && w.shard == shard; };
    std::erase_if(waiters_, same);
    waiters_.push_back({gen, shard, begun_ + 1, later(clock::now(), hold_patience), std::move(go)});
    urgent();
}

void state_keeper::when_stored(std::function<void()> go) {
    waiters_.push_back({generation{}, shard_id{}, begun_ + 1, never, std::move(go)});
    urgent();
}

void state_keeper::store_everything(std::function<void()> done) {
    everything_ = std::move(done);
    urgent();
}

void state_keeper::pump() {
    if (pumping_) return;
    pumping_ = true;
    const time_point now = clock::now();
    write(now);
    read();
    release_waiters(now);
    arm(now);
    pumping_ = false;
}

void state_keeper::arm(time_point now) {
    // While a batch is at the disk its answer wakes us, not the clock.
    time_point when = never;
    if (!batch_)
        when =
            std::min(std::max(now, next_tick_), std::max(not_before_, out_.core().changes_due()));
    else if (!trying_)
        when = retry_at_;
    for (const waiter& w : waiters_)
        when = std::min(when, w.until);
    timer_.arm(when);
}

// ---- writing ---------------------------------------------------------------------------------

void state_keeper::write(time_point now) {
    if (batch_) {
        if (!trying_ && now >= retry_at_) submit();
        return;
    }
    delivery& core = out_.core();
    const bool hurry = urgent_ || everything_;
    if (!hurry && (now < not_before_ || (core.changes_due() > now && now < next_tick_))) return;
    auto batch = std::make_shared<store_batch>();
    batch->spool = core.next_changes(static_cast<bool>(everything_), now, wall_now());
    batch->sessions_ended = std::exchange(ended_, {});
    if (source_ != nullptr) source_->add_state(*batch);
    batch->facts = std::exchange(facts_, {});
    for (auto& note : std::exchange(batch->spool.notes, {}))
        batch->facts.push_back(std::move(note));
    next_tick_ = later(now, tick);
    urgent_ = false;
    ++begun_;
    if (batch->empty()) {
        stored_ = begun_;
        if (everything_) std::exchange(everything_, nullptr)();
        return;
    }
    not_before_ = later(now, spacing);
    batch_ = std::move(batch);
    submit();
}

void state_keeper::submit() {
    trying_ = true;
    retry_at_ = never;
    submitted_ = clock::now();
    disk_.write(batch_, [this, batch = batch_,
                         alive = std::weak_ptr<bool>(alive_)](const write_outcome& outcome) {
        // A reset that a read found meanwhile has let go of the batch.
        if (!alive.expired() && batch == batch_) on_written(outcome);
    });
}

void state_keeper::on_written(const write_outcome& outcome) {
    trying_ = false;
    const time_point now = clock::now();
    note_time(now - submitted_);
    switch (outcome.what) {
    case write_result::stored:
        if (!trouble_.empty()) log::info("storage works again");
        trouble_.clear();
        retry_wait_ = duration{0};
        batch_.reset();
        out_.core().set_disk_fails(false, now);
        stored_ = begun_;
        if (source_ != nullptr) source_->on_stored();
        out_.core().on_changes_stored(now);
        if (everything_ || !waiters_.empty()) urgent_ = true;  // there may be more
        break;
    case write_result::failed: on_failed(outcome, now); break;
    case write_result::reset: on_reset(outcome.detail, now); break;
    }
    out_.pump();
    pump();  // what was urgent meanwhile
}

void state_keeper::note_time(duration took) {
    slow_ = took >= slow_write ? took : duration{0};
    if (slow_ == duration{0}) return;
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
    log::write_limited(log::level::warn, "slow disk",
                       "the disk is slow: marks and stored events lag behind", {{"took_ms", ms}});
}

void state_keeper::on_failed(const write_outcome& outcome, time_point now) {
    ++failures_;
    retry_wait_ = retry_wait_ == duration{0} ? first_retry : std::min(retry_wait_ * 2, last_retry);
    const duration wait = random_.between(retry_wait_ / 2, retry_wait_);
    retry_at_ = later(now, wait);
    const std::string what = outcome.full ? "the disk is full: " : "";
    // One line when it begins; what it says later is the same.
    if (trouble_.empty())
        log::error("storage fails: events are kept in memory, and shed at its bound",
                   {{"detail", what + outcome.detail}, {"what_to_do", "see docs/spool.md"}});
    trouble_ = what + outcome.detail;
    out_.core().set_disk_fails(true, now);
}

void state_keeper::on_reset(const std::string& detail, time_point now) {
    log::error("storage was damaged and begins anew: what was in the spool alone is lost",
               {{"detail", detail}});
    if (warnings_.size() < warnings_kept) warnings_.push_back(detail);
    batch_.reset();
    trying_ = false;
    trouble_.clear();
    out_.core().set_disk_fails(false, now);
    out_.core().on_spool_reset(now, wall_now());
    if (source_ != nullptr) source_->forget_stored();
    urgent_ = true;
}

// ---- reading ---------------------------------------------------------------------------------

void state_keeper::read() {
    delivery& core = out_.core();
    const time_point now = clock::now();
    while (const auto what = core.next_read(now))
        disk_.read(*what, [this, lane = what->lane, alive = std::weak_ptr<bool>(alive_)](
                              const read_outcome<spool_row>& outcome) {
            if (!alive.expired()) on_read(lane, outcome);
        });
    if (const auto what = core.next_candidates(now, wall_now()))
        disk_.list(*what, [this, alive = std::weak_ptr<bool>(alive_)](
                              const read_outcome<spool_row_info>& outcome) {
            if (!alive.expired()) on_listed(outcome);
        });
}

void state_keeper::on_read(const lane_key& lane, const read_outcome<spool_row>& outcome) {
    const time_point now = clock::now();
    if (outcome.reset) on_reset(outcome.detail, now);
    out_.core().on_read(lane, outcome.ok, outcome.rows, now);
    if (!outcome.ok && !outcome.reset) {
        ++failures_;
        log::write_limited(log::level::error, "spool read", "the spool cannot be read",
                           {{"detail", outcome.detail}});
        // Not at once again: a write says whether the disk works.
        out_.core().set_disk_fails(true, now);
        trouble_ = outcome.detail;
        facts_.emplace_back("probe", "");
        urgent_ = true;
    }
    out_.pump();
    pump();
}

void state_keeper::on_listed(const read_outcome<spool_row_info>& outcome) {
    const time_point now = clock::now();
    if (outcome.reset) on_reset(outcome.detail, now);
    out_.core().on_candidates(outcome.ok, outcome.rows, now, wall_now());
    out_.pump();
    pump();
}

void state_keeper::release_waiters(time_point now) {
    std::vector<std::function<void()>> due;
    std::erase_if(waiters_, [&](waiter& w) {
        if (now < w.until && w.batch > stored_) return false;
        due.push_back(std::move(w.go));
        return true;
    });
    for (auto& go : due)
        go();
}

}  // namespace shardgate
