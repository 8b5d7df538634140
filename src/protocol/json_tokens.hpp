// SPDX-License-Identifier: Apache-2.0
// A JSON text as a list of tokens, and a cursor that walks it. simdjson's first stage finds the
// tokens (it runs the best kernel of the CPU at hand and checks UTF-8); the cursor checks the
// grammar on its one way through, so that what a scanner does not read is known to be JSON all the
// same. On-demand is not used: it leaves what it skips unchecked and cannot look at `d` twice.
// Owner: scanner. Private to protocol.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace shardgate::json {

// What makes a scalar plain, by its first character: its last four bytes and its size, a word of
// both. Compared as numbers and without a branch a kind, as nobody can foretell which comes next.
class plain_scalars {
public:
    constexpr plain_scalars() {
        shapes_[0] = {word(0, 0), any_tail};  // nothing: no token has the size 0
        shapes_[1] = {0, 0};                  // a string: the first stage pairs quotes
        shapes_[2] = {word(0, 1), any_tail};  // one digit
        shapes_[3] = {word(tail("true"), 4), exact};
        shapes_[4] = {word(tail("alse"), 5), exact};
        shapes_[5] = {word(tail("null"), 4), exact};
        shape_of_['"'] = 1;
        for (std::size_t c = '0'; c <= '9'; ++c)
            shape_of_[c] = 2;
        shape_of_['t'] = 3;
        shape_of_['f'] = 4;
        shape_of_['n'] = 5;
    }

    [[nodiscard]] bool has(char first, std::uint32_t tail, std::uint32_t size) const noexcept {
        const shape& wanted = shapes_[shape_of_[static_cast<unsigned char>(first)]];
        return ((word(tail, size) ^ wanted.word) & wanted.mask) == 0;
    }

private:
    struct shape {
        std::uint64_t word, mask;
    };
    static constexpr std::uint64_t exact = ~std::uint64_t{0};
    static constexpr std::uint64_t any_tail = exact >> 32;

    static constexpr std::uint64_t word(std::uint32_t tail, std::uint32_t size) {
        return static_cast<std::uint64_t>(tail) << 32 | size;
    }
    static constexpr std::uint32_t tail(const char (&text)[5]) {
        return std::bit_cast<std::uint32_t>(
            std::array<char, 4>{text[0], text[1], text[2], text[3]});
    }

    std::array<shape, 6> shapes_{};
    std::array<std::uint8_t, 256> shape_of_{};
};
inline constexpr plain_scalars plain;

// Whether the token at `at` is a plain scalar: a string, or, without white space behind it, one
// digit or a literal. Few are not. Pre: there is a token.
[[nodiscard]] inline bool is_plain(const char* text, const std::uint32_t* at) noexcept {
    const std::uint32_t first = at[0];
    const std::uint32_t behind = at[1];  // behind the last token stands the length of the text
    std::uint32_t tail = 0;
    if (behind < sizeof(tail)) return false;
    std::memcpy(&tail, text + behind - sizeof(tail), sizeof(tail));
    return plain.has(text[first], tail, behind - first);
}

[[nodiscard]] inline bool opens_container(char c) noexcept {
    return c == '{' || c == '[';
}

// Whether an array or object begins at `at` and ends with the next token. Pre: there are two.
[[nodiscard]] inline bool is_empty(const char* text, const std::uint32_t* at) noexcept {
    const char c = text[at[0]];
    static_assert('[' + 2 == ']' && '{' + 2 == '}');
    return opens_container(c) && text[at[1]] == c + 2;
}

// What stands between a JSON string's quotes. Pre: `raw` is a string token.
[[nodiscard]] inline std::string_view inside(std::string_view raw) noexcept {
    return {raw.data() + 1, raw.size() - 2};
}

// Walks a token list. A token is an index of the text: a bracket, a comma, a colon, or where a
// string, number or literal begins. Every function that answers bool answers false for a text that
// is not JSON; the cursor is of no use after that. Trivially copyable: a copy is a place to return
// to.
class cursor {
public:
    static constexpr std::size_t max_depth = 1024;

    cursor() = default;
    cursor(const char* text, const std::uint32_t* at, const std::uint32_t* end)
        : text_(text), at_(at), end_(end) {}

    [[nodiscard]] bool done() const noexcept { return at_ == end_; }
    // First character of the token; NUL when there is none.
    [[nodiscard]] char peek() const noexcept { return done() ? '\0' : text_[*at_]; }
    [[nodiscard]] const char* position() const noexcept { return text_ + *at_; }
    void advance() noexcept { ++at_; }

    // A string, number or literal as it stands in the text, quotes included. Pre: !done().
    [[nodiscard]] std::string_view scalar() const noexcept {
        const char* first = text_ + at_[0];
        const char* last = text_ + at_[1];  // behind the last token stands the length of the text
        while (is_space(last[-1]))
            --last;
        return {first, static_cast<std::size_t>(last - first)};
    }

    // Checks one value and passes it.
    [[nodiscard]] bool skip_value() noexcept {
        if (done()) return false;
        const std::uint32_t* next = is_plain(text_, at_) ? at_ + 1 : behind_value(text_, at_, end_);
        if (next == nullptr) return false;
        at_ = next;
        return true;
    }

    // Passes an array or object without anything in it; false: there is none, nothing is passed.
    [[nodiscard]] bool skip_empty() noexcept {
        if (end_ - at_ < 2 || !is_empty(text_, at_)) return false;
        at_ += 2;
        return true;
    }

    // As skip_value(); `raw` is the value's text without white space around it.
    [[nodiscard]] bool take_value(std::string_view& raw) noexcept {
        if (done()) return false;
        const char* first = position();
        if (!skip_value()) return false;
        raw = text_since(first);
        return true;
    }

    // The text from `first`, where a value began, to the end of that value, just passed.
    [[nodiscard]] std::string_view text_since(const char* first) const noexcept {
        const char* last = text_ + *at_;
        while (is_space(last[-1]))
            --last;
        return {first, static_cast<std::size_t>(last - first)};
    }

    // Calls on_member(key) for each member of the object here, the cursor on the member's value;
    // on_member passes that value and answers whether it went well. Keys are raw: one written with
    // escapes is not recognised, which is safe as Discord's keys are plain.
    template <class OnMember>
    [[nodiscard]] bool for_each_member(OnMember&& on_member) {
        if (peek() != '{') return false;
        advance();
        if (peek() == '}') return advance(), true;
        for (;;) {
            std::string_view key;
            if (!take_key(key) || !on_member(key)) return false;
            const char next = peek();
            if (next != ',' && next != '}') return false;
            advance();
            if (next == '}') return true;
        }
    }

    // As for_each_member(), for the elements of the array here.
    template <class OnElement>
    [[nodiscard]] bool for_each_element(OnElement&& on_element) {
        if (peek() != '[') return false;
        advance();
        if (peek() == ']') return advance(), true;
        for (;;) {
            if (!on_element()) return false;
            const char next = peek();
            if (next != ',' && next != ']') return false;
            advance();
            if (next == ']') return true;
        }
    }

private:
    [[nodiscard]] static bool is_space(char c) noexcept {
        return c == ' ' || c == '\n' || c == '\r' || c == '\t';
    }
    [[nodiscard]] bool take_key(std::string_view& key) noexcept {
        // The key, a colon, a value and what comes behind it: less cannot be.
        if (end_ - at_ < 4 || text_[at_[0]] != '"' || text_[at_[1]] != ':') return false;
        key = inside(scalar());
        at_ += 2;
        return true;
    }
    // What skip_value() does with a value that is not plain: where the walk goes on, null for what
    // is no value. Takes the cursor in pieces, which so can stay in registers.
    [[nodiscard]] static const std::uint32_t* behind_value(const char* text,
                                                           const std::uint32_t* at,
                                                           const std::uint32_t* end) noexcept;

    const char* text_ = nullptr;
    const std::uint32_t* at_ = nullptr;
    const std::uint32_t* end_ = nullptr;
};

// An unsigned integer without sign, fraction or exponent that fits 64 bits.
[[nodiscard]] bool parse_unsigned(std::string_view digits, std::uint64_t& value) noexcept;

// Finds tokens. Keeps its list, 4 bytes a byte of the longest text so far (only touched memory
// counts).
class tokenizer {
public:
    tokenizer();
    ~tokenizer();
    tokenizer(const tokenizer&) = delete;
    tokenizer& operator=(const tokenizer&) = delete;

    // False when the text is no UTF-8, has an unclosed string or a raw control character in one, is
    // empty, or is longer than 4 GiB. The cursor is valid until the next call.
    [[nodiscard]] bool run(std::string_view text, cursor& tokens);
    void shrink(std::size_t bytes);

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace shardgate::json
