// SPDX-License-Identifier: Apache-2.0
// A daemon of three shards for the admin tests: the values are set, nothing runs.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "shardgate/admin/daemon_view.hpp"

namespace shardgate::test {

inline shard_snapshot shard_number(std::uint32_t id, std::string state,
                                   std::uint32_t generation = 2) {
    shard_snapshot s;
    s.id = id;
    s.total = 3;
    s.generation = generation;
    s.state = std::move(state);
    s.state_age_s = 1.5;
    s.guilds = 10 + id;
    s.received = 100 + id;
    s.safe = 90 + id;
    s.events = 7;
    return s;
}

struct fake_view final : daemon_view {
    metrics_snapshot all;
    readiness is_ready;
    bool broken = false;
    std::vector<dead_letter_snapshot> letters;
    mutable int asked = 0;
    mutable dead_letter_query last_query;
    // What retrying and deleting were asked for, in order: "retry a b", "delete" (all).
    std::vector<std::string> changes;
    // What resharding was asked for, and who waits for an answer.
    std::vector<reshard_request> reshards;
    std::vector<std::function<void(reshard_reply)>> waiting;
    abort_reply abort = abort_reply::aborting;
    reload_reply reloaded;
    int reloads = 0;
    guild_list all_guilds{3, 1, true, {41, 42, 81384788765712384}};
    std::vector<handler_change> handler_changes;
    event_watcher* watcher = nullptr;
    std::vector<send_request> sends;
    std::vector<reconnect_request> reconnects;
    send_reply sent;  // to all three
    std::vector<members_request> member_asks;
    std::vector<std::shared_ptr<member_reader>> readers;
    int watched = 0;  // how often that changed

    fake_view() {
        status_snapshot& s = all.status;
        s.version = "1.2.3";
        s.uptime_s = 12.5;
        s.generation = 2;
        s.guilds = 33;
        s.total = 3;
        s.last = 2;
        s.ready = 1;
        s.limit_total = 1000;
        s.limit_remaining = 977;
        s.limit_reset_after_s = 3600;
        s.max_concurrency = 1;
        s.handler_state = "up";
        s.handler_urls = {{"http://bot:hunter2@127.0.0.1:8080/?key=hunter2", "up", "", 3, 64}};
        s.queue.events = 5;
        s.queue.bytes = 5000;
        s.queue.oldest_age_s = 0.25;
        s.queue.shed = {{"typing", 4}};
        s.plan_total = 3;
        s.plan_source = "file";
        s.queue.causes = {{"handler_down", 5}};
        s.storage.state = "up";
        s.storage.last_write_s = 0.004;
        s.storage.file_bytes = 40960;
        all.shards = {shard_number(0, "ready"), shard_number(1, "resuming"),
                      shard_number(2, "idle"), shard_number(0, "loading", 3)};
        all.shards[0].session = "abcdefgh…";
        all.shards[0].latency_ms = 41.25;
        all.shards[0].guilds_loaded = true;
        all.shards[0].url = "gateway.discord.gg";
        all.shards[1].last_close = 4000;
        is_ready.ready = true;
        letters = {letter("s1-7", "MESSAGE_CREATE", 41), letter("s1-9", "TYPING_START", 0)};
    }

    static dead_letter_snapshot letter(std::string key, std::string event, std::uint64_t guild) {
        dead_letter_snapshot l;
        l.key = std::move(key);
        l.event = std::move(event);
        l.shard = 1;
        l.shards = 3;
        l.guild = guild;
        l.status = 422;
        l.attempts = 1;
        l.when = wall_ms(std::chrono::milliseconds(1700000000123));
        l.reason = "refused";
        l.payload = R"({"op":0,"t":"X","s":7,"d":{"n":1.50}})";
        l.bytes = l.payload->size();
        return l;
    }

    void ask() const {
        ++asked;
        if (broken) throw std::runtime_error("the view is broken");
    }
    [[nodiscard]] status_snapshot status() const override {
        ask();
        return all.status;
    }
    [[nodiscard]] std::vector<shard_snapshot> shards() const override {
        ask();
        return all.shards;
    }
    [[nodiscard]] queue_snapshot queue() const override {
        ask();
        return all.status.queue;
    }
    [[nodiscard]] storage_snapshot storage_health() const override {
        ask();
        return all.status.storage;
    }
    [[nodiscard]] metrics_snapshot metrics() const override {
        ask();
        return all;
    }
    [[nodiscard]] readiness ready() const override {
        ask();
        return is_ready;
    }
    [[nodiscard]] std::vector<dead_letter_snapshot> dead_letters(
        const dead_letter_query& query) const override {
        ask();
        last_query = query;
        std::vector<dead_letter_snapshot> out;
        for (const dead_letter_snapshot& l : letters)
            if (out.size() < query.at_most && wanted(l, query.keys)) out.push_back(l);
        if (query.payload_bytes == 0)
            for (dead_letter_snapshot& l : out)
                l.payload.reset();
        return out;
    }
    std::size_t retry_dead_letters(const std::vector<std::string>& keys) override {
        return take("retry", keys);
    }
    std::size_t delete_dead_letters(const std::vector<std::string>& keys) override {
        return take("delete", keys);
    }
    void reshard(const reshard_request& request, std::function<void(reshard_reply)> done) override {
        ask();
        reshards.push_back(request);
        waiting.push_back(std::move(done));
    }
    [[nodiscard]] reshard_snapshot reshard_progress() const override {
        ask();
        return all.reshard;
    }
    abort_reply abort_reshard() override {
        ask();
        return abort;
    }
    void reload(std::function<void(reload_reply)> done) override {
        ask();
        ++reloads;
        done(reloaded);
    }
    send_reply send(const send_request& wanted) override {
        ask();
        sends.push_back(wanted);
        return sent;
    }
    send_reply members(const members_request& wanted,
                       std::shared_ptr<member_reader> reader) override {
        ask();
        member_asks.push_back(wanted);
        readers.push_back(std::move(reader));
        return sent;
    }
    send_reply reconnect(const reconnect_request& wanted) override {
        ask();
        reconnects.push_back(wanted);
        return sent;
    }
    [[nodiscard]] guild_list guilds(bool with_ids) const override {
        ask();
        guild_list out = all_guilds;
        if (!with_ids) out.ids.clear();
        return out;
    }
    void change_handler(const handler_change& change) override {
        ask();
        handler_changes.push_back(change);
        if (change.paused) all.status.handler_state = *change.paused ? "paused" : "up";
    }
    void watch_events(event_watcher* who) override {
        watcher = who;
        ++watched;
    }

private:
    static bool wanted(const dead_letter_snapshot& l, const std::vector<std::string>& keys) {
        return keys.empty() || std::find(keys.begin(), keys.end(), l.key) != keys.end();
    }
    std::size_t take(std::string what, const std::vector<std::string>& keys) {
        ask();
        for (const std::string& key : keys)
            what += ' ' + key;
        changes.push_back(std::move(what));
        return std::erase_if(letters,
                             [&](const dead_letter_snapshot& l) { return wanted(l, keys); });
    }
};

}  // namespace shardgate::test
