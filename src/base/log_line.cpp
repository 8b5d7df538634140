// SPDX-License-Identifier: Apache-2.0
#include "base/log_line.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <variant>

#include "shardgate/base/time_text.hpp"
#include "shardgate/base/utf8.hpp"

namespace shardgate::log {

namespace {

// What ends a line, moves a cursor or turns text around: C0, DEL, C1 (a terminal takes U+009B as
// ESC [), the Unicode line ends and the bidirectional controls.
constexpr bool is_control(char32_t c) noexcept {
    return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x2028 || c == 0x2029 || c == 0x200E ||
           c == 0x200F || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) ||
           c == 0xFEFF;
}

void append_escaped(std::string& out, char32_t c) {
    switch (c) {
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
    }
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "\\u%04x", static_cast<unsigned>(c));
    out += text.data();
}

// `quoted`: inside double quotes, so that quote and backslash are escaped too.
void append_safe(std::string& out, std::string_view text, bool quoted) {
    const std::string_view shown = utf8_prefix(text, longest_value);
    for (std::size_t at = 0; at < shown.size();) {
        const code_point c = decode_utf8(shown, at);
        if (!c.valid)
            append_utf8(out, 0xFFFD);
        else if (is_control(c.value))
            append_escaped(out, c.value);
        else if (quoted && (c.value == '"' || c.value == '\\'))
            (out += '\\') += static_cast<char>(c.value);
        else
            out.append(shown, at, c.length);
        at += c.length;
    }
    if (shown.size() < text.size()) append_utf8(out, 0x2026);
}

bool needs_quotes(std::string_view text) noexcept {
    if (text.empty() || text.size() > longest_value) return true;
    for (std::size_t at = 0; at < text.size();) {
        const code_point c = decode_utf8(text, at);
        if (!c.valid || is_control(c.value) || c.value == ' ' || c.value == '"' ||
            c.value == '\\' || c.value == '=')
            return true;
        at += c.length;
    }
    return false;
}

// Keys are ours; still, one that is not a plain name must not break the line.
void append_key(std::string& out, std::string_view key) {
    for (const char c : key) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
        out += plain ? c : '_';
    }
}

template <class Number>
void append_number(std::string& out, Number n) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), n);
    out.append(text.data(), end.ptr);
}

struct text_value {
    std::string& out;
    void operator()(std::string_view v) const {
        if (!needs_quotes(v)) {
            out += v;
            return;
        }
        out += '"';
        append_safe(out, v, true);
        out += '"';
    }
    void operator()(bool v) const { out += v ? "true" : "false"; }
    void operator()(std::int64_t v) const { append_number(out, v); }
    void operator()(std::uint64_t v) const { append_number(out, v); }
    void operator()(double v) const { append_number(out, v); }
};

struct json_value {
    std::string& out;
    void operator()(std::string_view v) const {
        out += '"';
        append_safe(out, v, true);
        out += '"';
    }
    void operator()(bool v) const { out += v ? "true" : "false"; }
    void operator()(std::int64_t v) const { append_number(out, v); }
    void operator()(std::uint64_t v) const { append_number(out, v); }
    void operator()(double v) const {
        // JSON has no word for these (RFC 8259 section 6).
        if (std::isfinite(v))
            append_number(out, v);
        else
            out += "null";
    }
};

std::string render_text(level l, wall_ms when, std::string_view message,
                        std::span<const field> facts) {
    std::string line = rfc3339(when);
    line += ' ';
    const std::string_view name = level_name(l);
    line += name;
    line.append(name.size() < 6 ? 6 - name.size() : 1, ' ');
    append_safe(line, message, false);
    for (const field& f : facts) {
        line += ' ';
        append_key(line, f.key);
        line += '=';
        std::visit(text_value{line}, f.value);
    }
    return line;
}

std::string render_json(level l, wall_ms when, std::string_view message,
                        std::span<const field> facts) {
    std::string line = R"({"time":")" + rfc3339(when) + R"(","level":")";
    line += level_name(l);
    line += R"(","msg":)";
    json_value{line}(message);
    for (const field& f : facts) {
        line += ",\"";
        append_key(line, f.key);
        // A fact must not hide the line's own three.
        if (f.key == "time" || f.key == "level" || f.key == "msg") line += '_';
        line += "\":";
        std::visit(json_value{line}, f.value);
    }
    line += '}';
    return line;
}

}  // namespace

std::string_view level_name(level l) noexcept {
    switch (l) {
    case level::trace: return "trace";
    case level::debug: return "debug";
    case level::info: return "info";
    case level::warn: return "warn";
    case level::error: return "error";
    case level::off: break;
    }
    return "off";
}

std::string render(format shape, level l, wall_ms when, std::string_view message,
                   std::span<const field> facts) {
    return shape == format::json ? render_json(l, when, message, facts)
                                 : render_text(l, when, message, facts);
}

}  // namespace shardgate::log
