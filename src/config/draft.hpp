// SPDX-License-Identifier: Apache-2.0
// The configuration while it is being read: values so far, where each was given, what is wrong.
// Private to src/config. Knows nothing of TOML.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "shardgate/config/config.hpp"
#include "shardgate/config/load.hpp"

namespace shardgate::config {

// Where a value stands. Line 0: not in a file that has lines (command line, environment).
struct place {
    std::string file;
    std::uint32_t line = 0, column = 0;
};

// Lowest first: a later one wins.
enum class layer : std::uint8_t { file, environment, command_line };

// What a layer gave for a secret: the text itself or the path of a file that has it.
struct given_text {
    std::string text;
    layer from = layer::file;
    place where;
};

class draft {
public:
    explicit draft(std::string file) : file_(std::move(file)) {}

    config::settings values;
    // Secrets and their files by key, as given and not yet chosen from (secrets.cpp). A layer
    // overwrites its own earlier value only.
    std::map<std::string, std::vector<given_text>, std::less<>> secrets;

    // Notes that `key` was given at `where`, by `from`; the last note is the one that counts.
    void note(std::string_view key, layer from, place where);
    [[nodiscard]] bool given(std::string_view key) const;
    [[nodiscard]] layer current_layer() const noexcept { return layer_; }
    [[nodiscard]] const place& current_place() const noexcept { return place_; }

    // A problem at the place where `key` was given, or nowhere in the file if it was not.
    void fault(std::string_view key, std::string what);
    void fault_at(const place& where, std::string_view key, std::string what);
    // A problem with a value that is right in itself: `key` does not count as faulty.
    void refuse(std::string_view key, std::string what);
    // True when `key` already has a problem: a check that builds on it would only confuse.
    [[nodiscard]] bool faulty(std::string_view key) const;
    [[nodiscard]] bool any_faulty(std::initializer_list<std::string_view> keys) const;

    // Further problems are only counted: what would explain them need not be worked out.
    [[nodiscard]] bool full() const noexcept;

    // In file order, those without a place last; bounded.
    [[nodiscard]] std::vector<problem> take_problems();

private:
    [[nodiscard]] place place_of(std::string_view key) const;
    void add(const place& where, std::string_view key, std::string what);

    std::string file_;
    std::map<std::string, place, std::less<>> places_;
    std::set<std::string, std::less<>> faulty_;
    std::vector<problem> problems_;
    std::size_t left_out_ = 0;
    layer layer_ = layer::file;
    place place_;
};

}  // namespace shardgate::config
