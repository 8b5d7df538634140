// SPDX-License-Identifier: Apache-2.0
// A JSON text as a list of tokens, and a cursor that walks it. simdjson's first stage finds the
// tokens (it runs the best kernel of the CPU at hand and checks UTF-8); the cursor checks the
// grammar on its one way through, so that what a scanner does not read is known to be JSON all the
// same. On-demand is not used: it leaves what it skips unchecked and cannot look at `d` twice.
// Owner: scanner. Private to protocol.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace shardgate::json {

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
        const char c = peek();
        if (c == '{' || c == '[') return skip_container();
        if (c != '"' && (c == '\0' || !scalar_is_valid())) return false;
        advance();
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
        if (end_ - at_ < 3 || text_[at_[0]] != '"' || text_[at_[1]] != ':') return false;
        key = scalar();
        key = key.substr(1, key.size() - 2);
        at_ += 2;
        return true;
    }
    [[nodiscard]] bool scalar_is_valid() const noexcept;
    [[nodiscard]] bool skip_container() noexcept;

    const char* text_ = nullptr;
    const std::uint32_t* at_ = nullptr;
    const std::uint32_t* end_ = nullptr;
};

// What stands between a JSON string's quotes. Pre: `raw` is a string token.
[[nodiscard]] inline std::string_view inside(std::string_view raw) noexcept {
    return raw.substr(1, raw.size() - 2);
}

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
