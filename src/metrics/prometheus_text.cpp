// SPDX-License-Identifier: Apache-2.0
#include "shardgate/metrics/prometheus_text.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>

#include "shardgate/base/utf8.hpp"

namespace shardgate {

namespace {

// Plain decimals where a person would write them; the shortest text that reads back the same.
void append_number(std::string& out, double v) {
    if (std::isnan(v)) {
        out += "NaN";
        return;
    }
    if (std::isinf(v)) {
        out += v > 0 ? "+Inf" : "-Inf";
        return;
    }
    std::array<char, 64> text{};
    const double size = std::abs(v);
    const bool plain = v == 0 || (size >= 1e-6 && size < 1e15);
    const auto end = std::to_chars(text.data(), text.data() + text.size(), v,
                                   plain ? std::chars_format::fixed : std::chars_format::general);
    out.append(text.data(), end.ptr);
}

void append_number(std::string& out, std::uint64_t v) {
    std::array<char, 24> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), v);
    out.append(text.data(), end.ptr);
}

void append_escaped(std::string& out, std::string_view text, bool quotes) {
    for (const char c : to_valid_utf8(text)) {
        if (c == '\n')
            out += "\\n";
        else if (c == '\\')
            out += "\\\\";
        else if (quotes && c == '"')
            out += "\\\"";
        else
            out += c;
    }
}

std::string_view type_name(prometheus_text::kind k) noexcept {
    switch (k) {
    case prometheus_text::kind::counter: return "counter";
    case prometheus_text::kind::gauge: return "gauge";
    case prometheus_text::kind::histogram: return "histogram";
    }
    return "untyped";
}

}  // namespace

void prometheus_text::family(kind k, std::string_view name, std::string_view help) {
    name_ = "shardgate_";
    name_ += name;
    begin(k, help);
}

void prometheus_text::shared_family(kind k, std::string_view name, std::string_view help) {
    name_ = name;
    begin(k, help);
}

void prometheus_text::begin(kind k, std::string_view help) {
    text_ += "# HELP ";
    text_ += name_;
    text_ += ' ';
    append_escaped(text_, help, false);
    text_ += "\n# TYPE ";
    text_ += name_;
    text_ += ' ';
    text_ += type_name(k);
    text_ += '\n';
}

void prometheus_text::name_and_labels(std::string_view suffix, labels with, std::string_view le) {
    text_ += name_;
    text_ += suffix;
    char before = '{';
    const auto label = [&](std::string_view name, std::string_view value) {
        text_ += std::exchange(before, ',');
        text_ += name;
        text_ += "=\"";
        append_escaped(text_, value, true);
        text_ += '"';
    };
    for (const auto& [name, value] : with)
        label(name, value);
    if (!le.empty()) label("le", le);
    if (before == ',') text_ += '}';
    text_ += ' ';
}

void prometheus_text::sample(double value, labels with) {
    name_and_labels("", with, "");
    append_number(text_, value);
    text_ += '\n';
}

void prometheus_text::sample(std::uint64_t value, labels with) {
    name_and_labels("", with, "");
    append_number(text_, value);
    text_ += '\n';
}

void prometheus_text::sample(const histogram& h, labels with) {
    std::uint64_t up_to_here = 0;
    for (std::size_t i = 0; i < histogram::bucket_count(); ++i) {
        up_to_here += h.bucket(i);
        std::string le;
        if (i < histogram::bounds.size())
            append_number(le, histogram::bounds[i]);
        else
            le = "+Inf";
        name_and_labels("_bucket", with, le);
        append_number(text_, up_to_here);
        text_ += '\n';
    }
    name_and_labels("_sum", with, "");
    append_number(text_, h.sum());
    text_ += '\n';
    name_and_labels("_count", with, "");
    append_number(text_, h.count());
    text_ += '\n';
}

}  // namespace shardgate
