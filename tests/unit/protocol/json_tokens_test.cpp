// SPDX-License-Identifier: Apache-2.0
// The walk over tokens against a plain reading of the grammar, and the short ways it takes. Texts
// end where their memory ends: nothing may be read behind them.
#include "protocol/json_tokens.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <utility>

namespace shardgate::json {
namespace {

class JsonTokens : public testing::Test {
protected:
    // Whether `text` is one value, passed as a whole.
    bool passes(std::string_view text) {
        bytes_ = std::make_unique<char[]>(text.size());
        std::copy(text.begin(), text.end(), bytes_.get());
        cursor at;
        if (!tokens_.run({bytes_.get(), text.size()}, at)) return false;
        return at.skip_value() && at.done();
    }

    // As a text of its own, as an element, as a member, in the middle and with white space around.
    void expect(bool good, const std::string& value) {
        for (const auto& [before, behind] :
             {std::pair("", ""), std::pair("[", "]"), std::pair("{\"k\":", "}"),
              std::pair("[1,", ",2]"), std::pair("{\"a\":1,\"k\":", ",\"b\":[]}"),
              std::pair("[{\"k\" :\t", " \n}\r, 0 ] "), std::pair(" ", "\n")})
            EXPECT_EQ(passes(before + value + behind), good) << before << value << behind;
    }

    tokenizer tokens_;
    std::unique_ptr<char[]> bytes_;
};

TEST_F(JsonTokens, ScalarsAreCheckedLetterByLetter) {
    for (const char* value : {"true",     "false",      "null",
                              "0",        "7",          "-0",
                              "-7",       "10",         "1234567890123456789012",
                              "0.0",      "1e5",        "1E+05",
                              "-1.25e-3", "0e0",        "\"\"",
                              "\"true\"", "\"\\\"\"",   "\"a b\"",
                              "{}",       "[]",         "{ }",
                              "[\n]",     "[[]]",       "[{}]",
                              "[\"\"]",   "{\"\":\"\"}"})
        expect(true, value);
    for (const char* value :
         {"tru",   "truE",     "True",    "nullx",   "nulll", "falsey", "fals",      "xalse",
          "tnull", "ntrue",    "01",      "00",      "-",     "-01",    "1.",        ".5",
          "1e",    "1e+",      "+1",      "1x",      "x1",    "0x1",    "--1",       "1.e5",
          "true1", "1true",    "NaN",     "\\u0031", "'a'",   "true\"", "null\"x\"", "1\"\"",
          "\"\"1", "\"\"\"\"", "tr ue",   "1 2",     "{]",    "[}",     "[,]",       "{,}",
          "}",     "]",        ",",       ":",       "[",     "{",      "\x01",      "\x0c",
          "\x1a",  "1\x0c",    "true\x1f"})
        expect(false, value);
}

TEST_F(JsonTokens, ALiteralMayEndTheTextAndBeginIt) {
    for (const char* text : {"true", "null", "false", "5", "[5]", "[]", "{}", "\"\"", "[\"\"]"})
        EXPECT_TRUE(passes(text)) << text;
    for (const char* text : {"tru", "rue", "alse", "t", "[", "[]]", "[5", "[t]", "{\"\":", "{\"\"",
                             "{\"\":[]", "{\"\":{}", "[[]", "[[],", "{\"\":5", "{\"\":5,", ""})
        EXPECT_FALSE(passes(text)) << text;
}

TEST_F(JsonTokens, KeysAreStringsAndMayHaveSpaceBehindThem) {
    for (const char* text : {"{\"a\":1}", "{\"a\" :1}", "{\"a\"\t: 1}", "{ \"a\"\n:\r1 }",
                             "{\"\":{\"\" : {\"\"  :0} } }"})
        EXPECT_TRUE(passes(text)) << text;
    for (const char* text : {"{a:1}", "{1:1}", "{\"a\"1}", "{\"a\"::1}", "{\"a\",1}", "{:1}",
                             "{\"a\":1,}", "{\"a\":1,\"b\"}", "{\"a\":1 \"b\":2}", "{\"a\":1:2}",
                             "{[]:1}", "{\"a\":}", "{\"a\":,}", "{\"a\":1,:2}", "[\"a\":1]"})
        EXPECT_FALSE(passes(text)) << text;
}

// Kinds are kept 64 to a word: where a word begins and ends, and where the bound is.
TEST_F(JsonTokens, KindsOfContainersAreRememberedAtEachDepth) {
    for (const std::size_t depth : {1, 2, 63, 64, 65, 66, 127, 128, 129, 192, 1000, 1023, 1024}) {
        for (const std::size_t odd : {depth, (depth + 1) / 2, std::size_t{1}}) {
            std::string open, close;
            for (std::size_t i = 1; i <= depth; ++i) {  // objects but for one array
                open += i == odd ? "[" : "{\"k\":";
                close.insert(0, i == odd ? "]" : "}");
            }
            EXPECT_TRUE(passes(open + "0" + close)) << depth << ' ' << odd;
            std::string wrong = close;
            wrong[depth - odd] = '}';
            EXPECT_FALSE(passes(open + "0" + wrong)) << depth << ' ' << odd;
            if (depth > 1) {
                wrong = close;
                wrong[odd == depth ? 1 : depth - odd - 1] = ']';
                EXPECT_FALSE(passes(open + "0" + wrong)) << depth << ' ' << odd;
            }
        }
    }
}

TEST_F(JsonTokens, NestingIsBoundedForEmptyContainersToo) {
    const auto nested = [](std::size_t depth, std::string_view inmost) {
        std::string text(depth, '[');
        text += inmost;
        return text + std::string(depth, ']');
    };
    EXPECT_TRUE(passes(nested(cursor::max_depth, "")));
    EXPECT_TRUE(passes(nested(cursor::max_depth, "1,\"a\"")));
    EXPECT_TRUE(passes(nested(cursor::max_depth - 1, "1,{},[]")));
    for (const char* inmost : {"[]", "{}", "1,[]", "[1]"})
        EXPECT_FALSE(passes(nested(cursor::max_depth, inmost))) << inmost;
    EXPECT_FALSE(passes(nested(cursor::max_depth - 1, "{\"a\":{}}")));
    EXPECT_FALSE(passes(nested(cursor::max_depth + 64, "")));
}

TEST_F(JsonTokens, SkipEmptyPassesOnlyWhatIsEmpty) {
    for (const char* text : {"[]", "{}", "[ ]", "{\n}"}) {
        cursor at;
        ASSERT_TRUE(tokens_.run(text, at));
        EXPECT_TRUE(at.skip_empty() && at.done()) << text;
    }
    for (const char* text : {"[1]", "[", "{]", "[}", "\"[]\"", "*,", "Y[", "1"}) {
        cursor at;
        ASSERT_TRUE(tokens_.run(text, at));
        const char* before = at.position();
        EXPECT_FALSE(at.skip_empty()) << text;
        EXPECT_EQ(at.position(), before) << text;
    }
}

// The grammar, read the plain way.
class reference {
public:
    explicit reference(std::string_view text) : text_(text) {}

    bool holds() {
        space();
        return value() && at_ == text_.size();
    }

private:
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    bool eat(char c) { return peek() == c && (++at_, true); }
    void space() {
        while (at_ < text_.size() &&
               std::string_view(" \n\r\t").find(text_[at_]) != std::string_view::npos)
            ++at_;
    }
    bool word(std::string_view w) {
        return text_.substr(at_).starts_with(w) && (at_ += w.size(), true);
    }
    bool digits() {
        const std::size_t first = at_;
        while (peek() >= '0' && peek() <= '9')
            ++at_;
        return at_ > first;
    }
    bool number() {
        eat('-');
        if (!eat('0') && !digits()) return false;
        if (eat('.') && !digits()) return false;
        if (eat('e') || eat('E')) {
            if (!eat('+')) eat('-');
            return digits();
        }
        return true;
    }
    bool string() {
        while (at_ < text_.size() && static_cast<unsigned char>(peek()) >= ' ') {
            const char c = text_[at_++];
            if (c == '"') return true;
            if (c == '\\' && at_++ >= text_.size()) return false;
        }
        return false;
    }
    bool list(char close, bool object) {
        space();
        if (eat(close)) return true;
        do {
            space();
            if (object && (!eat('"') || !string() || (space(), !eat(':')))) return false;
            space();
            if (!value()) return false;
        } while (eat(','));
        return eat(close);
    }
    bool value() {
        const bool good = eat('{')   ? list('}', true)
                          : eat('[') ? list(']', false)
                          : eat('"') ? string()
                                     : word("true") || word("false") || word("null") || number();
        space();
        return good;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

TEST_F(JsonTokens, AgreesWithThePlainReadingOfRandomTexts) {
    const unsigned seed = 20260102;
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    static constexpr std::array<const char*, 30> pieces = {
        "{",    "}",    "[",     "]",   ",",  ":",  "\"k\":", "\"k\":", "\"\"", "\"a,]\"",
        "true", "null", "false", "0",   "5",  "-1", "12",     "1e3",    "1.5",  " ",
        ",",    "[]",   "{}",    "tru", "01", "\n", "},",     "],",     "x",    "\"k\" : "};
    int good = 0;
    for (int round = 0; round < 300000; ++round) {
        std::string text = round % 2 == 0 ? "{\"k\":" : "[";
        for (auto n = random() % 8; n > 0; --n)
            text += pieces[random() % pieces.size()];
        text += round % 2 == 0 ? "}" : "]";
        const bool expected = reference(text).holds();
        good += expected ? 1 : 0;
        ASSERT_EQ(passes(text), expected) << text;
    }
    EXPECT_GT(good, 5000);
}

TEST(ParseUnsigned, AgreesWithDecimalAtEachSize) {
    std::mt19937_64 random(7);
    std::uint64_t parsed = 0;
    for (unsigned shift = 0; shift < 64; ++shift) {
        for (int round = 0; round < 200; ++round) {
            const std::uint64_t value = random() >> shift;
            const std::string digits = std::to_string(value);
            ASSERT_TRUE(parse_unsigned(digits, parsed)) << digits;
            ASSERT_EQ(parsed, value);
            // Zeros in front count as digits.
            const std::string padded = std::string(20 - digits.size(), '0') + digits;
            ASSERT_TRUE(parse_unsigned(padded, parsed)) << padded;
            ASSERT_EQ(parsed, value);
            EXPECT_FALSE(parse_unsigned("0" + padded, parsed));
        }
    }
}

TEST(ParseUnsigned, NothingButDigitsAndNothingAbove64Bits) {
    std::uint64_t parsed = 42;
    for (const char* text : {"18446744073709551616", "18446744073709551620", "18446744073709551700",
                             "18446744083709551615", "20000000000000000000", "99999999999999999999",
                             "184467440737095516150", "", "-1", "+1", "1.", "1e3", " 1", "1 "})
        EXPECT_FALSE(parse_unsigned(text, parsed)) << text;
    EXPECT_EQ(parsed, 42u);
    EXPECT_TRUE(parse_unsigned("18446744073709551615", parsed));
    EXPECT_EQ(parsed, std::numeric_limits<std::uint64_t>::max());
    for (std::size_t size = 1; size <= 20; ++size) {
        for (std::size_t i = 0; i < size; ++i) {
            for (int c = 0; c < 256; ++c) {
                std::string text(size, '0');
                text[i] = static_cast<char>(c);
                const char last = size == 20 && i == 0 ? '1' : '9';  // 2e19 is too much
                ASSERT_EQ(parse_unsigned(text, parsed), c >= '0' && c <= last) << size << ' ' << i;
            }
        }
    }
}

}  // namespace
}  // namespace shardgate::json
