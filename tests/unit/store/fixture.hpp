// SPDX-License-Identifier: Apache-2.0
// A storage in a directory of its own, and events to put into it.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "shardgate/delivery/delivery.hpp"
#include "shardgate/store/storage.hpp"
#include "support/fault_vfs.hpp"
#include "support/run_until.hpp"

namespace shardgate::testing {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

inline wall_ms wall_now() {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now());
}

// An event as it might come; the fields a test cares about are set by the caller.
struct event_spec {
    std::string name = "MESSAGE_CREATE";
    std::uint64_t guild = 1, channel = 0, id = 0;
    std::uint64_t seq = 1;
    std::uint32_t shard = 0, gen = 1;
    std::string session = "session-a";
    std::string frame = R"({"op":0,"t":"X","s":1,"d":{}})";
    duration age{};

    [[nodiscard]] event_ptr make() const {
        event_parts p;
        p.shard = shard_id{shard};
        p.shards = shard_count{16};
        p.gen = generation{gen};
        p.seq = seq_no{seq};
        p.session = std::make_shared<const std::string>(session);
        p.discord_name = p.name = name;
        p.frame = frame;
        p.guild = snowflake{guild};
        p.channel = snowflake{channel};
        p.id = snowflake{id};
        p.received = clock::now() - age;
        p.received_wall = wall_now() - std::chrono::duration_cast<std::chrono::milliseconds>(age);
        return queued_event::restore(p);
    }
};

inline lane_key guild_lane(std::uint64_t id) {
    return {lane_key::kind::guild, id};
}

inline spool_row row_of(std::uint64_t position, const event_spec& spec) {
    spool_row r;
    r.position = position;
    r.lane = guild_lane(spec.guild);
    r.event = spec.make();
    return r;
}

inline std::string key_of(const event_ptr& e) {
    std::string key;
    e->append_key(key);
    return key;
}

// Everything of it but the time on this process's clock.
inline void expect_same_event(const queued_event& a, const queued_event& b) {
    EXPECT_EQ(a.shard, b.shard);
    EXPECT_EQ(a.shards, b.shards);
    EXPECT_EQ(a.gen, b.gen);
    EXPECT_EQ(a.seq, b.seq);
    ASSERT_EQ(a.session == nullptr, b.session == nullptr);
    if (a.session) {
        EXPECT_EQ(*a.session, *b.session);
    }
    EXPECT_EQ(a.event, b.event);
    EXPECT_EQ(a.mark, b.mark);
    EXPECT_EQ(a.interaction_has_message, b.interaction_has_message);
    EXPECT_EQ(a.interaction_type, b.interaction_type);
    EXPECT_EQ(a.guild, b.guild);
    EXPECT_EQ(a.channel, b.channel);
    EXPECT_EQ(a.id, b.id);
    EXPECT_EQ(a.received_wall, b.received_wall);
    EXPECT_EQ(a.name(), b.name());
    EXPECT_EQ(a.frame(), b.frame());
    EXPECT_EQ(a.interaction_token(), b.interaction_token());
    EXPECT_EQ(a.is_own(), b.is_own());
    std::string key_a;
    std::string key_b;
    a.append_key(key_a);
    b.append_key(key_b);
    EXPECT_EQ(key_a, key_b);
}

class store_fixture : public ::testing::Test {
public:
    store_fixture() {
        static int number = 0;
        root = fs::path(::testing::TempDir()) /
               ("shardgate-store-" + std::to_string(::getpid()) + "-" + std::to_string(++number));
        fs::create_directory(root);
        options.directory = (root / "state").string();
    }
    ~store_fixture() override {
        disk.reset();
        std::error_code ignored;
        fs::remove_all(root, ignored);
    }

    void open() {
        auto opened = storage::open(loop.get_executor(), options);
        ASSERT_TRUE(opened.has_value()) << opened.error().detail;
        disk = std::move(*opened);
        state = disk->take_state();
    }
    [[nodiscard]] std::string open_error() {
        auto opened = storage::open(loop.get_executor(), options);
        return opened ? "" : opened.error().detail;
    }
    void close() { disk.reset(); }
    void reopen() {
        close();
        open();
    }

    write_outcome write(store_batch batch) {
        std::optional<write_outcome> out;
        disk->write(std::make_shared<const store_batch>(std::move(batch)),
                    [&](write_outcome o) { out = std::move(o); });
        EXPECT_FALSE(out.has_value());  // never from inside the call
        EXPECT_TRUE(run_until(loop, [&] { return out.has_value(); }));
        return out.value_or(write_outcome{});
    }
    void store(store_batch batch) {
        const write_outcome out = write(std::move(batch));
        ASSERT_EQ(out.what, write_result::stored) << out.detail;
        EXPECT_EQ(out.detail, "");
    }
    void store_rows(std::vector<spool_row> rows) {
        store_batch b;
        b.spool.rows = std::move(rows);
        store(std::move(b));
    }

    read_outcome<spool_row> read_all(spool_read what) {
        std::optional<read_outcome<spool_row>> out;
        disk->read(what, [&](read_outcome<spool_row> o) { out = std::move(o); });
        EXPECT_TRUE(run_until(loop, [&] { return out.has_value(); }));
        return std::move(out).value_or(read_outcome<spool_row>{});
    }
    std::vector<spool_row> lane(lane_key key, std::uint64_t from = 0, std::size_t rows = 1000,
                                std::size_t bytes = 1 << 30) {
        auto out = read_all({key, from, rows, bytes});
        EXPECT_TRUE(out.ok) << out.detail;
        return std::move(out.rows);
    }
    std::vector<spool_row_info> list(spool_candidates what) {
        std::optional<read_outcome<spool_row_info>> out;
        disk->list(what, [&](read_outcome<spool_row_info> o) { out = std::move(o); });
        EXPECT_TRUE(run_until(loop, [&] { return out.has_value(); }));
        EXPECT_TRUE(out.has_value() && out->ok);
        return out ? std::move(out->rows) : std::vector<spool_row_info>{};
    }
    // Whether it was stored.
    bool record(std::uint32_t key, std::uint32_t max_concurrency, wall_ms when) {
        std::optional<bool> out;
        disk->ledger().record(key, max_concurrency, when, [&](bool stored) { out = stored; });
        EXPECT_FALSE(out.has_value());
        EXPECT_TRUE(run_until(loop, [&] { return out.has_value(); }));
        return out.value_or(false);
    }

    [[nodiscard]] fs::path file(const std::string& name) const {
        return fs::path(options.directory) / name;
    }
    // What a crash would leave: the files as they are now, in a directory of their own.
    void crash_into(const std::string& name) {
        const fs::path to = root / name;
        fs::create_directory(to);
        for (const auto& entry : fs::directory_iterator(options.directory))
            if (entry.path().filename() != "lock")
                fs::copy_file(entry.path(), to / entry.path().filename());
        close();
        options.directory = to.string();
    }
    // The names in the directory that have `piece` in them.
    [[nodiscard]] std::vector<std::string> files_with(const std::string& piece) const {
        std::vector<std::string> out;
        for (const auto& entry : fs::directory_iterator(options.directory))
            if (entry.path().filename().string().find(piece) != std::string::npos)
                out.push_back(entry.path().filename().string());
        return out;
    }

    boost::asio::io_context loop;
    fs::path root;
    storage_options options;
    std::unique_ptr<storage> disk;
    stored_state state;
};

inline std::vector<std::uint64_t> positions(const std::vector<spool_row>& rows) {
    std::vector<std::uint64_t> out;
    for (const spool_row& r : rows)
        out.push_back(r.position);
    return out;
}
inline std::vector<std::uint64_t> positions(const std::vector<spool_row_info>& rows) {
    std::vector<std::uint64_t> out;
    for (const spool_row_info& r : rows)
        out.push_back(r.position);
    return out;
}

using numbers = std::vector<std::uint64_t>;

inline std::string bytes_of(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// Writes over a piece of a file.
inline void overwrite(const fs::path& path, std::size_t at, const std::string& with) {
    std::fstream out(path, std::ios::binary | std::ios::in | std::ios::out);
    out.seekp(static_cast<std::streamoff>(at));
    out.write(with.data(), static_cast<std::streamsize>(with.size()));
}

}  // namespace shardgate::testing
