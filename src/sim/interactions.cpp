// SPDX-License-Identifier: Apache-2.0
#include "sim/interactions.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "sim/json_text.hpp"
#include "sim/payloads.hpp"

namespace shardgate::sim {

namespace {

namespace json = boost::json;

callback_reply error(unsigned status, int code, std::string_view message) {
    json::object body;
    body["message"] = message;
    body["code"] = code;
    return {status, json::serialize(body)};
}

callback_reply bad_body(std::string_view field, std::string_view why) {
    json::object entry;
    entry["code"] = "BASE_TYPE_CHOICES";
    entry["message"] = why;
    json::object errors;
    errors[field] = json::object{{"_errors", json::array{entry}}};
    json::object body;
    body["message"] = "Invalid Form Body";
    body["code"] = 50035;
    body["errors"] = errors;
    return {400, json::serialize(body)};
}

double ms_between(time_point a, time_point b) {
    return std::chrono::duration<double, std::milli>(b - a).count();
}

// Autocomplete answers carry 0 to 25 choices (Discord docs, Autocomplete).
bool choices_ok(const json::object& body) {
    const json::value* data = body.if_contains("data");
    if (!data || !data->is_object()) return false;
    const json::value* choices = data->get_object().if_contains("choices");
    return choices && choices->is_array() && choices->get_array().size() <= 25;
}

}  // namespace

bool may_answer(std::uint32_t callback, std::uint32_t interaction, bool from_component) noexcept {
    const bool command = interaction == 2;
    const bool component = interaction == 3;
    const bool modal = interaction == 5;
    switch (callback) {
    case 4:
    case 5:
    case 10:
    case 12: return command || component || modal;
    case 6:
    case 7: return component || (modal && from_component);
    case 8: return interaction == 4;
    case 9: return command || component;
    case 13: return interaction == 6;
    default: return false;
    }
}

std::string_view interactions::create(snowflake id, std::uint32_t type, bool from_component,
                                      std::uint64_t seed, time_point now) {
    while (order_.size() >= kept) {
        drop(order_.front());
        order_.pop_front();
    }
    open_interaction made;
    made.id = id;
    made.type = type;
    made.from_component = from_component;
    made.created = now;
    rng random(seed ^ id.value);
    made.token = "aW50ZXJhY3Rpb246";
    json_text w(made.token);
    for (int i = 0; i < 5; ++i)
        w.hash(random);
    order_.push_back(id);
    ++counts_[type].created;
    drop(id);
    const open_interaction& kept_one = open_.emplace(id, std::move(made)).first->second;
    by_token_.emplace(kept_one.token, &kept_one);
    return kept_one.token;
}

void interactions::drop(snowflake id) {
    const auto at = open_.find(id);
    if (at == open_.end()) return;
    by_token_.erase(at->second.token);
    open_.erase(at);
}

const open_interaction* interactions::find(snowflake id) const {
    const auto at = open_.find(id);
    return at == open_.end() ? nullptr : &at->second;
}

const open_interaction* interactions::find(std::string_view token) const {
    const auto at = by_token_.find(token);
    return at == by_token_.end() ? nullptr : at->second;
}

void interactions::number(snowflake id, std::uint64_t n, std::uint64_t channel) {
    const auto at = open_.find(id);
    if (at == open_.end()) return;
    at->second.n = n;
    at->second.channel = channel;
}

void interactions::forget(snowflake id) {
    const auto at = open_.find(id);
    if (at == open_.end()) return;
    --counts_[at->second.type].created;
    drop(id);
    if (!order_.empty() && order_.back() == id) order_.pop_back();
}

callback_reply interactions::answer(snowflake id, std::string_view token, std::string_view text,
                                    bool with_response, time_point now) {
    const auto at = open_.find(id);
    if (at == open_.end() || at->second.token != token) {
        ++unknown_;
        return error(404, 10062, "Unknown interaction");
    }
    open_interaction& i = at->second;
    counts& c = counts_[i.type];
    boost::system::error_code ec;
    const json::value body = json::parse(text, ec);
    const json::value* type =
        !ec && body.is_object() ? body.get_object().if_contains("type") : nullptr;
    if (!type || !type->is_int64() || type->get_int64() < 0 || type->get_int64() > 15) {
        ++c.malformed;
        return bad_body("type", "This field is required.");
    }
    const auto callback = static_cast<std::uint32_t>(type->get_int64());
    // A second answer counts as that even when it is late as well.
    if (i.answered) {
        ++c.twice;
        return error(400, 40060, "Interaction has already been acknowledged.");
    }
    if (now - i.created > options_.scaled(options_.gateway.interaction_window)) {
        ++c.late;
        return error(404, 10062, "Unknown interaction");
    }
    if (!may_answer(callback, i.type, i.from_component)) {
        ++c.illegal;
        return bad_body("type", "Value is not one of the types this interaction may use.");
    }
    if (callback == 8 && !choices_ok(body.get_object())) {
        ++c.illegal;
        return bad_body("data", "Must be 25 or fewer choices.");
    }
    i.answered = now;
    i.answer = callback;
    ++c.in_time;
    ++answers_[callback];
    slowest_ = std::max(slowest_, now - i.created);
    if (!with_response) return {};
    json::object reply;
    reply["interaction"] = json::object{{"id", std::to_string(id.value)}, {"type", i.type}};
    return {200, json::serialize(reply)};
}

json::object interactions::report(time_point now) const {
    static constexpr std::array<std::string_view, 7> names{
        "", "ping", "command", "component", "autocomplete", "modal", "sku"};
    json::object kinds;
    std::array<std::uint64_t, 7> open{};
    std::array<std::uint64_t, 7> expired{};
    for (const auto& [id, i] : open_) {
        if (i.answered) continue;
        const bool over = now - i.created > options_.scaled(options_.gateway.interaction_window);
        ++(over ? expired : open)[i.type];
    }
    for (std::size_t type = 2; type <= 5; ++type) {
        const counts& c = counts_[type];
        kinds[names[type]] = {{"created", c.created},
                              {"in_time", c.in_time},
                              {"late", c.late},
                              {"twice", c.twice},
                              {"illegal", c.illegal},
                              {"malformed", c.malformed},
                              {"unanswered", expired[type]},
                              {"open", open[type]}};
    }
    json::object by_type;
    for (std::size_t t = 0; t < answers_.size(); ++t)
        if (answers_[t] != 0) by_type[std::to_string(t)] = answers_[t];
    json::object out;
    out["kinds"] = std::move(kinds);
    out["answers_by_type"] = std::move(by_type);
    out["unknown"] = unknown_;
    out["slowest_ms"] = std::chrono::duration<double, std::milli>(slowest_).count();
    return out;
}

json::array interactions::list(time_point now, std::size_t limit) const {
    json::array out;
    const std::size_t skip = order_.size() > limit ? order_.size() - limit : 0;
    for (std::size_t k = skip; k < order_.size(); ++k) {
        const auto at = open_.find(order_[k]);
        if (at == open_.end()) continue;
        const open_interaction& i = at->second;
        json::object o;
        o["id"] = std::to_string(at->first.value);
        o["type"] = i.type;
        o["n"] = i.n;
        o["age_ms"] = ms_between(i.created, now);
        o["from_component"] = i.from_component;
        o["webhook"] = "/webhooks/" + std::to_string(application_id()) + "/" + i.token;
        if (i.answered) {
            o["answer"] = i.answer;
            o["answered_after_ms"] = ms_between(i.created, *i.answered);
        }
        out.push_back(std::move(o));
    }
    return out;
}

std::optional<std::uint64_t> interactions::answered_for_good(snowflake id) const {
    const auto it = open_.find(id);
    if (it == open_.end() || !it->second.answered || it->second.n == 0) return std::nullopt;
    if (it->second.answer != 4 && it->second.answer != 8) return std::nullopt;
    return it->second.n;
}

void interactions::clear() {
    by_token_.clear();
    open_.clear();
    order_.clear();
    counts_ = {};
    unknown_ = 0;
    answers_ = {};
    slowest_ = {};
}

}  // namespace shardgate::sim
