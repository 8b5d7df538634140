// SPDX-License-Identifier: Apache-2.0
// Bodies by skipping: strings and brackets are all that must be understood to find a member.
#include "sim/handler_body.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <charconv>

namespace shardgate::sim {
namespace {

bool is_space(char c) noexcept {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

void skip_space(std::string_view text, std::size_t& at) noexcept {
    while (at < text.size() && is_space(text[at]))
        ++at;
}

// From an opening quote to behind the closing one.
void skip_string(std::string_view text, std::size_t& at) noexcept {
    for (++at; at < text.size(); ++at) {
        if (text[at] == '\\') {
            ++at;
        } else if (text[at] == '"') {
            ++at;
            return;
        }
    }
    at = text.size();
}

// Any value, from its first character to behind its last.
std::string_view take_value(std::string_view text, std::size_t& at) noexcept {
    const std::size_t start = at;
    int depth = 0;
    while (at < text.size()) {
        const char c = text[at];
        if (c == '"') {
            skip_string(text, at);
            if (depth == 0) break;
            continue;
        }
        if (c == '{' || c == '[') {
            ++depth;
        } else if (c == '}' || c == ']') {
            if (depth == 0) break;  // of what holds the value
            if (--depth == 0) {
                ++at;
                break;
            }
        } else if (depth == 0 && (c == ',' || is_space(c))) {
            break;
        }
        ++at;
    }
    return text.substr(start, at - start);
}

// A string without its quotes, as it stands.
std::string_view unquoted(std::string_view json) noexcept {
    if (json.size() < 2 || json.front() != '"') return {};
    return json.substr(1, json.size() - 2);
}

std::uint64_t to_number(std::string_view text) noexcept {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

// The frame inside an envelope; the envelope itself when it is raw.
std::string_view frame_of(std::string_view element) noexcept {
    for (const std::string_view name : {"data", "payload", "message"})
        if (const auto inner = member_of(element, name); !inner.empty()) return inner;
    return element;
}

bool read_batch(std::string_view array, std::vector<posted_event>& out) {
    std::size_t at = 1;
    for (;;) {
        skip_space(array, at);
        if (at < array.size() && array[at] == ']') return !out.empty();
        const std::string_view element = take_value(array, at);
        if (element.empty() || element.front() != '{') return false;
        const std::string_view meta = member_of(element, "meta");
        posted_event event;
        event.text = element;
        event.name = unquoted(member_of(frame_of(element), "t"));
        event.key = unquoted(member_of(meta, "key"));
        event.guild = unquoted(member_of(meta, "guild"));
        event.interaction = unquoted(member_of(meta, "interaction"));
        event.attempt = static_cast<std::uint32_t>(to_number(member_of(meta, "attempt")));
        event.shard = member_of(element, "shardId");
        event.n = number_of(element);
        if (event.name.empty() || event.key.empty() || event.attempt == 0) return false;
        out.push_back(event);
        skip_space(array, at);
        if (at < array.size() && array[at] == ',') ++at;
    }
}

// Discord lets lone surrogates through, which Boost.JSON does not: every \ud8… to \udf… becomes
// another character.
std::string without_surrogates(std::string_view json) {
    std::string out(json);
    for (auto at = out.find("\\u"); at != std::string::npos; at = out.find("\\u", at + 2)) {
        if (at + 4 > out.size()) break;
        const bool d = out[at + 2] == 'd' || out[at + 2] == 'D';
        if (d && out[at + 3] >= '8') out[at + 2] = 'e';
    }
    return out;
}

std::string check_element(const boost::json::value& element, const post_head& head, bool batch) {
    const auto* object = element.if_object();
    if (object == nullptr) return "an event is not an object";
    const boost::json::object* frame = object;
    for (const auto* name : {"data", "payload", "message"}) {
        const auto* inner = object->if_contains(name);
        if (inner == nullptr) continue;
        if (!inner->is_object()) return "the envelope holds no object";
        frame = inner->if_object();
        const auto* shard = object->if_contains("shardId");
        if (shard == nullptr || !shard->is_int64()) return "the envelope has no shardId";
        const std::string prefix = std::to_string(shard->get_int64()) + "/";
        if (!batch && !head.shard.starts_with(prefix)) return "shardId is not X-Shardgate-Shard's";
    }
    for (const auto* name : {"op", "t", "s", "d"})
        if (frame->if_contains(name) == nullptr) return std::string("the event has no ") + name;
    const auto* t = frame->at("t").if_string();
    if (t == nullptr) return "t is not a string";
    if (!batch && head.event != std::string_view(t->data(), t->size()))
        return "t is not X-Shardgate-Event";
    if (batch && object->if_contains("meta") == nullptr) return "a batch's event has no meta";
    return {};
}

}  // namespace

std::string_view member_of(std::string_view object, std::string_view name) noexcept {
    std::size_t at = 0;
    skip_space(object, at);
    if (at >= object.size() || object[at] != '{') return {};
    ++at;
    while (at < object.size()) {
        skip_space(object, at);
        if (at >= object.size() || object[at] != '"') return {};
        const std::size_t start = at + 1;
        skip_string(object, at);
        const bool found = object.substr(start, at - start - 1) == name;
        skip_space(object, at);
        if (at >= object.size() || object[at] != ':') return {};
        ++at;
        skip_space(object, at);
        const std::string_view value = take_value(object, at);
        if (found) return value;
        skip_space(object, at);
        if (at >= object.size() || object[at] != ',') return {};
        ++at;
    }
    return {};
}

std::uint64_t number_of(std::string_view json) noexcept {
    constexpr std::string_view member = R"("_n":)";
    const auto at = json.rfind(member);
    return at == std::string_view::npos ? 0 : to_number(json.substr(at + member.size()));
}

bool read_events(const post& request, std::vector<posted_event>& out) {
    out.clear();
    const std::string_view body = request.body;
    if (body.size() < 2) return false;
    if (body.front() == '[') return body.back() == ']' && read_batch(body, out);
    const post_head& head = request.head;
    if (body.front() != '{' || body.back() != '}') return false;
    if (head.key.empty() || head.event.empty() || head.shard.empty() || head.attempt == 0)
        return false;
    posted_event event;
    event.name = head.event;
    event.key = head.key;
    event.shard = head.shard;
    event.guild = head.guild;
    event.interaction = head.interaction;
    event.attempt = head.attempt;
    event.text = body;
    event.n = number_of(body);
    out.push_back(event);
    return true;
}

bool read_plain(const post& request, std::vector<posted_event>& out) {
    out.clear();
    const std::string_view body = request.body;
    if (body.size() < 2 || body.front() != '{' || body.back() != '}') return false;
    posted_event event;
    event.name = unquoted(member_of(frame_of(body), "t"));
    event.shard = member_of(body, "shardId");
    event.text = body;
    event.n = number_of(body);
    if (event.name.empty()) return false;
    out.push_back(event);
    return true;
}

std::string check_body(const post& request) {
    if (request.head.content_type != "application/json") return "Content-Type is not JSON";
    if (request.head.traceparent.size() != 55) return "traceparent is missing or wrong";
    boost::json::error_code ec;
    boost::json::parse_options options;
    options.max_depth = 512;
    options.allow_invalid_utf8 = true;
    const std::string body = without_surrogates(request.body);
    const auto value =
        boost::json::parse(boost::json::string_view(body.data(), body.size()), ec, {}, options);
    if (ec) return "the body is not JSON: " + ec.message();
    const auto* array = value.if_array();
    if (array == nullptr) return check_element(value, request.head, false);
    for (const auto& element : *array)
        if (auto problem = check_element(element, request.head, true); !problem.empty())
            return problem;
    return {};
}

}  // namespace shardgate::sim
