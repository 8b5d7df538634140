// SPDX-License-Identifier: Apache-2.0
#include "client/fields.hpp"

#include <boost/json/value.hpp>
#include <boost/json/value_to.hpp>
#include <cmath>

#include "client/text.hpp"

namespace shardgate::client {

namespace {

std::optional<double> number(const boost::json::value& v) {
    if (!v.is_number()) return std::nullopt;
    return v.to_number<double>();
}

// Doubles hold every whole number of ours; a hostile one is cut to what can be counted.
std::uint64_t whole(double v) {
    if (!(v > 0)) return 0;
    return v < 1e18 ? static_cast<std::uint64_t>(v) : static_cast<std::uint64_t>(1e18);
}

const boost::json::value* find(const boost::json::object& o, std::string_view key) {
    return o.if_contains({key.data(), key.size()});
}

}  // namespace

std::optional<double> number(const boost::json::object& o, std::string_view key) {
    const boost::json::value* const v = find(o, key);
    return v == nullptr ? std::nullopt : number(*v);
}

std::uint64_t count_of(const boost::json::object& o, std::string_view key) {
    return whole(number(o, key).value_or(0));
}

std::string text_of(const boost::json::object& o, std::string_view key) {
    const boost::json::value* const v = find(o, key);
    if (v == nullptr) return {};
    if (v->is_string()) return {v->get_string().data(), v->get_string().size()};
    if (const auto n = number(*v)) return std::to_string(whole(*n));
    return {};
}

std::string bytes_of(const boost::json::object& o, std::string_view key) {
    const auto n = number(o, key);
    return n ? bytes_text(whole(*n)) : std::string();
}

std::string age_of(const boost::json::object& o, std::string_view key) {
    const auto n = number(o, key);
    return n ? age_text(*n) : std::string();
}

const boost::json::object& object_of(const boost::json::object& o, std::string_view key) {
    static const boost::json::object none;
    const boost::json::value* const v = find(o, key);
    return v != nullptr && v->is_object() ? v->get_object() : none;
}

const boost::json::array& array_of(const boost::json::object& o, std::string_view key) {
    static const boost::json::array none;
    const boost::json::value* const v = find(o, key);
    return v != nullptr && v->is_array() ? v->get_array() : none;
}

std::string counts_of(const boost::json::object& o, std::string_view key) {
    std::string out;
    for (const auto& member : object_of(o, key)) {
        const std::uint64_t n = whole(number(member.value()).value_or(0));
        if (n == 0) continue;
        if (!out.empty()) out += ", ";
        out.append(member.key().data(), member.key().size());
        out += ' ' + std::to_string(n);
    }
    return out;
}

}  // namespace shardgate::client
