// SPDX-License-Identifier: Apache-2.0
// `shardgate check`: problems for a person, or a summary of what would run. Holds no secret and
// no URL beyond its host.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <ostream>
#include <utility>

#include "config/rules.hpp"
#include "config/url.hpp"
#include "config/values.hpp"
#include "shardgate/base/utf8.hpp"
#include "shardgate/config/cli.hpp"
#include "shardgate/protocol/event_name.hpp"
#include "shardgate/protocol/intents.hpp"

namespace shardgate::config {
namespace {

constexpr int exit_config = 78;  // sysexits.h, EX_CONFIG

void print_problems(const loaded& from, std::ostream& out) {
    for (const problem& p : from.problems)
        out << p.text() << '\n';
}

using texts = std::vector<std::string>;

void print_json(const loaded& from, const texts& warnings, std::ostream& out) {
    boost::json::array problems;
    for (const problem& p : from.problems) {
        boost::json::object one;
        one["file"] = to_valid_utf8(p.file);
        one["line"] = p.line;
        one["column"] = p.column;
        one["key"] = to_valid_utf8(p.key);
        one["what"] = to_valid_utf8(p.what);
        problems.push_back(std::move(one));
    }
    boost::json::object o;
    o["ok"] = from.problems.empty();
    o["problems"] = std::move(problems);
    boost::json::array& sentences = o["warnings"].emplace_array();
    for (const std::string& text : warnings)
        sentences.emplace_back(to_valid_utf8(text));
    out << boost::json::serialize(o) << '\n';
}

std::string privileged(std::uint64_t mask) {
    std::uint64_t found = 0;
    for (const intent& i : known_intents())
        if (i.privileged) found |= mask & (1ULL << i.bit);
    return found == 0 ? std::string() : describe_intents(found);
}

void print_discord(const settings& s, std::ostream& out) {
    const std::uint64_t mask = s.discord.intents;
    out << "  intents: " << (mask == 0 ? "none (interactions only)" : describe_intents(mask))
        << '\n';
    if (const std::string names = privileged(mask); !names.empty())
        out << "  privileged, to be switched on in the developer portal: " << names << '\n';
    out << "  api: " << host_of(s.discord.api_url) << '\n';
}

void print_sharding(const settings& s, std::ostream& out) {
    const sharding& p = s.sharding;
    out << "  shards: " << p.first << " to "
        << (p.last ? std::to_string(*p.last)
                   : (p.total ? std::to_string(*p.total - 1) : std::string("total-1")))
        << " of " << (p.total ? std::to_string(*p.total) : "as many as Discord recommends")
        << ", one IDENTIFY per key every " << format_duration(p.identify_interval) << '\n';
}

std::string place_name(const std::string& url) {
    return has_scheme(url, "unix") ? "a unix socket" : host_of(url);
}

void print_handler(const settings& s, std::ostream& out) {
    out << "  handler:";
    for (const std::string& url : s.handler.urls)
        out << ' ' << place_name(url);
    out << ", up to " << s.handler.connections << " connections each, "
        << (s.handler.authorization.empty() ? "without a secret" : "with a secret")
        << (s.handler.signing_keys.empty() ? "" : ", signed") << '\n';
    out << "  queue: " << s.queue.max_events << " events or " << format_size(s.queue.max_bytes)
        << " in memory";
    if (s.queue.overflow == overflow_policy::spill)
        out << ", then up to " << format_size(s.queue.spill_max_bytes) << " in "
            << s.state.directory;
    out << '\n';
}

// What is allowed, and hardly what anybody wants.
texts doubts(const settings& s) {
    constexpr std::uint64_t message_content = 1ULL << 15;
    texts out;
    if (s.filter.edited_messages == edited_messages_mode::content &&
        (s.discord.intents & message_content) == 0)
        out.emplace_back(
            "filter.edited_messages = \"content\" without the intent MESSAGE_CONTENT: "
            "Discord leaves the content out, so that nearly every edit is dropped");
    return out;
}

// A name this release does not know may be new at Discord, or a typing error.
void print_unknown_events(const settings& s, std::ostream& out) {
    for (const auto* list : {&s.filter.only, &s.filter.drop})
        for (const std::string& name : *list)
            if (find_event(name) == event_id::unknown)
                out << "  filter: " << name << " is no event this release knows by name\n";
}

void print_admin(const settings& s, std::ostream& out) {
    out << "  admin: " << (s.admin.listen.empty() ? std::string("off") : s.admin.listen)
        << (s.admin.token.empty() ? "" : ", with a token") << '\n';
}

}  // namespace

int run_check(const command_line& line, std::ostream& out, const surroundings& around,
              const second_look& look) {
    const loaded result = load_file(line.file, line.over, around);
    texts warnings = result.settings ? doubts(*result.settings) : texts();
    if (result.settings && look)
        for (std::string& text : look(*result.settings))
            warnings.push_back(std::move(text));
    if (line.json) {
        // With --online its findings are the answer, unless there are problems.
        if (!line.online || !result.settings) print_json(result, warnings, out);
        return result.settings ? 0 : exit_config;
    }
    if (!result.settings) {
        print_problems(result, out);
        return exit_config;
    }
    const settings& s = *result.settings;
    out << line.file << ": ok\n";
    print_discord(s, out);
    print_sharding(s, out);
    print_handler(s, out);
    print_unknown_events(s, out);
    print_admin(s, out);
    for (const std::string& text : warnings)
        out << "  warning: " << text << '\n';
    return 0;
}

int run_check(const command_line& line, std::ostream& out, const second_look& look) {
    return run_check(line, out, surroundings::real(), look);
}

std::optional<settings> load_or_explain(const command_line& line, std::ostream& err) {
    loaded result = load_file(line.file, line.over, surroundings::real());
    print_problems(result, err);
    return std::move(result.settings);
}

}  // namespace shardgate::config
