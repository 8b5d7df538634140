// SPDX-License-Identifier: Apache-2.0
// One line of the schema: a key, what it accepts, and how its value gets into the settings.
// The factories below make the common kinds; schema_*.cpp fill the table with them.
// The only private header that shows TOML.
#pragma once

#include <toml++/toml.h>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/draft.hpp"
#include "config/text.hpp"
#include "shardgate/config/config.hpp"

namespace shardgate::config {

// What is wrong with a value; empty = it was taken. Never a secret's text.
using complaint = std::string;

struct entry {
    std::string key;           // "queue.max_bytes"
    std::string allowed;       // "a size from 1MiB to 1TiB"
    std::string default_text;  // TOML text of the default
    std::string meaning;       // one line
    std::function<complaint(draft&, const toml::node&)> take;
    // Whether two settings have the same value here; empty for secrets.
    std::function<bool(settings&, settings&)> same;
    // Takes the value over; empty for secrets.
    std::function<void(settings& from, settings& to)> copy;
};
using schema_part = std::vector<entry>;

// Finds a field: at<&settings::queue, &queue::max_bytes>.
template <class T>
using slot = T& (*)(settings&);
template <auto Section, auto Field>
auto& at(settings& s) {
    return (s.*Section).*Field;
}

// What a text value must look like; may bring it into its normal form.
using text_rule = complaint (*)(std::string& text);

template <class E>
using names = std::vector<std::pair<std::string_view, E>>;

[[nodiscard]] std::string_view type_name(const toml::node& value);
[[nodiscard]] complaint wrong_type(const toml::node& value);
[[nodiscard]] std::string toml_text(std::string_view text);
[[nodiscard]] std::string toml_text(const std::vector<std::string>& list);

[[nodiscard]] entry flag(std::string key, slot<bool> where, std::string meaning);
[[nodiscard]] entry number(std::string key, slot<std::uint32_t> where, std::uint32_t low,
                           std::uint32_t high, std::string meaning);
[[nodiscard]] entry number(std::string key, slot<std::uint64_t> where, std::uint64_t low,
                           std::uint64_t high, std::string meaning);
// A number, or `word` for "none given".
[[nodiscard]] entry number_or(std::string key, slot<std::optional<std::uint32_t>> where,
                              std::string word, std::uint32_t low, std::uint32_t high,
                              std::string meaning);
[[nodiscard]] entry duration(std::string key, slot<milliseconds> where, milliseconds low,
                             milliseconds high, std::string meaning);
[[nodiscard]] entry size(std::string key, slot<byte_count> where, byte_count low, byte_count high,
                         std::string meaning);
[[nodiscard]] entry text(std::string key, slot<std::string> where, std::string allowed,
                         text_rule rule, std::string meaning);
[[nodiscard]] entry text_list(std::string key, slot<std::vector<std::string>> where,
                              std::string allowed, std::size_t least, std::size_t most,
                              text_rule rule, std::string meaning);
// A secret's text or the path of its file: kept aside until every layer has been read.
[[nodiscard]] entry secret_text(std::string key, std::string allowed, std::string meaning);

// One of several words.
template <class E>
[[nodiscard]] entry choice(std::string key, slot<E> where, names<E> words, std::string meaning);

// ---- templates' bodies ----

template <class T>
std::function<bool(settings&, settings&)> compare(slot<T> where) {
    return [where](settings& a, settings& b) { return where(a) == where(b); };
}
template <class T>
std::function<void(settings&, settings&)> copier(slot<T> where) {
    return [where](settings& from, settings& to) { where(to) = where(from); };
}

template <class E>
entry choice(std::string key, slot<E> where, names<E> words, std::string meaning) {
    entry e;
    e.key = std::move(key);
    e.meaning = std::move(meaning);
    settings defaults;
    for (const auto& [word, value] : words) {
        e.allowed += e.allowed.empty() ? "one of " : ", ";
        e.allowed += toml_text(word);
        if (value == where(defaults)) e.default_text = toml_text(word);
    }
    e.take = [where, words = std::move(words)](draft& d, const toml::node& value) -> complaint {
        const auto* given = value.as_string();
        if (given == nullptr) return wrong_type(value);
        for (const auto& [word, meant] : words) {
            if (given->get() != word) continue;
            where(d.values) = meant;
            return {};
        }
        return "is " + in_quotes(given->get());
    };
    e.same = compare(where);
    e.copy = copier(where);
    return e;
}

}  // namespace shardgate::config
