// SPDX-License-Identifier: Apache-2.0
#include "admin/json_text.hpp"

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <charconv>
#include <cmath>

namespace shardgate::admin {

namespace {

void append(std::string& out, const boost::json::value& v);

void append(std::string& out, double v) {
    if (!std::isfinite(v)) {
        out += "null";
        return;
    }
    // Above this a double has no thousandths left to round.
    const double rounded = std::abs(v) < 1e12 ? std::round(v * 1000) / 1000 : v;
    std::array<char, 400> text{};  // the longest fixed double has 309 digits before the point
    const auto end = std::to_chars(text.data(), text.data() + text.size(),
                                   rounded == 0 ? 0.0 : rounded,  // not -0
                                   std::chars_format::fixed);
    out.append(text.data(), end.ptr);
}

void append(std::string& out, const boost::json::string& v) {
    out += boost::json::serialize(v);
}

void append(std::string& out, const boost::json::array& v) {
    out += '[';
    bool first = true;
    for (const boost::json::value& element : v) {
        if (!first) out += ',';
        first = false;
        append(out, element);
    }
    out += ']';
}

void append(std::string& out, const boost::json::object& v) {
    out += '{';
    bool first = true;
    for (const auto& member : v) {
        if (!first) out += ',';
        first = false;
        out += boost::json::serialize(member.key());
        out += ':';
        append(out, member.value());
    }
    out += '}';
}

// Our own values only: their depth is ours, so recursion is bounded.
void append(std::string& out, const boost::json::value& v) {
    switch (v.kind()) {
    case boost::json::kind::object: return append(out, v.get_object());
    case boost::json::kind::array: return append(out, v.get_array());
    case boost::json::kind::string: return append(out, v.get_string());
    case boost::json::kind::double_: return append(out, v.get_double());
    case boost::json::kind::uint64: out += std::to_string(v.get_uint64()); return;
    case boost::json::kind::int64: out += std::to_string(v.get_int64()); return;
    case boost::json::kind::bool_: out += v.get_bool() ? "true" : "false"; return;
    case boost::json::kind::null: out += "null"; return;
    }
}

}  // namespace

std::string to_text(const boost::json::value& v) {
    std::string out;
    append(out, v);
    out += '\n';
    return out;
}

void append_text(std::string& out, const boost::json::value& v) {
    append(out, v);
}

}  // namespace shardgate::admin
