// SPDX-License-Identifier: Apache-2.0
#include "config/cli_admin.hpp"

#include <charconv>
#include <cstdint>
#include <string>

#include "config/rules.hpp"
#include "config/text.hpp"

namespace shardgate::config {
namespace {

// As long as the longest idempotency key; more is no key.
constexpr std::size_t max_key = 160;

std::string check_key(const std::string& key) {
    if (!key.empty() && key.size() <= max_key && is_visible_ascii(key)) return {};
    return "wants keys as \"shardgate queue dead-letters\" shows them";
}

// Goes into a request's target as it is.
std::string check_event_name(const std::string& name) {
    std::string text = name;
    const std::string wrong = event_name_rule(text);
    return wrong.empty() && !name.empty() ? std::string() : "wants an event's name, MESSAGE_CREATE";
}

// What can be a number of shards is for the daemon to say.
std::string check_shards(const std::string& text) {
    if (text == "auto") return {};
    std::uint32_t n = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, n);
    if (read.ec == std::errc{} && read.ptr == end && n > 0) return {};
    return "wants a number of shards, or auto";
}

void add_keys(CLI::App& at, admin_options& into, const char* about) {
    at.add_option("KEY", into.keys, about)->type_name("")->check(CLI::Validator(check_key, ""));
}

}  // namespace

admin_verbs::verb& admin_verbs::add(CLI::App& parent, command what, const char* name,
                                    const char* about) {
    verb& v = verbs_.emplace_back();
    v.at = parent.add_subcommand(name, about);
    v.what = what;
    v.at->add_option("--url", v.given.url,
                     "the daemon's admin address, http://HOST:PORT or unix:/PATH (default: $" +
                         std::string(admin_url_variable) + ", else " +
                         std::string(default_admin_url) + ")")
        ->type_name("URL");
    v.at->add_option("--token-file", v.given.token_file,
                     "file with the admin token, if the daemon has one")
        ->type_name("FILE");
    v.at->add_flag("--json", v.given.json, "the daemon's answer as it is, for scripts");
    v.at->footer(
        "Waits at most 10 s for the daemon. Exit codes: 0 done, 64 usage, 69 the daemon cannot be "
        "reached or refuses.");
    return v;
}

void admin_verbs::add_queue(CLI::App& app) {
    const verb& queue = add(app, command::queue, "queue",
                            "what waits for the handler, and the events it refused (dead "
                            "letters). Ages in seconds, sizes in bytes (KiB = 1024)");
    queue.at->require_subcommand(0, 1);

    verb& list = add(*queue.at, command::list_dead_letters, "dead-letters",
                     "the events the handler refused, oldest first. Times in UTC, sizes in bytes");
    list.at->add_option("--limit", list.given.limit, "at most so many, 1 to 1000")
        ->type_name("N")
        ->capture_default_str()
        ->check(CLI::Range(1U, 1000U));
    list.at->add_flag("--payload", list.given.payload,
                      "with the events' text, up to 8 MiB in all. It holds what users wrote, and "
                      "interaction tokens");

    verb& retry = add(*queue.at, command::retry_dead_letters, "retry",
                      "put dead letters back into the queue: those named, else all");
    add_keys(*retry.at, retry.given, "which; none = all");

    verb& remove = add(*queue.at, command::delete_dead_letters, "delete",
                       "delete dead letters: those named, else all");
    add_keys(*remove.at, remove.given, "which; none = all, which asks first");
    remove.at->add_flag("--yes", remove.given.yes,
                        "delete all without asking; needed where nobody can be asked");
}

void admin_verbs::add_reshard(CLI::App& app) {
    verb& v = add(app, command::reshard, "reshard",
                  "change the number of shards without a gap; without N: how the resharding that "
                  "runs, or ran last, goes");
    const CLI::Validator number(check_shards, "");
    CLI::Option* const shards =
        v.at->add_option("N", v.given.shards, "shards to have, or auto: what Discord recommends")
            ->type_name("N|auto")
            ->check(number);
    CLI::Option* const dry = v.at->add_flag("--dry-run", v.given.dry_run,
                                            "only say what it would cost (session starts), how "
                                            "long it would take, or what forbids it");
    CLI::Option* const wait = v.at->add_flag(
        "--wait", v.given.wait,
        "stay until it has ended; interrupting this command does not interrupt the resharding");
    CLI::Option* const abort =
        v.at->add_flag("--abort", v.given.abort,
                       "call off the one that runs: the old shards carry on. Too late once they "
                       "are being retired");
    dry->needs(shards)->excludes(wait);
    abort->excludes(shards)->excludes(dry);
    v.at->footer(
        "Waits at most 70 s for the daemon, which asks Discord first. Exit codes: 0 begun, planned "
        "or aborting (with --wait: done, or aborted), 64 usage, 69 the daemon cannot be reached, "
        "refuses, or (with --wait) it ended otherwise.");
}

void admin_verbs::add_send(CLI::App& app) {
    verb& v =
        add(app, command::send, "send",
            "send a gateway command (ops 3, 4, 8, 31, 43) through the daemon: to the shard of "
            "its d.guild_id, a presence without one to every shard");
    v.at->add_option("--shard", v.given.shard, "to this shard instead")->type_name("ID");
    v.at->add_option("JSON", v.given.payload_text,
                     R"(the payload, {"op":3,"d":{...}}, at most 4096 bytes; - = standard input)")
        ->required()
        ->type_name("");
}

void admin_verbs::add_tail(CLI::App& app) {
    verb& v = add(app, command::tail, "tail",
                  "events as they go to the handler, until interrupted. Times in UTC, sizes in "
                  "bytes. Never slows the daemon: who reads too slowly misses some, and is told");
    v.at->add_option("--type", v.given.types, "only events of this name; may be repeated")
        ->type_name("NAME")
        ->check(CLI::Validator(check_event_name, ""));
    v.at->add_option("--guild", v.given.guilds, "only of this guild; may be repeated")
        ->type_name("ID");
    v.at->add_option("--shard", v.given.shard, "only of this shard")->type_name("ID");
    v.at->add_flag("--payload", v.given.payload,
                   "with what they say: it holds what users wrote. Tokens are withheld");
    v.at->footer(
        "Exit codes: 0 the daemon stopped, 64 usage, 69 the daemon cannot be reached or refuses.");
}

admin_verbs::admin_verbs(CLI::App& app) {
    verb& status =
        add(app, command::status, "status",
            "shards, handler, queue and storage of a running daemon. Latencies in milliseconds, "
            "ages in seconds, sizes in bytes (KiB = 1024)");
    status.at->add_flag("--watch", status.given.watch, "again every 2 s, until interrupted");
    add_queue(app);
    add_reshard(app);
    add(app, command::reload, "reload",
        "make the daemon read its configuration again; says what was applied, and what waits for a "
        "restart. A file with errors changes nothing");
    add_send(app);
    add_tail(app);
}

std::optional<std::pair<command, admin_options>> admin_verbs::parsed() const {
    // The innermost: "queue retry" has parsed both; what was said before the inner verb holds for
    // it.
    const verb* outer = nullptr;
    const verb* inner = nullptr;
    for (const verb& v : verbs_) {
        if (!v.at->parsed()) continue;
        outer = inner;
        inner = &v;
    }
    if (inner == nullptr) return std::nullopt;
    std::pair<command, admin_options> call{inner->what, inner->given};
    if (outer == nullptr) return call;
    admin_options& o = call.second;
    if (o.url.empty()) o.url = outer->given.url;
    if (o.token_file.empty()) o.token_file = outer->given.token_file;
    o.json = o.json || outer->given.json;
    return call;
}

}  // namespace shardgate::config
