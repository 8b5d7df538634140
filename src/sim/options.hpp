// SPDX-License-Identifier: Apache-2.0
// What the simulator is told at start. Much of it can be changed later over the control port
// (settings.hpp); durations are Discord's, before the clock scale divides them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shardgate/base/time.hpp"
#include "shardgate/protocol/intents.hpp"

namespace shardgate::sim {

using std::chrono::milliseconds;

// When events leave a session's replay ring beside its depth (Discord fact sheet S20).
// At whose seq a session's ring forgets (S20): at no one's, at heartbeats', at heartbeats' and
// RESUME's.
enum class ring_trim : std::uint8_t { none, heartbeat, resume };

struct endpoint_options {
    std::string host = "127.0.0.1";
    std::uint16_t rest = 0;  // 0 = any free port
    std::uint16_t rest_tls = 0;
    std::uint16_t gateway = 0;
    std::uint16_t resume = 0;
    std::uint16_t control = 0;
    std::uint16_t handler = 0;
    std::string handler_listen;  // instead of host and port: "host:port" or "unix:/path"
    bool handler_plain = false;  // takes events without X-Shardgate-… headers too
    std::string handler_secret;  // wanted in Authorization; empty = not checked
    std::vector<std::string> handler_signing_keys;  // a signature by one of them is wanted
    std::string ca_out;
    std::string ready_file;
};

struct world_options {
    std::uint32_t guilds = 100;
    std::uint32_t guild_bytes = 15000;  // mean size of a GUILD_CREATE
    std::uint32_t dms = 20;             // DM channels
    double unavailable = 0;             // share of guilds that are away at start
    bool wide_ids = false;              // some guild ids above 2^63
};

struct gateway_options {
    std::string token = "simulated-token";
    std::uint32_t shards = 0;  // recommended by /gateway/bot; 0 = one per 1,000 guilds
    std::uint32_t max_concurrency = 1;
    std::uint32_t starts_total = 1000;
    std::uint32_t starts_remaining = UINT32_MAX;  // UINT32_MAX = starts_total
    milliseconds starts_window = std::chrono::hours(24);
    bool token_reset = true;           // an IDENTIFY without budget resets the token
    std::uint32_t shard_multiple = 1;  // large-bot sharding
    std::uint32_t guilds_per_shard = 2500;
    std::uint64_t granted_intents = all_intents;
    milliseconds heartbeat_interval{41250};
    milliseconds identify_interval{5000};
    milliseconds identify_tolerance{20};
    milliseconds identify_timeout{60000};
    milliseconds late_invalid_session{0};        // op 9 after a pacing violation comes this late
    std::uint32_t missed_heartbeat_code = 4000;  // 0 = the TCP connection is dropped
    std::uint32_t replay_depth = 0;              // 0 = min(3500, max(100, 75 * guilds))
    milliseconds replay_lifetime{180000};
    ring_trim trim = ring_trim::none;
    milliseconds generic_resume_life{0};  // a resume on the generic URL is dropped after; 0 = off
    std::uint32_t guild_rate = 0;    // GUILD_CREATEs per second and session; 0 = as fast as read
    bool bad_version_http = false;   // unknown v: HTTP 400 instead of close 4012
    std::uint32_t send_limit = 120;  // payloads per 60 s
    std::uint32_t members = 0;       // of a guild, for op 8; 0 = as its GUILD_CREATE says
    milliseconds op7_grace{5000};    // after op 7 the server closes the connection itself
    milliseconds interaction_window{3000};
    milliseconds interaction_life = std::chrono::minutes(15);
    bool check_user_agent = false;        // S3
    std::uint32_t invalid_limit = 10000;  // 401, 403, 429 of a source that get it blocked; 0 = off
    milliseconds invalid_window = std::chrono::minutes(10);
    milliseconds invalid_block = std::chrono::hours(24);
    milliseconds lag{0};  // sessions deliver up to this late, each in its own way; 0 = at once
};

struct encoding_options {
    int zlib_level = 6;
    int zstd_level = 1;
    int zstd_window_log = 18;
    double zlib_split = 0;  // share of payloads spread over several messages
    bool numbers = true;    // "_n" as the last member of d
    bool shuffle_keys = false;
    bool decoys = false;
    double unfurls = 0.3;  // share of messages that get an unfurl
    double edits = 0.2;    // share of messages that get edited
    double partial_updates = 0;
    double duplicates = 0;    // share of events delivered twice
    double gaps = 0;          // share of events that consume an s but are never sent
    double unknown = 0.001;   // share of invented event names
    double repeats = 0;       // chance of an event that is equal by nature to happen again
    double mentions = 0;      // share of messages that mention the bot
    double own_messages = 0;  // share of messages that the bot wrote
};

struct options {
    std::uint64_t seed = 1;
    double scale = 1;
    milliseconds tick{2};
    endpoint_options endpoints;
    world_options world;
    gateway_options gateway;
    encoding_options encoding;

    // One of the simulator's own intervals on this run's clock.
    [[nodiscard]] duration scaled(duration real) const {
        return std::chrono::duration_cast<duration>(std::chrono::duration<double, std::nano>(
            static_cast<double>(std::chrono::nanoseconds(real).count()) / scale));
    }
};

// Parses the command line. nullopt: the program ends with `exit_code` (help, version, an error that
// has been printed).
[[nodiscard]] std::optional<options> parse_options(int argc, const char* const* argv,
                                                   int& exit_code);

}  // namespace shardgate::sim
