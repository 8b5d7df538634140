// SPDX-License-Identifier: Apache-2.0
// Reads, checks and completes the configuration. Every problem at once, each with its place.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shardgate/base/result.hpp"
#include "shardgate/config/config.hpp"

namespace shardgate::config {

// FILE:LINE:COLUMN: key: what is wrong, what is allowed
struct problem {
    std::string file;
    std::uint32_t line = 0,
                  column = 0;  // 1-based; 0 = no place in the file (environment, missing key)
    std::string key;           // dotted: discord.token_file
    std::string what;

    [[nodiscard]] std::string text() const;
};

// Where values beside the file come from; tests give their own.
struct surroundings {
    std::function<std::optional<std::string>(std::string_view name)> environment;
    std::function<result<std::string>(const std::string& path)> read_file;  // bounded

    [[nodiscard]] static surroundings real();
};

// Values that win over environment and file (command line), as dotted key and TOML text of the
// value.
using overrides = std::vector<std::pair<std::string, std::string>>;

struct loaded {
    std::optional<config::settings> settings;  // only when problems is empty
    std::vector<problem> problems;             // in file order
};

[[nodiscard]] loaded load_file(const std::string& path, const overrides& over,
                               const surroundings& around);
[[nodiscard]] loaded load_text(std::string_view text, const std::string& name,
                               const overrides& over, const surroundings& around);

// Every key the file may have, dotted, in the order of the example file (checked against the docs).
[[nodiscard]] std::vector<std::string> all_keys();

}  // namespace shardgate::config
