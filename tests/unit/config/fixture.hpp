// SPDX-License-Identifier: Apache-2.0
// A world without files or environment, and short ways to load a text in it.
#pragma once

#include <gtest/gtest.h>

#include <boost/system/errc.hpp>
#include <map>
#include <string>
#include <string_view>

#include "shardgate/config/load.hpp"

namespace shardgate::config::test {

inline const std::string token = "MTIz.secret-part.9";

struct world {
    std::map<std::string, std::string, std::less<>> variables;
    std::map<std::string, std::string, std::less<>> files;

    // What it returns refers to this world.
    [[nodiscard]] surroundings around() const {
        surroundings s;
        s.environment = [this](std::string_view name) -> std::optional<std::string> {
            const auto found = variables.find(name);
            if (found == variables.end()) return std::nullopt;
            return found->second;
        };
        s.read_file = [this](const std::string& path) -> result<std::string> {
            const auto found = files.find(path);
            if (found != files.end())
                return result<std::string>(boost::system::in_place_value, found->second);
            const auto code = boost::system::errc::make_error_code(
                boost::system::errc::no_such_file_or_directory);
            return failure(code, "No such file or directory");
        };
        return s;
    }

    [[nodiscard]] loaded load(std::string_view text, const overrides& over = {}) const {
        return load_text(text, "bot.toml", over, around());
    }
};

// A world that needs no more than intents to have a complete configuration.
inline world with_token() {
    world w;
    w.variables["SHARDGATE_TOKEN"] = token;
    return w;
}

inline const std::string intents_line = "discord.intents = [\"GUILDS\"]\n";

// `text` with intents and token added.
inline loaded load_with(std::string_view text, const overrides& over = {}) {
    return with_token().load(intents_line + std::string(text), over);
}

inline std::string all_text(const loaded& l) {
    std::string out;
    for (const problem& p : l.problems)
        out += p.text() + '\n';
    return out;
}

// The settings of a text that must be right.
inline settings good(std::string_view text, const overrides& over = {}) {
    const loaded l = load_with(text, over);
    EXPECT_TRUE(l.settings.has_value()) << text << '\n' << all_text(l);
    return l.settings.value_or(settings{});
}

// The one problem of a text that must be wrong.
inline problem bad(std::string_view text, const overrides& over = {}) {
    const loaded l = load_with(text, over);
    EXPECT_FALSE(l.settings.has_value()) << text;
    EXPECT_EQ(l.problems.size(), 1U) << text << '\n' << all_text(l);
    return l.problems.empty() ? problem{} : l.problems.front();
}

#define EXPECT_HAS(text, part) EXPECT_NE(std::string(text).find(part), std::string::npos) << (text)
#define EXPECT_HAS_NOT(text, part) \
    EXPECT_EQ(std::string(text).find(part), std::string::npos) << (text)

}  // namespace shardgate::config::test
