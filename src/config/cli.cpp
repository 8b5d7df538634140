// SPDX-License-Identifier: Apache-2.0
// The command line by CLI11: the daemon's commands. Those of the admin client: cli_admin.cpp.
#include "shardgate/config/cli.hpp"

#include <CLI/CLI.hpp>
#include <ostream>
#include <utility>
#include <vector>

#include "config/cli_admin.hpp"
#include "config/entry.hpp"
#include "config/syntax.hpp"

namespace shardgate::config {
namespace {

constexpr int exit_usage = 64;  // sysexits.h, EX_USAGE

struct typed {
    std::string file;
    std::vector<std::string> log_level, log_format, admin_listen, set;
};

// TOML as it is; a bare word, which no shell user wants to quote twice, as text.
std::string value_text(const std::string& given) {
    const bool looks_like_toml =
        !given.empty() && std::string_view("\"'[{").find(given.front()) != std::string_view::npos;
    if (looks_like_toml || parse_value(given).table) return given;
    return toml_text(given);
}

std::string check_assignment(const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos && equals != 0) return {};
    return "wants KEY=VALUE, for example log.level=debug";
}

void add_options(CLI::App& verb, typed& into) {
    verb.add_option("-c,--config", into.file, "configuration file (TOML)")
        ->required()
        ->type_name("FILE");
    verb.add_option("--log-level", into.log_level,
                    "trace, debug, info, warn, error or off (log.level)")
        ->expected(1)
        ->type_name("LEVEL");
    verb.add_option("--log-format", into.log_format, "text or json (log.format)")
        ->expected(1)
        ->type_name("FORMAT");
    verb.add_option("--admin-listen", into.admin_listen,
                    "host:port, \"unix:/path\" or \"\" for off (admin.listen)")
        ->expected(1)
        ->type_name("ADDRESS");
    verb.add_option("--set", into.set,
                    "any key of the file, over file and environment; may be repeated. VALUE is "
                    "TOML or a bare word; durations and sizes with their unit: "
                    "handler.timeout=5s, queue.max_bytes=1GiB, filter.drop='[\"TYPING_START\"]'")
        ->expected(1)
        ->allow_extra_args(false)
        ->take_all()
        ->type_name("KEY=VALUE")
        ->check(CLI::Validator(check_assignment, ""));
}

overrides overrides_of(const typed& from) {
    overrides over;
    for (const std::string& assignment : from.set) {
        const std::size_t equals = assignment.find('=');
        over.emplace_back(assignment.substr(0, equals), value_text(assignment.substr(equals + 1)));
    }
    const auto add = [&over](const char* key, const std::vector<std::string>& values) {
        if (!values.empty()) over.emplace_back(key, toml_text(values.back()));
    };
    add("log.level", from.log_level);
    add("log.format", from.log_format);
    add("admin.listen", from.admin_listen);
    return over;
}

}  // namespace

command_line_result parse_command_line(int argc, const char* const* argv, std::ostream& out,
                                       std::ostream& err) {
    CLI::App app(
        "Gateway proxy daemon for Discord bots: holds the shards, filters their events "
        "and posts them to the bot's HTTP handler.",
        "shardgate");
    app.set_version_flag("--version", version_text(),
                         "version, build type, git revision and library versions");
    app.require_subcommand(1);
    app.footer(
        "Exit codes: 0 stopped on request or done, 64 usage, 69 Discord refuses for good, or the "
        "daemon cannot be asked, 78 bad configuration.");

    typed given;
    CLI::App* const run = app.add_subcommand("run", "run the daemon in the foreground");
    CLI::App* const check =
        app.add_subcommand("check",
                           "validate the file, print every problem; exit 0 or 78. With --online "
                           "also 69: something would keep the daemon from its work");
    bool online = false, json = false;
    check->add_flag("--online", online,
                    "ask Discord's API and the handler too: token, privileged intents, session "
                    "starts, shards, file descriptors, time until every shard is ready. Starts no "
                    "session; each handler URL gets a SHARDGATE_CHECK event. At most 30 s");
    check->add_flag("--json", json, "for scripts");
    add_options(*run, given);
    add_options(*check, given);
    admin_verbs admin(app);

    command_line_result parsed;
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        parsed.exit_code = app.exit(e, out, err) == 0 ? 0 : exit_usage;
        return parsed;
    }
    if (auto call = admin.parsed()) {
        parsed.line.what = call->first;
        parsed.line.admin = std::move(call->second);
        return parsed;
    }
    parsed.line.what = check->parsed() ? command::check : command::run;
    parsed.line.online = online;
    parsed.line.json = json;
    parsed.line.file = given.file;
    parsed.line.over = overrides_of(given);
    return parsed;
}

}  // namespace shardgate::config
