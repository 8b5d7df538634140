// SPDX-License-Identifier: Apache-2.0
// The thread on its own: what it does while the disk fails or hangs, and how it ends.
#include "store/workshop.hpp"

#include <thread>

#include "fixture.hpp"
#include "store/disk_ledger.hpp"

namespace shardgate::store {
namespace {

using namespace testing;

class Workshop : public store_fixture {
public:
    Workshop() {
        options.vfs = fault_vfs();
        auto directory = state_directory::take(options.directory);
        EXPECT_TRUE(directory.has_value());
        shop = std::make_shared<workshop>(loop.get_executor(), std::move(*directory), options);
        EXPECT_TRUE(shop->open(wall_now(), state).has_value());
    }
    ~Workshop() override {
        heal();
        shop->close();
        if (thread.joinable()) thread.join();
    }
    void start() {
        thread = std::thread([s = shop] { s->run(); });
    }
    [[nodiscard]] static store_batch facts(std::string value) {
        store_batch b;
        b.facts = {{"name", std::move(value)}};
        return b;
    }

    fault_scope scope;
    std::shared_ptr<workshop> shop;
    std::thread thread;
};

TEST_F(Workshop, ARecordThatCannotBeWrittenIsNoStart) {
    start();
    disk_ledger ledger(*shop, {}, 200ms);
    const wall_ms now = wall_now();
    set_fault(disk_fault::write_error, "ledger.db");
    std::optional<bool> stored;
    ledger.record(0, 1, now, [&](bool s) { stored = s; });
    EXPECT_EQ(ledger.starts_last_day(now), 1U);
    ASSERT_TRUE(run_until(loop, [&] { return stored.has_value(); }));
    EXPECT_FALSE(*stored);
    EXPECT_EQ(ledger.starts_last_day(now), 0U);
    EXPECT_EQ(ledger.last(0, 1, now), now);  // waiting is never wrong
    EXPECT_GE(shop->stats().ledger_errors, 2U);
    EXPECT_EQ(shop->stats().ledger_writes, 0U);
}

TEST_F(Workshop, DoesNotRetryALedgerOnceItIsClosed) {
    start();
    set_fault(disk_fault::write_error, "ledger.db");
    disk_ledger ledger(*shop, {}, 1h);
    bool called = false;
    ledger.record(0, 1, wall_now(), [&](bool) { called = true; });
    ASSERT_TRUE(run_until(loop, [&] { return shop->stats().ledger_errors >= 1; }));
    shop->close();
    EXPECT_TRUE(shop->wait_closed(10s));
    run_ready(loop);
    EXPECT_FALSE(called);
}

TEST_F(Workshop, ADiskThatHangsDoesNotHoldTheEnd) {
    start();
    set_write_delay(100ms);
    auto batch = std::make_shared<const store_batch>(facts("1"));
    std::weak_ptr<const store_batch> watched = batch;
    ASSERT_TRUE(shop->push(spool_job(write_job{1, std::move(batch)})));
    shop->close();
    EXPECT_FALSE(shop->wait_closed(1ms));
    heal();
    EXPECT_TRUE(shop->wait_closed(10s));
    EXPECT_TRUE(watched.expired());
    // The lock is free for the next one, and what was queued is there.
    open();
    EXPECT_EQ(state.facts.size(), 1U);
}

TEST_F(Workshop, TakesNoMoreThanItsBound) {
    const auto batch = std::make_shared<const store_batch>(facts("1"));
    for (std::size_t i = 0; i < workshop::max_jobs; ++i)
        ASSERT_TRUE(shop->push(spool_job(write_job{i, batch})));
    EXPECT_FALSE(shop->push(spool_job(read_job{})));
    disk_ledger ledger(*shop, {}, 1s);
    unsigned answers = 0;
    for (std::size_t i = 0; i <= workshop::max_jobs; ++i)
        ledger.record(0, 1, wall_now(), [&](bool stored) { answers += stored ? 0 : 1; });
    EXPECT_EQ(answers, 0U);
    run_ready(loop);
    EXPECT_EQ(answers, 1U);
    start();  // it can do all that
    set_fault(disk_fault::write_error);
}

// The ledger gets what is known when its file has to be made anew.
TEST_F(Workshop, ADamagedLedgerIsWrittenAnewWithWhatIsKnown) {
    start();
    const wall_ms now = wall_now();
    disk_ledger ledger(*shop, {}, 1s);
    std::optional<bool> stored;
    ledger.record(1, 16, now, [&](bool s) { stored = s; });
    ASSERT_TRUE(run_until(loop, [&] { return stored.has_value(); }));
    ASSERT_TRUE(*stored);
    stored.reset();
    set_fault(disk_fault::damage, "ledger.db");
    ledger.record(2, 16, now + 1s, [&](bool s) { stored = s; });
    ASSERT_TRUE(run_until(loop, [&] { return stored.has_value(); }));
    EXPECT_TRUE(*stored);
    heal();
    shop->close();
    ASSERT_TRUE(shop->wait_closed(10s));
    EXPECT_FALSE(files_with("ledger.db.damaged-").empty());
    open();
    EXPECT_EQ(disk->ledger().last(1, 16, now + 2s), now);
    EXPECT_EQ(disk->ledger().last(2, 16, now + 2s), now + 1s);
    EXPECT_EQ(disk->ledger().starts_last_day(now + 2s), 2U);
    EXPECT_EQ(disk->crashes(1h), 1U);  // the run is known too
}

}  // namespace
}  // namespace shardgate::store
