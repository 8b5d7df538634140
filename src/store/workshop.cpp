// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "store/workshop.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "shardgate/base/log.hpp"

namespace shardgate::store {
namespace {

using namespace std::chrono_literals;

constexpr duration longest_wait = 800ms;

std::string sentence(const std::exception& e) {
    return std::string("storage could not work: ") + e.what();
}

// Memory may run out in the middle of a job: the job has failed, the thread goes on.
template <class Work>
auto guarded(const Work& work) -> decltype(work()) {
    decltype(work()) out;
    try {
        out = work();
    } catch (const std::exception& e) {
        out.detail = sentence(e);
    }
    return out;
}

}  // namespace

workshop::workshop(boost::asio::any_io_executor loop, std::unique_ptr<state_directory> directory,
                   const storage_options& options)
    : loop_(std::move(loop)),
      directory_(std::move(directory)),
      spool_(std::make_unique<spool_file>(*directory_, options)),
      ledger_(std::make_unique<ledger_file>(*directory_, options.vfs)) {}

result<void> workshop::open(wall_ms now, stored_state& out) {
    std::vector<std::string> notices;
    // The ledger first: its space comes before the spool's.
    if (auto opened = ledger_->open(now, notices); !opened) return opened.error();
    ledger_resets_ = ledger_->found_damaged() ? 1U : 0U;
    if (auto opened = spool_->open(out); !opened) return opened.error();
    out.notices.insert(out.notices.end(), notices.begin(), notices.end());
    publish_stats();
    return {};
}

bool workshop::push(spool_job job) {
    {
        const std::lock_guard lock(mutex_);
        if (spool_jobs_.size() >= max_jobs) return false;
        spool_jobs_.push_back(std::move(job));
    }
    changed_.notify_one();
    return true;
}

bool workshop::push(ledger_job job) {
    {
        const std::lock_guard lock(mutex_);
        if (ledger_jobs_.size() >= max_jobs) return false;
        ledger_jobs_.push_back(std::move(job));
    }
    changed_.notify_one();
    return true;
}

storage_stats workshop::stats() const {
    const std::lock_guard lock(mutex_);
    return stats_;
}

void workshop::publish_stats() {
    storage_stats s = spool_->stats();
    s.ledger_writes = ledger_writes_;
    s.ledger_errors = ledger_errors_;
    s.resets += ledger_resets_;
    const std::lock_guard lock(mutex_);
    stats_ = s;
}

void workshop::close() {
    {
        const std::lock_guard lock(mutex_);
        open_ = false;
    }
    waiting_->drop_all();
    changed_.notify_one();
}

bool workshop::wait_closed(duration limit) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [this] { return finished_; });
}

// The first ledger job whose time has come. `wake`: when the next one's comes.
bool workshop::take_ledger(next& out, time_point now, time_point& wake) {
    for (auto job = ledger_jobs_.begin(); job != ledger_jobs_.end(); ++job) {
        if (open_ && job->due > now) {
            wake = std::min(wake, job->due);
            continue;
        }
        out.ledger = std::move(*job);
        ledger_jobs_.erase(job);
        return true;
    }
    return false;
}

// Waits for work. Nothing in it: the end.
workshop::next workshop::take() {
    std::unique_lock lock(mutex_);
    for (;;) {
        next out;
        time_point wake = never;
        // An IDENTIFY waits for its row; nobody waits for a batch.
        if (take_ledger(out, clock::now(), wake)) return out;
        if (!spool_jobs_.empty()) {
            out.spool = std::move(spool_jobs_.front());
            spool_jobs_.pop_front();
            return out;
        }
        if (!open_) return out;
        if (wake == never)
            changed_.wait(lock);
        else
            changed_.wait_until(lock, wake);
    }
}

void workshop::run() {
    for (;;) {
        next todo = take();
        if (todo.ledger)
            work(std::move(*todo.ledger));
        else if (todo.spool)
            work(*todo.spool);
        else
            break;
        publish_stats();
    }
    // Here and not on the loop: closing writes the log back.
    spool_.reset();
    ledger_.reset();
    directory_.reset();
    const std::lock_guard lock(mutex_);
    finished_ = true;
    changed_.notify_all();
}

bool workshop::attempt(const ledger_job& job) {
    std::string why;
    bool stored = false;
    try {
        stored = job.entry ? ledger_->record(*job.entry, why) : ledger_->end_cleanly(job.now, why);
    } catch (const std::exception& e) {
        why = sentence(e);
    }
    if (!why.empty())
        log::write_limited(
            log::level::warn, "store.ledger",
            stored ? "the identify ledger is new" : "the identify ledger is not written",
            {{"detail", std::string_view(why)}});
    ++(stored ? ledger_writes_ : ledger_errors_);
    return stored;
}

void workshop::work(ledger_job job) {
    const bool stored = attempt(job);
    const time_point now = clock::now();
    if (!stored) {
        // Without jitter: nobody else retries on this disk.
        job.due = later(now, job.wait);
        job.wait = std::min(job.wait * 2, longest_wait);
        const std::lock_guard lock(mutex_);
        if (open_ && job.due < job.give_up) {
            ledger_jobs_.push_back(std::move(job));
            return;
        }
    }
    publish_stats();  // before anybody is told: who is told may look
    give(job.id, stored);
}

void workshop::work(const spool_job& job) {
    const auto tell = [this](std::uint64_t id, auto outcome) {
        publish_stats();
        give(id, std::move(outcome));
    };
    if (const auto* w = std::get_if<write_job>(&job))
        tell(w->id, guarded([&] { return spool_->write(*w->batch); }));
    if (const auto* r = std::get_if<read_job>(&job))
        tell(r->id, guarded([&] { return spool_->read(r->what); }));
    if (const auto* l = std::get_if<list_job>(&job))
        tell(l->id, guarded([&] { return spool_->list(l->what); }));
}

}  // namespace shardgate::store
