// SPDX-License-Identifier: Apache-2.0
#include "admin/dead_letters.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "admin/json_text.hpp"
#include "admin/problem.hpp"
#include "admin/strict.hpp"
#include "admin/views.hpp"
#include "shardgate/base/utf8.hpp"

namespace shardgate::admin {

namespace {

// Every ?key=; an empty one is none, and none would mean all.
std::optional<http_response> read_keys(const target& t, std::vector<std::string>& into) {
    for (const auto& [name, value] : t.parameters) {
        if (name != "key") continue;
        if (value.empty())
            return problem(400,
                           "key is empty; allowed: the key of a dead letter as GET "
                           "/v1/dead-letters shows it.");
        into.push_back(value);
    }
    return std::nullopt;
}

std::optional<http_response> read_limit(const target& t, std::size_t& into) {
    const std::string* const text = t.parameter("limit");
    if (text == nullptr) return std::nullopt;
    const char* const end = text->data() + text->size();
    std::size_t value = 0;
    const auto read = std::from_chars(text->data(), end, value);
    if (read.ec != std::errc{} || read.ptr != end || value == 0 || value > dead_letters_listed_max)
        return problem(400, "limit is " + quote(*text) + "; allowed: a number from 1 to " +
                                std::to_string(dead_letters_listed_max) + ".");
    into = value;
    return std::nullopt;
}

std::optional<http_response> read_payload(const target& t, std::size_t& into) {
    const std::string* const text = t.parameter("payload");
    if (text == nullptr || *text == "0") return std::nullopt;
    if (*text != "1")
        return problem(400, "payload is " + quote(*text) +
                                "; allowed: 1 (show the events' text) "
                                "or 0.");
    into = payload_bytes_max;
    return std::nullopt;
}

// Byte for byte as it is, if it is JSON, so that it can be sent again; else as a string.
void append_payload(std::string& out, std::string_view frame) {
    boost::json::error_code bad;
    const auto parsed = boost::json::parse({frame.data(), frame.size()}, bad);
    if (!bad)
        out += frame;
    else
        append_text(out, boost::json::value(to_valid_utf8(frame)));
}

http_response count(std::string_view what, std::size_t n) {
    boost::json::object body;
    body[{what.data(), what.size()}] = n;
    http_response answer;
    answer.body = to_text(body);
    return answer;
}

http_response wrong_shape(std::string_view what) {
    return problem(422, std::string(what) +
                            R"( Allowed: no body or {} for all, or {"keys":["…"]} with keys as )"
                            "GET /v1/dead-letters shows them.");
}

struct wanted_keys {
    std::optional<http_response> refusal;
    bool all = false;
    std::vector<std::string> keys;
};

wanted_keys refused(http_response why) {
    wanted_keys w;
    w.refusal = std::move(why);
    return w;
}

wanted_keys read_body(std::string_view body) {
    wanted_keys w;
    w.all = true;
    if (is_blank(body)) return w;
    boost::json::error_code bad;
    const boost::json::value v = boost::json::parse({body.data(), body.size()}, bad);
    if (bad) return refused(problem(400, "The body is not JSON: " + bad.message() + "."));
    if (!v.is_object()) return refused(wrong_shape("The body is not an object."));
    for (const auto& member : v.get_object())
        if (member.key() != "keys")
            return refused(wrong_shape("The body has a member " +
                                       quote({member.key().data(), member.key().size()}) + "."));
    const boost::json::value* const keys = v.get_object().if_contains("keys");
    if (keys == nullptr) return w;
    if (!keys->is_array()) return refused(wrong_shape("keys is not an array."));
    w.all = false;
    for (const boost::json::value& key : keys->get_array()) {
        if (!key.is_string() || key.get_string().empty())
            return refused(wrong_shape("keys holds something that is not a key."));
        w.keys.emplace_back(key.get_string().data(), key.get_string().size());
    }
    return w;
}

}  // namespace

http_response list_dead_letters(const daemon_view& view, const target& t) {
    dead_letter_query query;
    query.at_most = dead_letters_listed;
    if (auto no = refuse_others(t, {"limit", "payload", "key"}, "limit, payload, key")) return *no;
    if (auto no = read_limit(t, query.at_most)) return *no;
    if (auto no = read_payload(t, query.payload_bytes)) return *no;
    if (auto no = read_keys(t, query.keys)) return *no;
    http_response answer;
    std::string& out = answer.body;
    out += '[';
    for (const dead_letter_snapshot& letter : view.dead_letters(query)) {
        if (out.size() > 1) out += ',';
        append_text(out, to_json(letter));
        if (query.payload_bytes == 0) continue;
        out.back() = ',';  // in place of the brace
        out += R"("payload":)";
        if (letter.payload)
            append_payload(out, *letter.payload);
        else
            out += "null";
        out += '}';
    }
    out += "]\n";
    return answer;
}

http_response retry_dead_letters(daemon_view& view, const target& t, std::string_view body) {
    if (auto no = refuse_others(t, {}, "none; keys go into the body")) return *no;
    wanted_keys wanted = read_body(body);
    if (wanted.refusal) return std::move(*wanted.refusal);
    // To the view no keys mean all: a script that found nothing to retry must not retry everything.
    if (!wanted.all && wanted.keys.empty()) return count("retried", 0);
    return count("retried", view.retry_dead_letters(wanted.keys));
}

http_response delete_dead_letters(daemon_view& view, const target& t, std::string_view body) {
    if (auto no = refuse_others(t, {"key"}, "key")) return *no;
    std::vector<std::string> keys;
    if (auto no = read_keys(t, keys)) return *no;
    if (!is_blank(body))
        return problem(400,
                       "This call takes no body. Without ?key=… it deletes every dead letter, so "
                       "keys in a body would not be what you mean.");
    return count("deleted", view.delete_dead_letters(keys));
}

}  // namespace shardgate::admin
