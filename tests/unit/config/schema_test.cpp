// SPDX-License-Identifier: Apache-2.0
// What holds for every entry of the table, and the documents that repeat it.
#include "config/schema.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "config/syntax.hpp"
#include "unit/config/fixture.hpp"

namespace shardgate::config::test {
namespace {

std::string source_file(const std::string& path) {
    std::ifstream in(std::string(SHARDGATE_SOURCE_DIR) + '/' + path);
    std::ostringstream text;
    text << in.rdbuf();
    EXPECT_FALSE(text.str().empty()) << path;
    return text.str();
}

// Takes `toml` for `e` into fresh settings.
complaint take(const entry& e, const std::string& toml, settings& into) {
    draft d("test");
    const parsed_toml parsed = parse_value(toml);
    EXPECT_TRUE(parsed.table) << e.key << ' ' << toml;
    if (!parsed.table) return "not TOML";
    complaint wrong = e.take(d, *parsed.table->get("value"));
    into = d.values;
    return wrong;
}

TEST(Schema, EveryDefaultTextIsTheDefault) {
    for (const entry& e : schema()) {
        if (e.default_text.empty()) continue;
        settings given, fresh;
        EXPECT_EQ(take(e, e.default_text, given), "") << e.key;
        if (e.same) {
            EXPECT_TRUE(e.same(given, fresh)) << e.key;
        }
    }
}

TEST(Schema, EveryEntrySaysWhatItIsAndTakes) {
    for (const entry& e : schema()) {
        EXPECT_FALSE(e.allowed.empty()) << e.key;
        EXPECT_FALSE(e.meaning.empty()) << e.key;
    }
}

TEST(Schema, EveryEntryRefusesADate) {
    for (const entry& e : schema()) {
        settings unused;
        EXPECT_EQ(take(e, "1979-05-27", unused), "is a date or time") << e.key;
    }
}

TEST(Schema, NoEntryTakesEveryKindOfValue) {
    for (const entry& e : schema()) {
        int refused = 0;
        for (const char* toml : {"true", "-1", "\"\\u0007\"", "[1]", "{ x = 1 }", "1.5"}) {
            settings unused;
            if (!take(e, toml, unused).empty()) ++refused;
        }
        EXPECT_GE(refused, 5) << e.key;
    }
}

TEST(Schema, OnlyIntentsHasNoDefault) {
    for (const entry& e : schema())
        EXPECT_EQ(e.default_text.empty(), e.key == "discord.intents") << e.key;
}

// --- the example file ---

TEST(ExampleFile, LoadsAsTheDefaults) {
    const loaded l = with_token().load(source_file("config/shardgate.example.toml"));
    ASSERT_TRUE(l.settings) << all_text(l);
    settings given = *l.settings;
    settings fresh;
    given.discord.intents = 0;                            // the example has some
    fresh.filter.guild_create = guild_create_mode::mark;  // "auto", resolved
    for (const entry& e : schema())
        if (e.same) {
            EXPECT_TRUE(e.same(given, fresh)) << e.key;
        }
    EXPECT_TRUE(given.handler.authorization.empty());
    EXPECT_TRUE(given.handler.signing_keys.empty());
    EXPECT_TRUE(given.admin.token.empty());
}

TEST(ExampleFile, HasEveryKeyInOrderAndAtItsDefault) {
    std::istringstream lines(source_file("config/shardgate.example.toml"));
    std::vector<std::string> keys;
    std::string section;
    for (std::string line; std::getline(lines, line);) {
        if (line.empty() || line.front() == '#') continue;
        if (line.front() == '[') {
            section = line.substr(1, line.size() - 2);
            continue;
        }
        const std::size_t equals = line.find(" = ");
        ASSERT_NE(equals, std::string::npos) << line;
        keys.push_back(section + '.' + line.substr(0, equals));
        const entry* const e = find_entry(keys.back());
        ASSERT_NE(e, nullptr) << line;
        if (!e->default_text.empty()) {
            EXPECT_EQ(line.substr(equals + 3), e->default_text) << line;
        }
    }
    EXPECT_EQ(keys, all_keys());
}

// --- docs/configuration.md ---

TEST(ConfigurationPage, HasARowForEveryKeyWithItsDefault) {
    const std::string page = source_file("docs/configuration.md");
    for (const entry& e : schema()) {
        const std::string shown = e.default_text.empty() ? "required" : '`' + e.default_text + '`';
        EXPECT_HAS(page, "\n| `" + e.key + "` | " + shown + " |");
    }
}

TEST(ConfigurationPage, HasNoRowForAKeyThatIsNotThere) {
    const std::string page = source_file("docs/configuration.md");
    const std::regex row("\n\\| `([a-z]+\\.[a-z_]+)` \\|");
    for (std::sregex_iterator it(page.begin(), page.end(), row), end; it != end; ++it) {
        const std::string key = (*it)[1];
        EXPECT_NE(find_entry(key), nullptr) << key;
    }
}

}  // namespace
}  // namespace shardgate::config::test
