// SPDX-License-Identifier: Apache-2.0
// A disk that refuses for a while: nothing is lost, nothing is claimed, and the same batch goes
// through once it is well again.
#include "fixture.hpp"

namespace shardgate {
namespace {

using namespace testing;

class Fault : public store_fixture {
public:
    Fault() { options.vfs = fault_vfs(); }
    ~Fault() override {
        heal();
        disk.reset();
    }

    static store_batch batch(std::uint64_t first, std::uint64_t rows = 50) {
        event_spec spec;
        spec.frame = std::string(2000, 'x');
        store_batch b;
        for (std::uint64_t i = first; i < first + rows; ++i)
            b.spool.rows.push_back(row_of(i, spec));
        b.facts = {{"last batch", std::to_string(first)}};
        return b;
    }
    void expect_rows(std::uint64_t rows, const std::string& fact) {
        reopen();
        EXPECT_FALSE(state.spool_lost);
        EXPECT_EQ(state.spool.rows, rows);
        ASSERT_EQ(state.facts.size(), 1U);
        EXPECT_EQ(state.facts[0].second, fact);
        EXPECT_TRUE(files_with("damaged").empty());
    }

    fault_scope scope;
};

TEST_F(Fault, AWriteErrorFailsTheBatchAndTheSameBatchGoesThroughLater) {
    open();
    store(batch(1));
    set_fault(disk_fault::write_error, "spool.db");
    for (int i = 0; i < 5; ++i) {  // more than the connection is kept for
        const write_outcome out = write(batch(100));
        EXPECT_EQ(out.what, write_result::failed);
        EXPECT_FALSE(out.full);
        EXPECT_NE(out.detail.find("disk I/O error"), std::string::npos) << out.detail;
    }
    EXPECT_EQ(disk->stats().write_errors, 5U);
    EXPECT_EQ(lane(guild_lane(1)).size(), 50U);  // what was stored can be read
    heal();
    store(batch(100));
    EXPECT_EQ(lane(guild_lane(1)).size(), 100U);
    expect_rows(100, "100");
}

TEST_F(Fault, AnErrorInTheMiddleOfABatchLeavesNothingOfIt) {
    open();
    store(batch(1));
    for (unsigned writes = 1; writes < 60; writes += 7) {
        set_fault_after(disk_fault::write_error, writes);
        const write_outcome out = write(batch(100));
        ASSERT_EQ(out.what, write_result::failed) << writes;
        heal();
        EXPECT_EQ(lane(guild_lane(1)).size(), 50U);
    }
    store(batch(100));
    expect_rows(100, "100");
}

TEST_F(Fault, AFailedFsyncIsAFailedBatch) {
    open();
    store(batch(1));
    set_fault(disk_fault::sync_error, "spool.db");
    for (int i = 0; i < 5; ++i) {
        const write_outcome out = write(batch(100));
        EXPECT_EQ(out.what, write_result::failed);
        EXPECT_FALSE(out.full);
    }
    heal();
    store(batch(100));
    store(batch(200));
    expect_rows(150, "200");
}

TEST_F(Fault, AfterAFailedFsyncACrashLosesNothingThatWasStored) {
    open();
    store(batch(1));
    set_fault(disk_fault::sync_error, "spool.db");
    EXPECT_EQ(write(batch(100)).what, write_result::failed);
    heal();
    store(batch(100));
    crash_into("crashed");
    open();
    EXPECT_FALSE(state.spool_lost);
    EXPECT_EQ(state.spool.rows, 100U);
}

TEST_F(Fault, AFullDiskIsToldAndLeftAgain) {
    open();
    store(batch(1));
    set_fault(disk_fault::full, "spool.db");
    for (int i = 0; i < 5; ++i) {
        const write_outcome out = write(batch(100, 2000));
        EXPECT_EQ(out.what, write_result::failed);
        EXPECT_TRUE(out.full);
        EXPECT_NE(out.detail.find("finds no space"), std::string::npos) << out.detail;
    }
    EXPECT_EQ(lane(guild_lane(1)).size(), 50U);
    heal();
    store(batch(100, 2000));
    expect_rows(2050, "100");
}

TEST_F(Fault, AStartOnAFullDiskFindsEverything) {
    open();
    store(batch(1));
    ASSERT_TRUE(record(0, 1, wall_now()));
    close();
    set_fault(disk_fault::full);
    open();
    EXPECT_EQ(state.spool.rows, 50U);
    EXPECT_TRUE(disk->ledger().last(0, 1, wall_now()).has_value());
    EXPECT_TRUE(write(batch(100, 2000)).full);
    heal();
    store(batch(100, 2000));
}

TEST_F(Fault, AFirstStartOnAFullDiskSaysSo) {
    set_fault(disk_fault::full);
    const std::string why = open_error();
    EXPECT_NE(why.find("ledger.db cannot be used: database or disk is full"), std::string::npos)
        << why;
    heal();
    EXPECT_EQ(open_error(), "");
}

TEST_F(Fault, TheLedgersSpaceIsItsOwnOnAFullDisk) {
    open();
    set_fault(disk_fault::full);
    wall_ms when = wall_now() - 1h;
    for (std::uint32_t i = 0; i < 300; ++i)
        ASSERT_TRUE(record(i % 16, 16, when += 1ms)) << i;
    // After a restart too, though the disk is still full.
    for (int round = 0; round < 4; ++round) {
        reopen();
        EXPECT_TRUE(state.notices.empty());
        for (std::uint32_t i = 0; i < 40; ++i)
            ASSERT_TRUE(record(i % 16, 16, when += 1ms)) << i;
    }
    EXPECT_EQ(disk->ledger().starts_last_day(when), 460U);
}

TEST_F(Fault, ALedgerThatHealsInTimeIsWritten) {
    open();
    const wall_ms now = wall_now();
    std::optional<bool> stored;
    set_fault(disk_fault::sync_error, "ledger.db");
    disk->ledger().record(3, 4, now, [&](bool s) { stored = s; });
    ASSERT_TRUE(run_until(loop, [&] { return disk->stats().ledger_errors >= 2; }));
    EXPECT_FALSE(stored.has_value());
    EXPECT_EQ(disk->ledger().last(3, 4, now), now);
    // The spool is written meanwhile.
    store(batch(1));
    heal();
    ASSERT_TRUE(run_until(loop, [&] { return stored.has_value(); }));
    EXPECT_TRUE(*stored);
    EXPECT_EQ(disk->stats().ledger_writes, 1U);
    reopen();
    EXPECT_EQ(disk->ledger().last(3, 4, now), now);
    EXPECT_EQ(disk->ledger().starts_last_day(now), 1U);
}

TEST_F(Fault, ASlowDiskHoldsNobodyAndKeepsTheOrder) {
    open();
    set_write_delay(5ms);
    std::vector<int> order;
    const auto shared = std::make_shared<const store_batch>(batch(1, 2));
    const time_point begun = clock::now();
    for (int i = 0; i < 5; ++i)
        disk->write(shared, [&order, i](write_outcome o) {
            EXPECT_EQ(o.what, write_result::stored);
            order.push_back(i);
        });
    spool_read what{guild_lane(1), 0, 10, 1 << 20};
    disk->read(what, [&order](read_outcome<spool_row> o) {
        EXPECT_EQ(o.rows.size(), 2U);
        order.push_back(5);
    });
    // Each of these would have taken its writes' time.
    const duration calls = clock::now() - begun;
    EXPECT_TRUE(run_until(loop, [&] { return order.size() == 6; }));
    const duration all = clock::now() - begun;
    EXPECT_GE(all, 5 * 5ms);
    EXPECT_LT(calls, all / 2);
    EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5}));
}

TEST_F(Fault, AnIdentifyDoesNotWaitBehindQueuedBatches) {
    open();
    set_write_delay(3ms);
    int written = 0;
    const auto shared = std::make_shared<const store_batch>(batch(1, 2));
    for (int i = 0; i < 5; ++i)
        disk->write(shared, [&](write_outcome) { ++written; });
    EXPECT_TRUE(record(0, 1, wall_now()));
    EXPECT_LT(written, 5);
    EXPECT_TRUE(run_until(loop, [&] { return written == 5; }));
}

TEST_F(Fault, NothingIsCalledOnceTheStorageIsGone) {
    open();
    set_write_delay(2ms);
    bool called = false;
    auto watched = std::make_shared<int>(1);
    const auto shared = std::make_shared<const store_batch>(batch(1));
    disk->write(shared, [&called, watched](write_outcome) { called = true; });
    disk->ledger().record(0, 1, wall_now(), [&called, watched](bool) { called = true; });
    disk->mark_clean_end([&called, watched] { called = true; });
    close();
    EXPECT_EQ(watched.use_count(), 1);  // callbacks end with it, on the loop
    run_ready(loop);
    EXPECT_FALSE(called);
    // What was queued was done.
    heal();
    open();
    EXPECT_EQ(state.spool.rows, 50U);
    EXPECT_EQ(disk->ledger().starts_last_day(wall_now()), 1U);
    EXPECT_EQ(disk->crashes(1h), 0U);
}

TEST_F(Fault, ACallbackMayEndTheStorage) {
    open();
    bool done = false;
    disk->write(std::make_shared<const store_batch>(batch(1)), [&](write_outcome) {
        disk.reset();
        done = true;
    });
    EXPECT_TRUE(run_until(loop, [&] { return done; }));
}

}  // namespace
}  // namespace shardgate
