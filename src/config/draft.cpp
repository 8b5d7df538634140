// SPDX-License-Identifier: Apache-2.0
// Bookkeeping of places and problems while the configuration is read.
#include "config/draft.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "config/text.hpp"

namespace shardgate::config {
namespace {

// A hostile or hopeless file must not print for ever.
constexpr std::size_t max_problems = 200;
constexpr std::size_t max_key_shown = 80;

}  // namespace

std::string problem::text() const {
    std::string out = file;
    if (line != 0) out += ':' + std::to_string(line) + ':' + std::to_string(column);
    out += ": ";
    if (!key.empty()) out += key + ": ";
    return out + what;
}

void draft::note(std::string_view key, layer from, place where) {
    layer_ = from;
    place_ = std::move(where);
    places_.insert_or_assign(std::string(key), place_);
}

bool draft::given(std::string_view key) const {
    return places_.find(key) != places_.end();
}

place draft::place_of(std::string_view key) const {
    const auto found = places_.find(key);
    return found == places_.end() ? place{file_, 0, 0} : found->second;
}

void draft::fault(std::string_view key, std::string what) {
    fault_at(place_of(key), key, std::move(what));
}

void draft::fault_at(const place& where, std::string_view key, std::string what) {
    faulty_.emplace(key);
    add(where, key, std::move(what));
}

void draft::refuse(std::string_view key, std::string what) {
    add(place_of(key), key, std::move(what));
}

void draft::add(const place& where, std::string_view key, std::string what) {
    if (full()) {
        ++left_out_;
        return;
    }
    problem p;
    p.file = where.file;
    p.line = where.line;
    p.column = where.column;
    p.key = printable(key, max_key_shown);
    p.what = std::move(what);
    problems_.push_back(std::move(p));
}

bool draft::full() const noexcept {
    return problems_.size() >= max_problems;
}

bool draft::faulty(std::string_view key) const {
    return faulty_.find(key) != faulty_.end();
}

bool draft::any_faulty(std::initializer_list<std::string_view> keys) const {
    return std::any_of(keys.begin(), keys.end(),
                       [this](std::string_view key) { return faulty(key); });
}

std::vector<problem> draft::take_problems() {
    const auto order = [](const problem& a, const problem& b) {
        return std::tuple(a.line == 0, a.line, a.column) <
               std::tuple(b.line == 0, b.line, b.column);
    };
    std::stable_sort(problems_.begin(), problems_.end(), order);
    if (left_out_ != 0) {
        problem more;
        more.file = file_;
        more.what = std::to_string(left_out_) + " more problems are not shown";
        problems_.push_back(std::move(more));
    }
    return std::exchange(problems_, {});
}

}  // namespace shardgate::config
