// SPDX-License-Identifier: Apache-2.0
// The configuration as plain structs: every key of the file with its default and its unit in the
// type. Loaded once (load.hpp), checked once, then passed by const reference, a section at a time.
// What each key means and when to change it: docs/configuration.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shardgate/base/log.hpp"
#include "shardgate/base/secret.hpp"
#include "shardgate/base/time.hpp"

namespace shardgate::config {

using std::chrono::milliseconds;
using byte_count = std::uint64_t;

enum class compression : std::uint8_t { none, zlib_stream, zstd_stream };

struct discord {
    secret token;  // bare
    std::uint64_t intents = 0;
    std::string api_url = "https://discord.com/api/v10";
    secret api_authorization;  // the whole header value; empty = "Bot <token>"
    std::string gateway_url;   // empty = what GET /gateway/bot answers
    config::compression compression = config::compression::zstd_stream;
    byte_count max_message = 32ULL << 20;  // inflated
    std::string ca_file;
    std::uint32_t large_threshold = 50;
    std::uint64_t capabilities = 0;
    std::string presence;  // JSON text, empty = none
    std::string properties =
        R"({"os":"linux","browser":"shardgate","device":"shardgate"})";  // JSON text
};

enum class shard_spread : std::uint8_t { contiguous, round_robin };

struct sharding {
    std::optional<std::uint32_t> total;  // nullopt = "auto"
    std::uint32_t first = 0;
    std::optional<std::uint32_t> last;  // inclusive; nullopt = "total-1"
    std::uint32_t workers = 1;
    std::uint32_t shards_per_worker = 0;
    shard_spread spread = shard_spread::contiguous;
    milliseconds identify_interval{5250};
    std::optional<std::uint32_t> max_concurrency;  // a cap; nullopt = "auto"
    std::uint32_t identify_reserve = 20;
    std::uint32_t connect_concurrency = 32;
};

struct resharding {
    bool enabled = true;
    std::uint32_t percentage = 80;
    milliseconds check_interval = std::chrono::minutes(10);
    std::uint32_t identify_reserve = 100;
    milliseconds overlap = std::chrono::seconds(10);
    milliseconds voice_drain{0};
    bool large_bot_sharding = true;
    std::uint32_t large_bot_guilds = 100000;
};

enum class guild_create_mode : std::uint8_t { automatic, mark, pass, drop_loaded };
enum class edited_messages_mode : std::uint8_t { unchanged, content, off };

struct filter {
    guild_create_mode guild_create = guild_create_mode::automatic;  // load() resolves automatic
    edited_messages_mode edited_messages = edited_messages_mode::unchanged;
    std::uint32_t edited_messages_capacity = 200000;
    std::vector<std::string> only;
    std::vector<std::string> drop;
};

enum class balance_mode : std::uint8_t { shard, guild, failover };
enum class envelope_mode : std::uint8_t { data, payload, message, raw };
enum class ordering_mode : std::uint8_t { guild, shard, none };

struct handler {
    std::vector<std::string> urls{"http://127.0.0.1:8080/"};
    balance_mode balance = balance_mode::shard;
    secret authorization;              // `secret` in the file
    std::vector<secret> signing_keys;  // `signing_key_file`, one a line: all sign, for rotation
    envelope_mode envelope = envelope_mode::data;
    ordering_mode ordering = ordering_mode::guild;
    std::uint32_t connections = 64;  // per URL
    milliseconds timeout = std::chrono::seconds(10);
    std::uint32_t pipelining = 1;
    std::uint32_t batch_events = 1;
    milliseconds batch_linger{0};
    std::string ca_file;
    std::string client_certificate_file;
    std::string client_key_file;
};

enum class overflow_policy : std::uint8_t { spill, drop_oldest, drop_newest };

struct queue {
    std::uint64_t max_events = 200000;
    byte_count max_bytes = 512ULL << 20;
    overflow_policy overflow = overflow_policy::spill;
    byte_count spill_max_bytes = 10ULL << 30;
    milliseconds spill_max_age = std::chrono::hours(24);
    milliseconds retry_initial = std::chrono::seconds(1);
    milliseconds retry_max = std::chrono::seconds(30);
    std::uint32_t dead_letters_max = 10000;
};

enum class modal_submit_mode : std::uint8_t { defer, message };

struct interactions {
    bool auto_defer = true;
    milliseconds deadline = std::chrono::seconds(2);  // after the interaction was created
    bool ephemeral = false;
    modal_submit_mode modal_submit = modal_submit_mode::defer;
    std::string message = "The bot is having a temporary issue, please try again.";
    std::string support_url;
};

struct state {
    std::string directory = "/var/lib/shardgate";  // empty = memory only
    milliseconds stop_flush = std::chrono::seconds(5);
};

struct admin {
    std::string listen = "127.0.0.1:7600";  // host:port, "unix:/path", empty = off
    secret token;
    secret metrics_token;
    milliseconds ready_grace = std::chrono::seconds(30);
};

struct watchdog {
    bool silence = true;
};

struct logging {
    log::level level = log::level::info;
    log::format format = log::format::text;
};

struct controllers {
    std::string script;
    std::uint64_t call_instructions = 100000;
    milliseconds call_time{2};
    byte_count memory = 16ULL << 20;
};

struct cluster {
    std::string nats_url;
    std::string credentials_file;
    std::string ca_file;
    std::string name = "shardgate";
    std::string node;
    milliseconds lease = std::chrono::seconds(5);
    std::uint32_t partitions = 64;
};

struct settings {
    config::discord discord;
    config::sharding sharding;
    config::resharding resharding;
    config::filter filter;
    config::handler handler;
    config::queue queue;
    config::interactions interactions;
    config::state state;
    config::admin admin;
    config::watchdog watchdog;
    config::logging log;
    config::controllers controllers;
    config::cluster cluster;
};

}  // namespace shardgate::config
