// SPDX-License-Identifier: Apache-2.0
// The command line of shardgate-sim.
#include "sim/options.hpp"

#include <CLI/CLI.hpp>
#include <map>

namespace shardgate::sim {

namespace {

// A number with a unit of milliseconds; CLI11 has no chrono.
void add_ms(CLI::App& app, const std::string& name, milliseconds& into, const std::string& what) {
    app.add_option_function<std::int64_t>(
           name, [&into](std::int64_t v) { into = milliseconds(v); },
           what + " (ms, default " + std::to_string(into.count()) + ")")
        ->check(CLI::NonNegativeNumber);
}

void add_endpoints(CLI::App& app, endpoint_options& o) {
    app.add_option("--host", o.host, "address to listen on")->capture_default_str();
    app.add_option("--rest-port", o.rest, "plain HTTP REST (0 = any free port)");
    app.add_option("--rest-tls-port", o.rest_tls, "REST over TLS");
    app.add_option("--gateway-port", o.gateway, "gateway");
    app.add_option("--resume-port", o.resume, "gateway of READY's resume URL");
    app.add_option("--control-port", o.control, "control API");
    app.add_option("--handler-port", o.handler, "event handler");
    app.add_option("--handler-listen", o.handler_listen,
                   "event handler's address instead of host and port: host:port or unix:/path");
    app.add_option("--handler-secret", o.handler_secret,
                   "the event handler wants it in Authorization");
    app.add_flag("--handler-plain", o.handler_plain,
                 "the event handler takes other programs' events too, without headers about them");
    app.add_option("--handler-signing-key", o.handler_signing_keys,
                   "the event handler wants requests signed by it (or by one of several)");
    app.add_option("--ca-out", o.ca_out, "file to write the CA certificate (PEM) to");
    app.add_option("--ready-file", o.ready_file, "file to write the ready line to as well");
}

void add_world(CLI::App& app, world_options& o) {
    app.add_option("--guilds", o.guilds, "guilds of the world")->capture_default_str();
    app.add_option("--guild-bytes", o.guild_bytes, "mean size of a GUILD_CREATE")
        ->check(CLI::Range(1000, 4000000))
        ->capture_default_str();
    app.add_option("--dms", o.dms, "direct message channels")->capture_default_str();
    app.add_option("--unavailable", o.unavailable, "share of guilds that are away at start")
        ->check(CLI::Range(0.0, 1.0));
    app.add_flag("--wide-ids", o.wide_ids, "every tenth guild id is above 2^63");
}

void add_gateway(CLI::App& app, gateway_options& o) {
    app.add_option("--token", o.token, "the bot's token")->capture_default_str();
    app.add_option("--shards", o.shards, "recommended shard count (0 = one per 1,000 guilds)");
    app.add_option("--max-concurrency", o.max_concurrency, "identify keys")
        ->check(CLI::Range(1, 1024))
        ->capture_default_str();
    app.add_option("--starts-total", o.starts_total, "session starts per window")
        ->capture_default_str();
    app.add_option("--starts-remaining", o.starts_remaining, "session starts left at start");
    add_ms(app, "--starts-window", o.starts_window, "session start window");
    app.add_flag("--token-reset,!--no-token-reset", o.token_reset,
                 "an IDENTIFY without budget resets the token (default on)");
    app.add_option("--shard-multiple", o.shard_multiple, "shard counts must be a multiple of this")
        ->check(CLI::PositiveNumber);
    app.add_option("--guilds-per-shard", o.guilds_per_shard, "more are refused with 4011")
        ->capture_default_str();
    app.add_option("--granted-intents", o.granted_intents, "intents granted to the bot (mask)");
    add_ms(app, "--heartbeat-interval", o.heartbeat_interval, "HELLO's heartbeat_interval");
    add_ms(app, "--identify-interval", o.identify_interval, "between IDENTIFYs of a key");
    add_ms(app, "--identify-tolerance", o.identify_tolerance, "tolerance of that interval");
    add_ms(app, "--identify-timeout", o.identify_timeout, "HELLO to IDENTIFY or RESUME");
    add_ms(app, "--late-invalid-session", o.late_invalid_session,
           "op 9 after a pacing violation comes this late");
    app.add_option("--missed-heartbeat-code", o.missed_heartbeat_code,
                   "close code after 1.5 silent intervals; 0 = drop the TCP connection")
        ->capture_default_str();
    app.add_option("--replay-depth", o.replay_depth,
                   "events kept per session; 0 = min(3500, max(100, 75 * guilds))");
    add_ms(app, "--replay-lifetime", o.replay_lifetime, "a session lives after its connection");
    app.add_option("--trim", o.trim,
                   "what trims the replay ring beside its depth; resume: heartbeats too")
        ->transform(CLI::CheckedTransformer(
            std::map<std::string, ring_trim>{{"none", ring_trim::none},
                                             {"heartbeat", ring_trim::heartbeat},
                                             {"resume", ring_trim::resume}}));
    add_ms(app, "--generic-resume-life", o.generic_resume_life,
           "a resume on the generic URL is dropped after this; 0 = never");
    app.add_option("--guild-rate", o.guild_rate,
                   "GUILD_CREATEs per second and session; 0 = as fast as the client reads");
    app.add_flag("--bad-version-http", o.bad_version_http,
                 "an unknown v is answered with HTTP 400 instead of close 4012");
    app.add_option("--send-limit", o.send_limit, "payloads a client may send in 60 s")
        ->capture_default_str();
    app.add_option("--members", o.members,
                   "members of each guild for op 8; 0 = as its GUILD_CREATE says");
    add_ms(app, "--op7-grace", o.op7_grace, "op 7 to the server's own close");
    add_ms(app, "--interaction-window", o.interaction_window, "time for an interaction's answer");
    add_ms(app, "--lag", o.lag,
           "each session delivers its dispatches up to this late, in its own, changing way");
    app.add_flag("--check-user-agent", o.check_user_agent,
                 "REST answers 403/40333 without a DiscordBot user agent");
    app.add_option("--invalid-limit", o.invalid_limit,
                   "REST answers 401, 403 and 429 that get a source blocked; 0 = never")
        ->capture_default_str();
    add_ms(app, "--invalid-window", o.invalid_window, "those of this time are counted");
    add_ms(app, "--invalid-block", o.invalid_block, "such a source stays blocked");
}

void add_encoding(CLI::App& app, encoding_options& o) {
    app.add_option("--zlib-level", o.zlib_level, "")->check(CLI::Range(0, 9));
    app.add_option("--zstd-level", o.zstd_level, "negative = faster and larger")
        ->check(CLI::Range(-100, 19))
        ->capture_default_str();
    app.add_option("--zstd-window-log", o.zstd_window_log, "")
        ->check(CLI::Range(17, 21))
        ->capture_default_str();
    const auto share = [&](const std::string& name, double& into, const std::string& what) {
        app.add_option(name, into, what)->check(CLI::Range(0.0, 1.0))->capture_default_str();
    };
    share("--zlib-split", o.zlib_split, "share of payloads spread over several messages");
    share("--unfurls", o.unfurls, "share of messages that get a link unfurl");
    share("--edits", o.edits, "share of messages that are edited");
    share("--partial-updates", o.partial_updates, "share of unfurls that are partial objects");
    share("--duplicates", o.duplicates, "share of events delivered twice");
    share("--gaps", o.gaps, "share of events that use up an s and are never sent");
    share("--repeats", o.repeats,
          "chance of typing, presence and reaction events to happen again, equal, within 4 s");
    share("--unknown", o.unknown, "share of invented event names");
    share("--mentions", o.mentions, "share of messages that mention the bot");
    share("--own-messages", o.own_messages, "share of messages that the bot itself wrote");
    app.add_flag("--numbers,!--no-numbers", o.numbers, "\"_n\" as last member of d (default on)");
    app.add_flag("--shuffle-keys", o.shuffle_keys, "any order of the envelope's keys");
    app.add_flag("--decoys", o.decoys, "misleading keys and strings inside d");
}

}  // namespace

std::optional<options> parse_options(int argc, const char* const* argv, int& exit_code) {
    options parsed;
    CLI::App app(
        "A Discord simulator: REST, gateway over TLS, load, faults, and an event handler "
        "that checks what arrives. See docs/simulator.md.");
    app.add_option("--seed", parsed.seed, "names the run's randomness")->capture_default_str();
    app.add_option("--scale", parsed.scale, "divides the simulator's own intervals")
        ->check(CLI::Range(0.01, 10000.0))
        ->capture_default_str();
    add_ms(app, "--tick", parsed.tick, "grain of load and timers");
    add_endpoints(app, parsed.endpoints);
    add_world(app, parsed.world);
    add_gateway(app, parsed.gateway);
    add_encoding(app, parsed.encoding);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        const bool asked = e.get_exit_code() == 0;
        app.exit(e);
        exit_code = asked ? 0 : 64;  // EX_USAGE
        return std::nullopt;
    }
    if (parsed.tick.count() == 0) parsed.tick = milliseconds(1);
    return parsed;
}

}  // namespace shardgate::sim
