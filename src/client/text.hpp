// SPDX-License-Identifier: Apache-2.0
// Numbers and text for a person at a terminal. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace shardgate::client {

// Without what could drive the terminal or break a line: control characters (C1 too) become "?".
[[nodiscard]] std::string printable(std::string_view text);

[[nodiscard]] std::string bytes_text(std::uint64_t bytes);  // "512 B", "2.1 MiB"
[[nodiscard]] std::string age_text(double seconds);         // "0.3 s", "5 min 3 s", "2 d 4 h"

// Rows under a heading, as wide as they need to be, two spaces between. A column of numbers is
// set to the right. Cells are made printable.
class text_table {
public:
    enum class side : std::uint8_t { left, right };
    struct column {
        std::string name;
        side at = side::left;
    };
    explicit text_table(std::vector<column> columns) : columns_(std::move(columns)) {}

    void add(std::vector<std::string> cells);  // pre: as many as columns
    [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
    // A heading is left out when no column has a name.
    [[nodiscard]] std::string text(std::string_view indent = {}) const;

private:
    std::vector<column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace shardgate::client
