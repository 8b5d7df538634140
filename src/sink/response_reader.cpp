// SPDX-License-Identifier: Apache-2.0
// HTTP/1.x responses by hand: one pass over a head that lies whole in the buffer, which it nearly
// always does.
#include "sink/response_reader.hpp"

#include <algorithm>
#include <charconv>

namespace shardgate::sink {
namespace {

constexpr std::string_view end_of_line = "\r\n";
constexpr std::string_view end_of_head = "\r\n\r\n";
constexpr std::size_t chunk_line_max = 256;
constexpr std::size_t known_max = 512;

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

// `literal` is in lower case.
bool same(std::string_view text, std::string_view literal) noexcept {
    return text.size() == literal.size() &&
           std::equal(text.begin(), text.end(), literal.begin(),
                      [](char a, char b) { return lower(a) == b; });
}

std::string_view trimmed(std::string_view text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
        text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
        text.remove_suffix(1);
    return text;
}

// Digits and nothing else; no sign, no overflow.
std::optional<std::uint64_t> number(std::string_view text, int base = 10) noexcept {
    std::uint64_t value = 0;
    const auto end = text.data() + text.size();
    const auto [at, ec] = std::from_chars(text.data(), end, value, base);
    if (ec != std::errc{} || at != end || text.empty()) return std::nullopt;
    return value;
}

// Calls f with each trimmed element of a comma list.
template <class F>
void for_each_token(std::string_view list, F f) {
    while (!list.empty()) {
        const auto comma = std::min(list.find(','), list.size());
        f(trimmed(list.substr(0, comma)));
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
}

duration seconds_capped(std::uint64_t seconds) noexcept {
    constexpr std::uint64_t day = 86400;
    return std::chrono::seconds(static_cast<std::int64_t>(std::min(seconds, day)));
}

std::optional<duration> keep_alive_timeout(std::string_view value) {
    std::optional<duration> out;
    for_each_token(value, [&out](std::string_view token) {
        const auto equals = token.find('=');
        if (equals == std::string_view::npos || !same(trimmed(token.substr(0, equals)), "timeout"))
            return;
        if (const auto n = number(trimmed(token.substr(equals + 1)))) out = seconds_capped(*n);
    });
    return out;
}

}  // namespace

std::optional<wall_ms> parse_http_date(std::string_view text) {
    constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (text.size() != 29 || text.substr(25) != " GMT" || text.substr(3, 2) != ", ")
        return std::nullopt;
    const auto month = months.find(text.substr(8, 3));
    const auto day = number(text.substr(5, 2)), year = number(text.substr(12, 4));
    const auto hour = number(text.substr(17, 2)), minute = number(text.substr(20, 2));
    const auto second = number(text.substr(23, 2));
    if (month == std::string_view::npos || month % 3 != 0) return std::nullopt;
    if (!day || !year || !hour || !minute || !second) return std::nullopt;
    if (*hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
    const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(*year)),
                                           std::chrono::month(static_cast<unsigned>(month / 3 + 1)),
                                           std::chrono::day(static_cast<unsigned>(*day)));
    if (!date.ok()) return std::nullopt;
    const auto of_day = std::chrono::seconds(*hour * 3600 + *minute * 60 + *second);
    return wall_ms(std::chrono::sys_days(date)) + of_day;
}

response_reader::event response_reader::bad(std::string_view why) {
    problem_ = why;
    answer_.keep_alive = false;
    return event::bad;
}

// The outcome is known; the rest of the body is not worth its bytes.
response_reader::event response_reader::abandon() {
    answer_.keep_alive = false;
    return finish();
}

response_reader::event response_reader::finish() {
    state_ = state::head;
    skipped_ = 0;
    discarded_ = 0;
    return event::done;
}

response_reader::event response_reader::read(std::string_view data, std::size_t& used) {
    used = 0;
    return state_ == state::head ? read_head(data, used) : read_body(data, used);
}

response_reader::event response_reader::read_head(std::string_view data, std::size_t& used) {
    if (skipped_ == 0 && is_known(data)) {
        used = known_.size();
        answer_ = known_answer_;
        state_ = known_state_;
        left_ = known_left_;
        discarded_ = 0;
        return event::head;
    }
    for (;;) {
        const std::string_view rest = data.substr(used);
        constexpr std::string_view begins = "HTTP/1.";
        if (rest.substr(0, begins.size()) != begins.substr(0, rest.size()))
            return bad("the answer is not HTTP/1");
        const auto end = rest.find(end_of_head);
        const std::size_t size = std::min(end, rest.size());
        if (skipped_ + size > head_max) return bad("the answer's header is above 16 KiB");
        if (end == std::string_view::npos) return event::need_more;
        used += end + end_of_head.size();
        const event what = parse_head(rest.substr(0, end + end_of_line.size()));
        if (what == event::head) keep_head(rest.substr(0, end + end_of_head.size()));
        if (what != event::need_more) return what;
        skipped_ += end + end_of_head.size();  // an interim response (RFC 9110 section 15.2)
    }
}

bool response_reader::is_known(std::string_view data) const noexcept {
    return !known_.empty() && data.starts_with(known_);
}

void response_reader::keep_head(std::string_view head) {
    known_.assign(head.size() <= known_max ? head : std::string_view());
    known_answer_ = answer_;
    known_state_ = state_;
    known_left_ = left_;
}

response_reader::event response_reader::parse_head(std::string_view head) {
    answer_ = {};
    length_.reset();
    old_version_ = chunked_ = other_coding_ = says_close_ = says_keep_ = false;
    for (bool first = true; !head.empty(); first = false) {
        const auto end = head.find(end_of_line);
        const std::string_view line = head.substr(0, end);
        head.remove_prefix(end + end_of_line.size());
        if (line.find_first_of(std::string_view("\n\r\0", 3)) != std::string_view::npos)
            return bad("the answer's header holds a stray control character");
        if (first) {
            if (!parse_status_line(line)) return bad("the answer's status line cannot be read");
            continue;
        }
        const auto colon = line.find(':');
        // No space before the colon, no folded lines (RFC 9112 section 5).
        if (colon == std::string_view::npos || colon == 0 || line.front() == ' ' ||
            line.front() == '\t' || line[colon - 1] == ' ' || line[colon - 1] == '\t')
            return bad("the answer has a header line that cannot be read");
        if (!parse_header(line.substr(0, colon), trimmed(line.substr(colon + 1))))
            return bad("the answer's Content-Length cannot be read");
    }
    if (answer_.status == 101) return bad("the answer switches protocols unasked");
    if (answer_.status < 200) return event::need_more;
    return choose_body();
}

bool response_reader::parse_status_line(std::string_view line) {
    // HTTP/1.x SP 3DIGIT [SP reason]; "HTTP/1." was seen already.
    if (line.size() < 12 || line[8] != ' ' || (line.size() > 12 && line[12] != ' ')) return false;
    if (line[7] != '0' && line[7] != '1') return false;
    old_version_ = line[7] == '0';
    const auto status = number(line.substr(9, 3));
    if (!status || *status < 100) return false;
    answer_.status = static_cast<unsigned>(*status);
    return true;
}

bool response_reader::parse_header(std::string_view name, std::string_view value) {
    // Nearly every header is decided by its length alone.
    switch (name.size()) {
    case 10:
        if (same(name, "connection")) parse_connection(value);
        if (same(name, "keep-alive")) answer_.keep_alive_timeout = keep_alive_timeout(value);
        return true;
    case 11:
        if (!same(name, "retry-after")) return true;
        if (const auto seconds = number(value)) {
            answer_.retry_after = seconds_capped(*seconds);
        } else {
            answer_.retry_at = parse_http_date(value);
        }
        return true;
    case 14: {
        if (!same(name, "content-length")) return true;
        const auto length = number(value);
        if (!length || (length_ && *length_ != *length)) return false;
        length_ = length;
        return true;
    }
    case 17:
        if (!same(name, "transfer-encoding")) return true;
        other_coding_ = other_coding_ || chunked_ || !same(value, "chunked");
        chunked_ = true;
        return true;
    default: return true;
    }
}

void response_reader::parse_connection(std::string_view value) {
    for_each_token(value, [this](std::string_view token) {
        says_close_ = says_close_ || same(token, "close");
        says_keep_ = says_keep_ || same(token, "keep-alive");
    });
}

// How long the body is: RFC 9112 section 6.3. What cannot be skipped cheaply ends the connection.
response_reader::event response_reader::choose_body() {
    answer_.peer_closes = says_close_ || (old_version_ && !says_keep_);
    answer_.keep_alive = !answer_.peer_closes;
    discarded_ = 0;
    left_ = 0;
    state_ = state::body;
    if (answer_.status == 204 || answer_.status == 304) return event::head;
    const bool framed =
        chunked_ ? !other_coding_ && !length_ && !old_version_ : length_.has_value();
    if (!framed || (!chunked_ && *length_ > body_max)) {
        answer_.keep_alive = false;
        return event::head;
    }
    if (chunked_) {
        state_ = state::chunk_size;
    } else {
        left_ = *length_;
    }
    return event::head;
}

response_reader::event response_reader::read_body(std::string_view data, std::size_t& used) {
    if (!answer_.keep_alive) return finish();
    for (;;) {
        const std::string_view rest = data.substr(used);
        if (state_ == state::body || state_ == state::chunk_data) {
            const auto take = std::min<std::uint64_t>(left_, rest.size());
            left_ -= take;
            used += static_cast<std::size_t>(take);
            discarded_ += static_cast<std::size_t>(take);
            if (discarded_ > body_max) return abandon();
            if (left_ > 0) return event::need_more;
            if (state_ == state::body) return finish();
            state_ = state::chunk_end;
            continue;
        }
        event out = event::need_more;
        if (!read_chunk_line(rest, used, out)) return out;
    }
}

// One line of chunked framing: a size, the empty line behind a chunk, or a trailer. False when
// `out` is the answer.
bool response_reader::read_chunk_line(std::string_view data, std::size_t& used, event& out) {
    const auto end = data.find(end_of_line);
    if (std::min(end, data.size()) > chunk_line_max && state_ != state::trailer) {
        out = abandon();
        return false;
    }
    if (end == std::string_view::npos) {
        out = discarded_ + data.size() > body_max ? abandon() : event::need_more;
        return false;
    }
    const std::string_view line = data.substr(0, end);
    used += end + end_of_line.size();
    discarded_ += end + end_of_line.size();
    bool fine = discarded_ <= body_max;
    if (state_ == state::chunk_end) {
        fine = fine && line.empty();
        state_ = state::chunk_size;
    } else if (state_ == state::chunk_size) {
        const auto size = number(trimmed(line.substr(0, line.find(';'))), 16);
        fine = fine && size && *size <= body_max;
        left_ = size.value_or(0);
        state_ = left_ == 0 ? state::trailer : state::chunk_data;
    } else if (line.empty()) {
        out = finish();
        return false;
    }
    if (!fine) out = abandon();
    return fine;
}

}  // namespace shardgate::sink
