// SPDX-License-Identifier: Apache-2.0
#include "sim/gap_book.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <functional>
#include <optional>

namespace shardgate::sim {
namespace {

namespace json = boost::json;

std::optional<std::uint64_t> whole(const json::value* v) {
    if (v == nullptr || !v->is_int64() || v->get_int64() < 0) return std::nullopt;
    return static_cast<std::uint64_t>(v->get_int64());
}

// The d inside an envelope, or of a bare frame. Null without one.
const json::object* d_of(const json::value& event) {
    const json::object* frame = event.if_object();
    if (frame == nullptr) return nullptr;
    for (const auto* name : {"data", "payload", "message"})
        if (const json::value* inner = frame->if_contains(name)) {
            frame = inner->if_object();
            break;
        }
    const json::value* d = frame == nullptr ? nullptr : frame->if_contains("d");
    return d == nullptr ? nullptr : d->if_object();
}

bool well_formed(const json::object& d) {
    const json::value* reason = d.if_contains("reason");
    const json::value* counts = d.if_contains("counts");
    const auto from = whole(d.if_contains("from"));
    const auto to = whole(d.if_contains("to"));
    if (reason == nullptr || !reason->is_string() || !whole(d.if_contains("shard")) ||
        !whole(d.if_contains("shards")) || !from || !to || *from > *to || counts == nullptr)
        return false;
    if (counts->is_null()) return true;
    if (!counts->is_object()) return false;
    for (const auto& one : counts->get_object())
        if (!whole(&one.value())) return false;
    return true;
}

json::object as_json(const std::map<std::string, std::uint64_t, std::less<>>& tally) {
    json::object out;
    for (const auto& [name, n] : tally)
        out[name] = n;
    return out;
}

}  // namespace

void gap_book::add(tally& to, std::string_view name, std::uint64_t n) {
    auto it = to.find(name);
    if (it == to.end())
        it = to.try_emplace(std::string(to.size() < names_max ? name : "(other)")).first;
    it->second += n;
}

bool gap_book::take(std::string_view key, std::string_view event) {
    json::error_code ec;
    const json::value parsed = json::parse(json::string_view(event.data(), event.size()), ec);
    const json::object* d = ec ? nullptr : d_of(parsed);
    if (d == nullptr || !well_formed(*d)) return false;
    const json::string& reason = d->at("reason").get_string();
    const std::string_view name(reason.data(), reason.size());
    auto it = by_reason_.find(name);
    if (it == by_reason_.end())
        it = by_reason_.try_emplace(std::string(by_reason_.size() < names_max ? name : "(other)"))
                 .first;
    sums& sum = it->second;
    const auto hash = static_cast<std::uint64_t>(std::hash<std::string_view>{}(key));
    if (keys_.contains(hash)) {
        ++sum.copies;
        return true;
    }
    if (keys_.size() < keys_max) keys_.insert(hash);
    ++sum.events;
    add(sum.shards, std::to_string(*whole(&d->at("shard"))), 1);
    const json::value& counts = d->at("counts");
    if (counts.is_null()) {
        ++sum.unknown;
        return true;
    }
    for (const auto& one : counts.get_object()) {
        const std::uint64_t n = *whole(&one.value());
        add(sum.counts, std::string_view(one.key().data(), one.key().size()), n);
        sum.total += n;
    }
    return true;
}

json::object gap_book::report() const {
    json::object out;
    for (const auto& [reason, sum] : by_reason_) {
        json::object one;
        one["events"] = sum.events;
        one["copies"] = sum.copies;
        one["total"] = sum.total;
        one["unknown"] = sum.unknown;
        one["counts"] = as_json(sum.counts);
        one["shards"] = as_json(sum.shards);
        out[reason] = std::move(one);
    }
    return out;
}

}  // namespace shardgate::sim
