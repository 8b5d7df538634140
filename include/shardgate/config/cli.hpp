// SPDX-License-Identifier: Apache-2.0
// The command line: which command, which file, what overrides the file.
// Owner: main. No CLI11 in here.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shardgate/config/config.hpp"
#include "shardgate/config/load.hpp"

namespace shardgate::config {

enum class command : std::uint8_t {
    run,
    check,
    // The admin client's:
    status,
    queue,
    list_dead_letters,
    retry_dead_letters,
    delete_dead_letters,
    reshard,
    reload,
    send,
    tail,
};

// What the admin client is asked to do, and where.
struct admin_options {
    std::string url;         // empty: the environment's, else the default
    std::string token_file;  // empty: none
    bool json = false;       // the daemon's answer as it is
    std::uint32_t limit = 100;
    bool payload = false;
    bool yes = false;               // do not ask
    std::vector<std::string> keys;  // of dead letters; empty = all

    // To reshard: a number, "auto", or empty: how the one that runs goes.
    std::string shards;
    bool dry_run = false;
    bool wait = false;
    bool abort = false;

    bool watch = false;                  // status, again and again
    std::optional<std::uint32_t> shard;  // to send to, or to see events of
    std::string payload_text;            // to send: {"op":…,"d":…}; "-" = from standard input
    std::vector<std::string> types;      // of events to see; empty = all
    std::vector<std::uint64_t> guilds;
};

// Where the admin client looks when it is not told.
inline constexpr std::string_view admin_url_variable = "SHARDGATE_ADMIN_URL";
inline constexpr std::string_view default_admin_url = "http://127.0.0.1:7600";

struct command_line {
    command what = command::run;
    std::string file;
    bool online = false;  // check: Discord's API and the handler too
    bool json = false;    // check
    overrides over;       // --set and its short forms, in the order of the schema's precedence
    admin_options admin;
};

[[nodiscard]] constexpr bool is_admin_call(command c) noexcept {
    return c != command::run && c != command::check;
}

struct command_line_result {
    command_line line;             // when there is no exit code
    std::optional<int> exit_code;  // 0: help or version was printed; 64: wrong usage, said why
};

// Help and version go to `out`, complaints to `err`. Never throws for what the user typed.
[[nodiscard]] command_line_result parse_command_line(int argc, const char* const* argv,
                                                     std::ostream& out, std::ostream& err);

// What a person should know of settings that have no problem: a sentence each.
using second_look = std::function<std::vector<std::string>(const settings&)>;

// `check`: prints every problem, or "FILE: ok", what would run and what `look` finds. 0 or 78.
[[nodiscard]] int run_check(const command_line& line, std::ostream& out,
                            const second_look& look = {});
[[nodiscard]] int run_check(const command_line& line, std::ostream& out, const surroundings& around,
                            const second_look& look = {});

// `run`: the settings, or every problem on `err` and nothing.
[[nodiscard]] std::optional<settings> load_or_explain(const command_line& line, std::ostream& err);

// Version, build type, git revision, and the versions of the libraries built against.
[[nodiscard]] std::string version_text();
// "0.1.0" and "1a2b3c4" ("unknown" outside a git checkout), for status answers and user agents.
[[nodiscard]] std::string version_number();
[[nodiscard]] std::string version_revision();

}  // namespace shardgate::config
