// SPDX-License-Identifier: Apache-2.0
#include "admin/metrics_page.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <regex>
#include <set>
#include <string>

#include "fake_view.hpp"
#include "support/prometheus_parser.hpp"

namespace shardgate::admin {
namespace {

using test::prometheus_page;

page_extras extras() {
    page_extras x;
    x.process = process_stats{1.5, 4096, 8192, 3, 10, std::numeric_limits<double>::infinity(), 1e9};
    x.server.requests = 12;
    x.log_lines_lost = 2;
    return x;
}

std::set<std::string> family_names(const std::string& text) {
    std::set<std::string> out;
    const prometheus_page page(text);
    for (const auto& family : page.families())
        out.insert(family.name);
    return out;
}

TEST(MetricsPage, CountsTheActiveSetByState) {
    const test::fake_view view;
    const prometheus_page page(metrics_page(view.all, extras()));

    EXPECT_EQ(page.value("shardgate_shards", {{"state", "ready"}}), 1);
    EXPECT_EQ(page.value("shardgate_shards", {{"state", "resuming"}}), 1);
    EXPECT_EQ(page.value("shardgate_shards", {{"state", "idle"}}), 1);
    EXPECT_EQ(page.value("shardgate_shards", {{"state", "loading"}}), 0);  // of another set
    EXPECT_EQ(page.value("shardgate_shards", {{"state", "parked"}}), 0);
    EXPECT_DOUBLE_EQ(page.value("shardgate_heartbeat_latency_seconds", {{"shard", "0"}}), 0.04125);
}

TEST(MetricsPage, ShowsWhatTheSnapshotCounts) {
    test::fake_view view;
    view.all.events_by_type = {{"MESSAGE_CREATE", 5}, {"other", 1}};
    view.all.closes = {{4000, 2}, {1006, 1}};
    view.all.wire_bytes = 7;
    view.all.payload_bytes = 70;
    view.all.loop_lag_seconds = {0.001, 0.002};
    view.all.filtered_by_reason = {{"unchanged", 9}};
    const prometheus_page page(metrics_page(view.all, extras()));

    EXPECT_EQ(page.value("shardgate_gateway_events_total", {{"type", "MESSAGE_CREATE"}}), 5);
    EXPECT_EQ(page.value("shardgate_closes_total", {{"code", "1006"}}), 1);
    EXPECT_EQ(page.value("shardgate_gateway_received_bytes_total", {{"kind", "payload"}}), 70);
    EXPECT_EQ(page.value("shardgate_loop_lag_seconds", {{"worker", "1"}}), 0.002);
    EXPECT_EQ(page.value("shardgate_filtered_events_total", {{"reason", "unchanged"}}), 9);
    EXPECT_EQ(page.value("shardgate_queue_dropped_total", {{"class", "typing"}}), 4);
    EXPECT_EQ(page.value("shardgate_handler_state", {{"state", "up"}}), 1);
    EXPECT_EQ(page.value("shardgate_handler_state", {{"state", "down"}}), 0);
    EXPECT_EQ(page.value("shardgate_build_info", {{"version", "1.2.3"}}), 1);
    EXPECT_EQ(page.value("shardgate_admin_requests_total"), 12);
    EXPECT_EQ(page.value("shardgate_log_lines_lost_total"), 2);
    EXPECT_EQ(page.value("process_resident_memory_bytes"), 4096);
    EXPECT_EQ(page.value("process_max_fds"), std::numeric_limits<double>::infinity());
}

TEST(MetricsPage, TellsHowAReshardingGoes) {
    test::fake_view view;
    const prometheus_page before(metrics_page(view.all, extras()));
    EXPECT_EQ(before.value("shardgate_reshard_state", {{"state", "idle"}}), 1);
    EXPECT_EQ(before.value("shardgate_reshard_due"), 0);
    EXPECT_EQ(before.value("shardgate_shard_guilds_max"), 12);  // of the active set

    reshard_snapshot& r = view.all.reshard;
    r.state = "overlap";
    r.percent = 75;
    r.ready = 4;
    r.forwarded = 9;
    r.dropped = 8;
    r.released = 7;
    r.expired = 6;
    r.guessed = 5;
    r.held = 4;
    r.warning = "full";
    view.all.shards[3].guilds = 99;  // of the other set
    const prometheus_page page(metrics_page(view.all, extras()));
    for (const char* const state :
         {"idle", "starting", "overlap", "retiring", "done", "aborted", "failed"})
        EXPECT_EQ(page.value("shardgate_reshard_state", {{"state", state}}),
                  state == r.state ? 1 : 0);
    EXPECT_EQ(page.value("shardgate_reshard_progress_ratio"), 0.75);
    EXPECT_EQ(page.value("shardgate_reshard_ready_shards"), 4);
    EXPECT_EQ(page.value("shardgate_reshard_events_total", {{"outcome", "forwarded"}}), 9);
    EXPECT_EQ(page.value("shardgate_reshard_events_total", {{"outcome", "dropped"}}), 8);
    EXPECT_EQ(page.value("shardgate_reshard_events_total", {{"outcome", "released"}}), 7);
    EXPECT_EQ(page.value("shardgate_reshard_events_total", {{"outcome", "expired"}}), 6);
    EXPECT_EQ(page.value("shardgate_reshard_guessed_total"), 5);
    EXPECT_EQ(page.value("shardgate_reshard_held_bytes"), 4);
    EXPECT_EQ(page.value("shardgate_reshard_due"), 1);
    EXPECT_EQ(page.value("shardgate_shard_guilds_max"), 12);
}

metrics_snapshot just_started() {
    metrics_snapshot m;
    m.status.storage.state = "up";
    return m;
}

TEST(MetricsPage, EveryFamilyIsThereFromTheStart) {
    const test::fake_view view;
    EXPECT_EQ(family_names(metrics_page(just_started(), page_extras{})),
              family_names(metrics_page(view.all, extras())));
}

TEST(MetricsPage, WithoutAStorageNothingIsSaidOfOne) {
    const std::set<std::string> with = family_names(metrics_page(just_started(), page_extras{}));
    const std::set<std::string> without =
        family_names(metrics_page(metrics_snapshot{}, page_extras{}));

    for (const std::string& name : with)
        EXPECT_EQ(without.count(name), name.rfind("shardgate_storage_", 0) == 0 ? 0U : 1U) << name;
    EXPECT_EQ(with.count("shardgate_storage_up"), 1U);
}

TEST(MetricsPage, TellsHowTheStorageDoes) {
    test::fake_view view;
    storage_snapshot& s = view.all.status.storage;
    s.errors = 3;
    s.resets = 1;
    s.rows_written = 70;
    s.rows_freed = 69;
    view.all.status.queue.spooled_events = 11;
    view.all.status.queue.spooled_bytes = 1100;
    view.all.status.queue.stored_events = 13;
    view.all.events_replayed_known = 5;
    const prometheus_page up(metrics_page(view.all, extras()));
    s.state = "failing";
    const prometheus_page failing(metrics_page(view.all, extras()));

    EXPECT_EQ(up.value("shardgate_storage_up"), 1);
    EXPECT_EQ(failing.value("shardgate_storage_up"), 0);
    EXPECT_EQ(up.value("shardgate_storage_errors_total"), 3);
    EXPECT_EQ(up.value("shardgate_storage_resets_total"), 1);
    EXPECT_EQ(up.value("shardgate_storage_last_write_seconds"), 0.004);
    EXPECT_EQ(up.value("shardgate_storage_file_bytes"), 40960);
    EXPECT_EQ(up.value("shardgate_spool_rows_written_total"), 70);
    EXPECT_EQ(up.value("shardgate_spool_rows_freed_total"), 69);
    EXPECT_EQ(up.value("shardgate_queue_spooled_events"), 11);
    EXPECT_EQ(up.value("shardgate_queue_spooled_bytes"), 1100);
    EXPECT_EQ(up.value("shardgate_queue_stored_events"), 13);
    EXPECT_EQ(up.value("shardgate_events_replayed_known_total"), 5);
}

TEST(MetricsPage, UnsafeEventsAreWhatIsReceivedAboveTheMark) {
    test::fake_view view;
    view.all.shards[1].safe = view.all.shards[1].received + 1;  // never below nothing
    const prometheus_page page(metrics_page(view.all, extras()));

    EXPECT_EQ(page.value("shardgate_unsafe_events", {{"shard", "0"}}), 10);
    EXPECT_EQ(page.value("shardgate_unsafe_events", {{"shard", "1"}}), 0);
}

TEST(MetricsPage, UrlsThatDifferInSecretsAloneAreOneSeries) {
    test::fake_view view;
    view.all.status.handler_urls = {{"http://h/?a=1", "up", "", 1, 64},
                                    {"http://h/?a=2", "up", "", 2, 64}};

    EXPECT_NO_THROW(prometheus_page(metrics_page(view.all, extras())));
}

TEST(MetricsPage, NoFamilyMultipliesEventTypesByShards) {
    const test::fake_view view;
    const prometheus_page page(metrics_page(view.all, extras()));
    for (const auto& family : page.families())
        for (const auto& sample : family.samples)
            EXPECT_TRUE(sample.label("type").empty() || sample.label("shard").empty());
}

// docs/metrics.md and the page name the same families, each with its type.
TEST(MetricsPage, TheDocumentationListsExactlyTheseFamilies) {
    std::ifstream file(std::string(SHARDGATE_SOURCE_DIR) + "/docs/metrics.md");
    ASSERT_TRUE(file) << "docs/metrics.md";
    const std::regex row(R"(^\| `([a-z_]+)(\{[a-z,]+\})?` \| (counter|gauge|histogram) \| .+)");
    std::set<std::string> documented;
    for (std::string line; std::getline(file, line);) {
        std::smatch m;
        if (std::regex_search(line, m, row)) documented.insert(m[1].str() + ' ' + m[3].str());
    }
    std::set<std::string> shown;
    const prometheus_page page(metrics_page(just_started(), page_extras{}));
    for (const auto& family : page.families())
        shown.insert(family.name + ' ' + family.type);

    EXPECT_EQ(documented, shown);
}

}  // namespace
}  // namespace shardgate::admin
