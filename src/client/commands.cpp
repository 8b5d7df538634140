// SPDX-License-Identifier: Apache-2.0
#include "client/commands.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <istream>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "client/colours.hpp"
#include "client/fields.hpp"
#include "client/reload.hpp"
#include "client/render.hpp"
#include "client/reshard.hpp"
#include "client/send.hpp"
#include "client/session.hpp"
#include "client/tail.hpp"

namespace shardgate::client {

namespace {

using config::admin_options;

// A request's head is bounded at the daemon's side (8 KiB), its body too (64 KiB).
constexpr std::size_t keys_in_target = 4096;
constexpr std::size_t keys_in_body = 200;
constexpr std::chrono::seconds between_looks{2};

int show_queue(const session& s) {
    const auto queue = answer_of(s, {"GET", "/v1/queue", ""}, boost::json::kind::object);
    if (!queue) return exit_unavailable;
    s.at.out << (s.options.json ? queue->text : render_queue(queue->json.get_object()));
    return exit_done;
}

// Once.
int show_status(const session& s, bool clear) {
    const auto status = answer_of(s, {"GET", "/v1/status", ""}, boost::json::kind::object);
    if (!status) return exit_unavailable;
    if (s.options.json) {
        s.at.out << status->text;
        return exit_done;
    }
    const auto shards = answer_of(s, {"GET", "/v1/shards", ""}, boost::json::kind::array);
    if (!shards) return exit_unavailable;
    const std::string text = render_status(status->json.get_object(), shards->json.get_array());
    if (clear) s.at.out << clear_screen;
    s.at.out << (s.at.colours ? coloured(text) : text) << std::flush;
    return exit_done;
}

int watch_status(const session& s) {
    for (bool first = true;; first = false) {
        if (!first && !s.at.colours && !s.options.json) s.at.out << '\n';
        if (const int end = show_status(s, s.at.colours && !s.options.json); end != exit_done)
            return end;
        if (!s.at.out) return exit_done;  // nobody reads any more
        s.with.pause(between_looks);
    }
}

int show_dead_letters(const session& s) {
    const std::string target = "/v1/dead-letters?limit=" + std::to_string(s.options.limit) +
                               (s.options.payload ? "&payload=1" : "");
    const auto letters = answer_of(s, {"GET", target, ""}, boost::json::kind::array);
    if (!letters) return exit_unavailable;
    s.at.out << (s.options.json ? letters->text : render_dead_letters(letters->json.get_array()));
    return exit_done;
}

// RFC 3986 section 2.3: everything else is escaped.
std::string escaped(std::string_view key) {
    constexpr std::string_view hex = "0123456789ABCDEF";
    std::string out;
    for (const char c : key) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
        const auto byte = static_cast<unsigned char>(c);
        if (plain)
            out += c;
        else
            out += {'%', hex[byte / 16], hex[byte % 16]};
    }
    return out;
}

std::vector<admin_call> retry_calls(const std::vector<std::string>& keys) {
    const std::string target = "/v1/dead-letters/retry";
    if (keys.empty()) return {{"POST", target, "{}"}};
    std::vector<admin_call> calls;
    for (std::size_t from = 0; from < keys.size(); from += keys_in_body) {
        boost::json::array some;
        for (std::size_t i = from; i < std::min(keys.size(), from + keys_in_body); ++i)
            some.emplace_back(keys[i]);
        boost::json::object body;
        body["keys"] = std::move(some);
        calls.push_back({"POST", target, boost::json::serialize(body)});
    }
    return calls;
}

std::vector<admin_call> delete_calls(const std::vector<std::string>& keys) {
    std::vector<admin_call> calls{{"DELETE", "/v1/dead-letters", ""}};
    for (const std::string& key : keys) {
        const std::string parameter = "key=" + escaped(key);
        std::string* target = &calls.back().target;
        if (target->size() + parameter.size() > keys_in_target) {
            calls.push_back({"DELETE", "/v1/dead-letters", ""});
            target = &calls.back().target;
        }
        *target += (target->find('?') == std::string::npos ? '?' : '&') + parameter;
    }
    return calls;
}

// Makes the calls and adds up what they did. `word` is "retried" or "deleted".
int change(const session& s, const std::vector<admin_call>& calls, std::size_t wanted,
           const char* word) {
    std::uint64_t done = 0;
    for (const admin_call& call : calls) {
        const auto answer = answer_of(s, call, boost::json::kind::object);
        if (!answer) {
            if (done > 0) s.at.err << "shardgate: before that " << done << " were " << word << '\n';
            return exit_unavailable;
        }
        done += count_of(answer->json.get_object(), word);
    }
    if (s.options.json) {
        boost::json::object sum;
        sum[word] = done;
        s.at.out << boost::json::serialize(sum) << '\n';
    } else {
        s.at.out << done << ' ' << word << '\n';
    }
    if (wanted <= done) return exit_done;
    s.at.err << "shardgate: " << wanted - done << " of " << wanted
             << " keys are of no dead letter\n";
    return exit_unavailable;
}

std::vector<std::string> distinct(const std::vector<std::string>& keys) {
    std::set<std::string> seen;
    std::vector<std::string> out;
    for (const std::string& key : keys)
        if (seen.insert(key).second) out.push_back(key);
    return out;
}

int retry(const session& s) {
    const std::vector<std::string> keys = distinct(s.options.keys);
    return change(s, retry_calls(keys), keys.size(), "retried");
}

// An exit code when nothing is to be deleted.
std::optional<int> ask_first(const session& s) {
    if (!s.at.interactive) {
        s.at.err << "shardgate: this would delete every dead letter; name keys, or say --yes\n";
        return exit_usage;
    }
    const auto queue = answer_of(s, {"GET", "/v1/queue", ""}, boost::json::kind::object);
    if (!queue) return exit_unavailable;
    const std::uint64_t n = count_of(queue->json.get_object(), "dead_letters");
    if (n == 0) {
        s.at.out << "no dead letters\n";
        return exit_done;
    }
    s.at.err << "Delete "
             << (n == 1 ? "the only dead letter" : "all " + std::to_string(n) + " dead letters")
             << "? They cannot be brought back. [y/N] " << std::flush;
    std::string answer;
    std::getline(s.at.in, answer);
    if (answer == "y" || answer == "Y" || answer == "yes") return std::nullopt;
    s.at.err << "nothing deleted\n";
    return exit_done;
}

int remove(const session& s) {
    if (s.options.keys.empty() && !s.options.yes)
        if (const std::optional<int> end = ask_first(s)) return *end;
    const std::vector<std::string> keys = distinct(s.options.keys);
    return change(s, delete_calls(keys), keys.size(), "deleted");
}

}  // namespace

int run_command(config::command what, const admin_options& options, const tools& with,
                const terminal& at) {
    const session s{with, at, options};
    switch (what) {
    case config::command::status: return options.watch ? watch_status(s) : show_status(s, false);
    case config::command::queue: return show_queue(s);
    case config::command::list_dead_letters: return show_dead_letters(s);
    case config::command::retry_dead_letters: return retry(s);
    case config::command::delete_dead_letters: return remove(s);
    case config::command::reshard: return reshard(s);
    case config::command::reload: return reload(s);
    case config::command::send: return send(s);
    case config::command::tail: return tail(s);
    case config::command::run:
    case config::command::check: break;
    }
    return exit_usage;  // not ours: run_admin_call() is not asked for these
}

}  // namespace shardgate::client
