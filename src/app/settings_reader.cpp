// SPDX-License-Identifier: Apache-2.0
// See the header. The thread shares only `board` with the loop; it outlives whichever ends first.
#include "app/settings_reader.hpp"

#include <boost/asio/post.hpp>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <utility>

namespace shardgate {

namespace asio = boost::asio;

namespace {

// How long the end of the daemon waits for the disk.
constexpr duration stop_limit = std::chrono::seconds(1);

config::loaded trouble(std::string what) {
    config::problem p;
    p.file = "configuration";
    p.what = std::move(what);
    config::loaded out;
    out.problems.push_back(std::move(p));
    return out;
}

std::string seconds_of(duration d) {
    const auto s = std::chrono::duration_cast<std::chrono::seconds>(d).count();
    return std::to_string(s) + (s == 1 ? " second" : " seconds");
}

}  // namespace

struct settings_reader::board {
    explicit board(settings_reader* of) : owner(of) {}

    settings_reader* owner;  // the loop's; null once it is gone

    // Posting happens under the mutex: once `open` is false, nothing is posted to a loop that may
    // be gone.
    std::mutex mutex;
    std::condition_variable changed;
    bool open = true;
    bool finished = false;  // the thread has nothing more to do

    static void run(const std::shared_ptr<board>& self, const settings_source& read,
                    const asio::any_io_executor& loop);
};

void settings_reader::board::run(const std::shared_ptr<board>& self, const settings_source& read,
                                 const asio::any_io_executor& loop) {
    config::loaded found;
    try {
        found = read();
    } catch (const std::exception& e) {
        found = trouble(std::string("cannot be read: ") + e.what());
    }
    const std::lock_guard lock(self->mutex);
    if (self->open) {
        auto tell = [self, got = std::move(found)]() mutable {
            if (self->owner != nullptr) self->owner->on_read(std::move(got));
        };
        asio::post(loop, std::move(tell));
    }
    self->finished = true;
    self->changed.notify_all();
}

settings_reader::settings_reader(asio::any_io_executor loop, settings_source read,
                                 duration patience)
    : loop_(std::move(loop)),
      source_(std::move(read)),
      patience_(patience),
      board_(std::make_shared<board>(this)),
      timer_(loop_, [this] { on_time(); }) {}

settings_reader::~settings_reader() {
    board_->owner = nullptr;
    if (!thread_.joinable()) return;
    std::unique_lock lock(board_->mutex);
    board_->open = false;
    const bool ended =
        board_->changed.wait_for(lock, stop_limit, [this] { return board_->finished; });
    lock.unlock();
    // A disk that hangs must not hold the end of the process: the thread keeps what it uses.
    if (ended)
        thread_.join();
    else
        thread_.detach();
}

void settings_reader::read(callback done) {
    if (askers_.size() >= max_askers)
        return fail_later(std::move(done), "is not read: too many wait for that already");
    const time_point until = later(clock::now(), patience_);
    askers_.push_back({std::move(done), until});
    timer_.arm(askers_.front().until);
    if (!reading_) start();
}

// Somebody waits, and no thread runs.
void settings_reader::start() {
    board_->finished = false;
    try {
        thread_ = std::thread(&board::run, board_, source_, loop_);
    } catch (const std::system_error& e) {
        const std::string why = std::string("cannot be read, no thread for it: ") + e.what();
        while (!askers_.empty())
            fail_later(take_first().done, why);
        return;
    }
    reading_ = true;
}

void settings_reader::on_read(config::loaded found) {
    thread_.join();  // it has nothing more to do
    reading_ = false;
    if (std::exchange(for_nobody_, false)) {
        if (!askers_.empty()) start();
        return;
    }
    const asker first = take_first();
    if (!askers_.empty()) start();
    first.done(std::move(found));
}

// The thread cannot be stopped. Those who still wait get the next reading.
void settings_reader::on_time() {
    const time_point now = clock::now();
    while (!askers_.empty() && askers_.front().until <= now) {
        const asker first = take_first();
        for_nobody_ = reading_;
        first.done(trouble("was not read within " + seconds_of(patience_) + ": the disk is slow"));
    }
    if (!askers_.empty()) timer_.arm(askers_.front().until);
}

void settings_reader::fail_later(callback done, std::string why) {
    asio::post(loop_, [keep = board_, done = std::move(done), why = std::move(why)] {
        if (keep->owner != nullptr) done(trouble(why));
    });
}

settings_reader::asker settings_reader::take_first() {
    asker first = std::move(askers_.front());
    askers_.pop_front();
    return first;
}

}  // namespace shardgate
