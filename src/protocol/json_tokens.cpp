// SPDX-License-Identifier: Apache-2.0
// The grammar walk over simdjson's token list. The only file that includes simdjson.
#include "protocol/json_tokens.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <limits>

namespace shardgate::json {
namespace {

// The kinds of the containers around the cursor, a bit each: 1 = object.
class container_stack {
public:
    [[nodiscard]] bool push(bool object) noexcept {
        if (depth_ == cursor::max_depth) return false;
        std::uint64_t& word = words_[depth_ / 64];
        if (depth_ % 64 == 0) word = 0;  // zeroing all words for each value would cost more than it
        const std::uint64_t bit = std::uint64_t{1} << (depth_ % 64);
        word = object ? word | bit : word & ~bit;
        ++depth_;
        return true;
    }
    void pop() noexcept { --depth_; }
    [[nodiscard]] bool empty() const noexcept { return depth_ == 0; }
    [[nodiscard]] bool in_object() const noexcept {
        return (words_[(depth_ - 1) / 64] >> ((depth_ - 1) % 64)) & 1;
    }

private:
    std::array<std::uint64_t, cursor::max_depth / 64> words_;
    std::size_t depth_ = 0;
};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
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

}  // namespace

bool cursor::scalar_is_valid() const noexcept {
    const std::string_view text = scalar();
    switch (text.front()) {
    case '"': return true;  // the first stage pairs quotes
    case 't': return text == "true";
    case 'f': return text == "false";
    case 'n': return text == "null";
    default: return is_number(text);
    }
}

bool cursor::skip_container() noexcept {
    container_stack around;
    for (;;) {
        // A value, the key of a member passed.
        const char c = peek();
        if (c == '{' || c == '[') {
            const bool object = c == '{';
            if (!around.push(object)) return false;
            advance();
            if (peek() != (object ? '}' : ']')) {
                std::string_view key;
                if (object && !take_key(key)) return false;
                continue;
            }
            around.pop();
        } else if (c != '"' && (c == '\0' || !scalar_is_valid())) {
            return false;
        }
        advance();

        // Behind a value: what closes with it, then a comma and the next member's key.
        for (;;) {
            if (around.empty()) return true;
            const char next = peek();
            const bool object = around.in_object();
            if (next == ',') {
                advance();
                std::string_view key;
                if (object && !take_key(key)) return false;
                break;
            }
            if (next != (object ? '}' : ']')) return false;
            advance();
            around.pop();
        }
    }
}

bool parse_unsigned(std::string_view digits, std::uint64_t& value) noexcept {
    if (digits.empty() || digits.size() > 20) return false;
    std::uint64_t parsed = 0;
    for (const char c : digits) {
        if (!is_digit(c)) return false;
        const auto digit = static_cast<std::uint64_t>(c - '0');
        constexpr std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
        if (parsed > max / 10 || (parsed == max / 10 && digit > max % 10)) return false;
        parsed = parsed * 10 + digit;
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
