// SPDX-License-Identifier: Apache-2.0
// The grammar walk over simdjson's token list. The only file that includes simdjson.
#include "protocol/json_tokens.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace shardgate::json {
namespace {

// The kinds of the containers around the walk, a bit each: 1 = object. The innermost up to 64 are
// in one word; what is further out waits in `outer_`.
class container_stack {
public:
    [[nodiscard]] bool full() const noexcept { return depth_ == cursor::max_depth; }
    // Pre: not full.
    void push(bool object) noexcept {
        if (depth_ % 64 == 0 && depth_ != 0) outer_[depth_ / 64 - 1] = kinds_;
        kinds_ = kinds_ << 1 | static_cast<std::uint64_t>(object);
        ++depth_;
    }
    void pop() noexcept {
        --depth_;
        kinds_ >>= 1;
        if (depth_ % 64 == 0 && depth_ != 0) kinds_ = outer_[depth_ / 64 - 1];
    }
    [[nodiscard]] bool empty() const noexcept { return depth_ == 0; }
    [[nodiscard]] bool in_object() const noexcept { return (kinds_ & 1) != 0; }

private:
    std::uint64_t kinds_ = 0;
    std::size_t depth_ = 0;
    std::array<std::uint64_t, cursor::max_depth / 64 - 1> outer_;  // set before it is read
};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

constexpr std::uint64_t zeros = 0x3030303030303030;  // eight characters 0

// Eight characters, the first of them lowest.
std::uint64_t load_word(const char* text) {
    std::uint64_t word = 0;
    std::memcpy(&word, text, sizeof(word));
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    return word;
}

// Of each character that is a digit its value; of any other more than 9.
std::uint64_t digit_values(std::uint64_t word) {
    return word ^ zeros;
}

// Not 0 where one of the values is above 9.
std::uint64_t not_digits(std::uint64_t values) {
    return (values | (values + 0x7676767676767676)) & 0x8080808080808080;
}

// The number that eight digits are, from their values: neighbours joined to pairs, those to fours,
// those to eight.
std::uint64_t joined(std::uint64_t values) {
    values = (values * 10 + (values >> 8)) & 0x00ff00ff00ff00ff;
    values = (values * 100 + (values >> 16)) & 0x0000ffff0000ffff;
    return (values * 10000 + (values >> 32)) & 0xffffffff;
}

// RFC 8259, section 6.
bool is_number(std::string_view text) {
    std::size_t i = 0;
    const auto digits = [&] {
        const std::size_t first = i;
        while (i < text.size() && is_digit(text[i]))
            ++i;
        return i > first;
    };
    if (i < text.size() && text[i] == '-') ++i;
    if (i < text.size() && text[i] == '0')
        ++i;
    else if (!digits())
        return false;
    if (i < text.size() && text[i] == '.') {
        ++i;
        if (!digits()) return false;
    }
    if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
        ++i;
        if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
        if (!digits()) return false;
    }
    return i == text.size();
}

// Any value that is no container.
bool is_scalar(std::string_view text) {
    switch (text.front()) {
    case '"': return true;  // the first stage pairs quotes
    case 't': return text == "true";
    case 'f': return text == "false";
    case 'n': return text == "null";
    default: return is_number(text);
    }
}

char closing(bool object) {
    return object ? '}' : ']';
}

// The walk over one container and all in it.
class container_walk {
public:
    container_walk(const char* text, const std::uint32_t* at, const std::uint32_t* end)
        : text_(text), at_(at), end_(end) {}

    // Pre: at an opening bracket. Null for what is not JSON.
    const std::uint32_t* run() {
        stop why = stop::opens;
        for (;;) {
            if (why == stop::opens) why = open();
            if (why == stop::opens) continue;
            if (why == stop::broken) return nullptr;
            around_.pop();
            if (around_.empty()) return at_;
            why = behind_container();
        }
    }

private:
    enum class stop { broken, opens, closes };  // closes: its bracket is passed

    stop open() {
        const bool object = text_[*at_] == '{';
        if (around_.full()) return stop::broken;
        around_.push(object);
        if (++at_ == end_) return stop::broken;
        if (text_[*at_] != closing(object)) return inside(object);
        ++at_;
        return stop::closes;
    }

    stop behind_container() {
        if (at_ == end_) return stop::broken;
        const bool object = around_.in_object();
        const char next = text_[*at_++];
        if (next == ',') return inside(object);
        return next == closing(object) ? stop::closes : stop::broken;
    }

    stop inside(bool object) { return object ? members() : elements(); }

    // From a key on, past members that are no containers.
    stop members() {
        for (;;) {
            // A key, a colon, a value and what comes behind it: less cannot be.
            if (end_ - at_ < 4 || text_[at_[0]] != '"' || text_[at_[1]] != ':') return stop::broken;
            at_ += 2;
            if (!is_plain(text_, at_)) {
                if (is_empty(text_, at_)) {
                    if (around_.full() || end_ - ++at_ < 2) return stop::broken;
                } else {
                    if (opens_container(text_[*at_])) return stop::opens;
                    if (!is_scalar(scalar())) return stop::broken;
                }
            }
            const char next = text_[at_[1]];
            at_ += 2;
            if (next != ',') return next == '}' ? stop::closes : stop::broken;
        }
    }

    // From an element on, past those that are no containers.
    stop elements() {
        for (;;) {
            if (end_ - at_ < 2) return stop::broken;
            if (!is_plain(text_, at_)) {
                if (opens_container(text_[*at_])) return stop::opens;
                if (!is_scalar(scalar())) return stop::broken;
            }
            const char next = text_[at_[1]];
            at_ += 2;
            if (next != ',') return next == ']' ? stop::closes : stop::broken;
        }
    }

    [[nodiscard]] std::string_view scalar() const { return cursor(text_, at_, end_).scalar(); }

    const char* text_;
    const std::uint32_t* at_;
    const std::uint32_t* end_;
    container_stack around_;
};

// Apart from behind_value(), for which it would save registers that mostly are not needed.
[[gnu::noinline]] const std::uint32_t* walk_container(const char* text, const std::uint32_t* at,
                                                      const std::uint32_t* end) {
    return container_walk(text, at, end).run();
}

}  // namespace

const std::uint32_t* cursor::behind_value(const char* text, const std::uint32_t* at,
                                          const std::uint32_t* end) noexcept {
    if (end - at >= 2 && is_empty(text, at)) return at + 2;
    if (opens_container(text[*at])) return walk_container(text, at, end);
    return is_scalar(cursor(text, at, end).scalar()) ? at + 1 : nullptr;
}

bool parse_unsigned(std::string_view digits, std::uint64_t& value) noexcept {
    if (digits.empty() || digits.size() > 20) return false;
    const char* const end = digits.data() + digits.size();
    if (digits.size() > 16) {  // an id
        // 1 to 4 digits, then two times 8. The odd ones become eight as the end of a word of zeros.
        const std::size_t odd = digits.size() - 16;
        const std::uint64_t high =
            digit_values(load_word(digits.data()) << (64 - 8 * odd) | (zeros >> (8 * odd)));
        const std::uint64_t middle = digit_values(load_word(end - 16));
        const std::uint64_t low = digit_values(load_word(end - 8));
        if ((not_digits(high) | not_digits(middle) | not_digits(low)) != 0) return false;
        constexpr std::uint64_t unit = 100'000'000;
        std::uint64_t parsed = 0;
        if (__builtin_mul_overflow(joined(high) * unit + joined(middle), unit, &parsed) ||
            __builtin_add_overflow(parsed, joined(low), &parsed))
            return false;
        value = parsed;
        return true;
    }
    std::uint64_t parsed = 0;  // 16 digits fit
    for (const char c : digits) {
        if (!is_digit(c)) return false;
        parsed = parsed * 10 + static_cast<std::uint64_t>(c - '0');
    }
    value = parsed;
    return true;
}

struct tokenizer::impl {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;

    // The list for texts of up to `bytes`.
    [[nodiscard]] bool reserve(std::size_t bytes) {
        constexpr std::size_t smallest = 16 * 1024;
        const std::size_t wanted = std::max(bytes, smallest);
        if (!parser)
            return simdjson::get_active_implementation()->create_dom_parser_implementation(
                       wanted, cursor::max_depth, parser) == simdjson::SUCCESS;
        if (parser->capacity() >= wanted) return true;
        return parser->set_capacity(wanted) == simdjson::SUCCESS;
    }
};

tokenizer::tokenizer() : impl_(std::make_unique<impl>()) {}
tokenizer::~tokenizer() = default;

bool tokenizer::run(std::string_view text, cursor& tokens) {
    if (!impl_->reserve(text.size())) return false;
    auto& parser = *impl_->parser;
    if (parser.stage1(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
                      simdjson::stage1_mode::regular) != simdjson::SUCCESS)
        return false;
    std::uint32_t* first = parser.structural_indexes.get();
    std::uint32_t* end = first + parser.n_structural_indexes;
    *end = static_cast<std::uint32_t>(text.size());  // simdjson keeps room for it
    tokens = cursor(text.data(), first, end);
    return true;
}

void tokenizer::shrink(std::size_t bytes) {
    if (impl_->parser && impl_->parser->capacity() > std::max<std::size_t>(bytes, 64 * 1024))
        impl_->parser.reset();
}

}  // namespace shardgate::json
