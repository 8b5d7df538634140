// SPDX-License-Identifier: Apache-2.0
// See the header. Work goes to the workshop's thread; results come back by posting.
#include "shardgate/store/storage.hpp"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

#include "store/disk_ledger.hpp"
#include "store/workshop.hpp"

namespace shardgate {
namespace {

using store::workshop;

// How long the end of the daemon waits for the disk.
constexpr duration stop_limit = std::chrono::seconds(5);

wall_ms wall_now() {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now());
}

}  // namespace

struct storage::impl {
    explicit impl(std::shared_ptr<workshop> s)
        : shop(std::move(s)),
          ledger(*shop, shop->ledger().book()),
          crashes(shop->ledger().crashes()) {}

    template <class T, class Job, class What>
    void submit(What what, std::function<void(T)> done) {
        const std::uint64_t id = shop->waiting().add<T>(std::move(done));
        if (shop->push(store::spool_job(Job{id, std::move(what)}))) return;
        T refused;
        refused.detail = "storage has too much to do";
        shop->give(id, std::move(refused));
    }

    std::shared_ptr<workshop> shop;
    store::disk_ledger ledger;
    std::vector<wall_ms> crashes;
    stored_state state;
    std::thread thread;
};

storage::storage(std::unique_ptr<impl> i) : impl_(std::move(i)) {}

result<std::unique_ptr<storage>> storage::open(boost::asio::any_io_executor loop,
                                               const storage_options& options) {
    auto directory = store::state_directory::take(options.directory);
    if (!directory) return directory.error();
    auto shop = std::make_shared<workshop>(std::move(loop), std::move(*directory), options);
    stored_state state;
    if (const auto opened = shop->open(wall_now(), state); !opened) return opened.error();
    auto i = std::make_unique<impl>(shop);
    i->state = std::move(state);
    try {
        i->thread = std::thread([shop] { shop->run(); });
    } catch (const std::system_error& e) {
        return failure(e.code(), std::string("no thread for storage: ") + e.what());
    }
    return std::unique_ptr<storage>(new storage(std::move(i)));
}

storage::~storage() {
    impl_->shop->close();
    // A disk that hangs must not hold the end of the process: the thread keeps what it uses.
    if (impl_->shop->wait_closed(stop_limit))
        impl_->thread.join();
    else
        impl_->thread.detach();
}

stored_state storage::take_state() {
    return std::exchange(impl_->state, {});
}

void storage::write(std::shared_ptr<const store_batch> batch,
                    std::function<void(write_outcome)> done) {
    impl_->submit<write_outcome, store::write_job>(std::move(batch), std::move(done));
}

void storage::read(spool_read what, std::function<void(read_outcome<spool_row>)> done) {
    impl_->submit<read_outcome<spool_row>, store::read_job>(what, std::move(done));
}

void storage::list(spool_candidates what, std::function<void(read_outcome<spool_row_info>)> done) {
    impl_->submit<read_outcome<spool_row_info>, store::list_job>(what, std::move(done));
}

identify_ledger& storage::ledger() noexcept {
    return impl_->ledger;
}

std::uint32_t storage::crashes(duration window) const noexcept {
    const wall_ms now = wall_now();
    // Compared by age: those from the future count, and a long window does not overflow.
    const auto recent =
        std::count_if(impl_->crashes.begin(), impl_->crashes.end(), [&](wall_ms when) {
            return when >= now ||
                   std::chrono::duration_cast<std::chrono::milliseconds>(window) >= now - when;
        });
    return static_cast<std::uint32_t>(recent);
}

void storage::mark_clean_end(std::function<void()> done) {
    std::function<void(bool)> ended = [done = std::move(done)](bool) {
        if (done) done();
    };
    store::ledger_job job;
    job.id = impl_->shop->waiting().add(std::move(ended));
    job.now = wall_now();
    job.due = clock::now();
    job.give_up = later(job.due, std::chrono::seconds(1));
    job.wait = std::chrono::milliseconds(50);
    const std::uint64_t id = job.id;
    if (!impl_->shop->push(std::move(job))) impl_->shop->give(id, false);
}

storage_stats storage::stats() const {
    return impl_->shop->stats();
}

}  // namespace shardgate
