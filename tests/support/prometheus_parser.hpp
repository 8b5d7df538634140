// SPDX-License-Identifier: Apache-2.0
// A strict reader of the Prometheus text format (0.0.4) for tests: stricter than Prometheus itself,
// which accepts a family in pieces. Throws std::runtime_error with the line's number.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace shardgate::test {

struct metric_sample {
    std::string name;
    std::vector<std::pair<std::string, std::string>> labels;
    double value = 0;

    [[nodiscard]] std::string label(std::string_view key) const {
        for (const auto& [k, v] : labels)
            if (k == key) return v;
        return {};
    }
};

struct metric_family {
    std::string name, type, help;
    std::vector<metric_sample> samples;
};

class prometheus_page {
public:
    explicit prometheus_page(std::string_view text) {
        if (!text.empty() && text.back() != '\n') fail("the last line has no end");
        while (!text.empty()) {
            const std::size_t end = text.find('\n');
            ++line_;
            parse_line(text.substr(0, end));
            text.remove_prefix(end + 1);
        }
        for (const metric_family& f : families_)
            check_family(f);
    }

    [[nodiscard]] const std::vector<metric_family>& families() const& { return families_; }
    void families() && = delete;  // a loop over it would outlive the page
    [[nodiscard]] const metric_family& family(std::string_view name) const {
        for (const metric_family& f : families_)
            if (f.name == name) return f;
        throw std::runtime_error("no family " + std::string(name));
    }
    // The value of the one sample with these labels.
    [[nodiscard]] double value(std::string_view name,
                               std::vector<std::pair<std::string, std::string>> labels = {}) const {
        for (const metric_family& f : families_)
            for (const metric_sample& s : f.samples)
                if (s.name == name && s.labels == labels) return s.value;
        throw std::runtime_error("no sample " + std::string(name));
    }

private:
    [[noreturn]] void fail(const std::string& what) const {
        throw std::runtime_error("line " + std::to_string(line_) + ": " + what);
    }

    static bool is_name(std::string_view s, bool colon) {
        if (s.empty() || (s[0] >= '0' && s[0] <= '9')) return false;
        for (const char c : s)
            if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || (colon && c == ':')))
                return false;
        return true;
    }

    void parse_line(std::string_view line) {
        if (line.empty()) fail("empty line");
        if (line.starts_with("# HELP "))
            parse_help(line.substr(7));
        else if (line.starts_with("# TYPE "))
            parse_type(line.substr(7));
        else if (line[0] == '#')
            fail("comment");
        else
            parse_sample(line);
    }

    void parse_help(std::string_view rest) {
        const std::size_t space = rest.find(' ');
        if (space == std::string_view::npos) fail("HELP without a text");
        metric_family f;
        f.name = rest.substr(0, space);
        f.help = rest.substr(space + 1);
        if (!is_name(f.name, true)) fail("bad metric name " + f.name);
        if (!seen_.insert(f.name).second) fail(f.name + " begins twice");
        families_.push_back(std::move(f));
        typed_ = false;
    }

    void parse_type(std::string_view rest) {
        const std::size_t space = rest.find(' ');
        if (space == std::string_view::npos) fail("TYPE without a type");
        if (families_.empty() || families_.back().name != rest.substr(0, space) || typed_)
            fail("TYPE does not follow its HELP");
        families_.back().type = rest.substr(space + 1);
        const std::set<std::string> known{"counter", "gauge", "histogram"};
        if (!known.contains(families_.back().type)) fail("unknown type");
        typed_ = true;
    }

    void parse_sample(std::string_view line) {
        if (families_.empty() || !typed_) fail("sample outside a family");
        metric_sample s;
        std::size_t at = line.find_first_of("{ ");
        if (at == std::string_view::npos) fail("sample without a value");
        s.name = line.substr(0, at);
        if (!is_name(s.name, true)) fail("bad sample name " + s.name);
        if (line[at] == '{') at = parse_labels(line, at + 1, s);
        if (at >= line.size() || line[at] != ' ') fail("no space before the value");
        const std::string text(line.substr(at + 1));
        if (text.empty() || text.find(' ') != std::string::npos) fail("bad value");
        char* end = nullptr;
        s.value = std::strtod(text.c_str(), &end);
        if (*end != '\0') fail("bad value " + text);
        check_belongs(s);
        families_.back().samples.push_back(std::move(s));
    }

    std::size_t parse_labels(std::string_view line, std::size_t at, metric_sample& s) {
        for (;;) {
            const std::size_t equals = line.find('=', at);
            if (equals == std::string_view::npos) fail("label without a value");
            std::string name(line.substr(at, equals - at));
            if (!is_name(name, false)) fail("bad label name " + name);
            if (!s.label(name).empty()) fail("label twice");
            at = equals + 1;
            if (at >= line.size() || line[at] != '"') fail("label value not quoted");
            std::string value;
            for (++at; at < line.size() && line[at] != '"'; ++at) {
                if (line[at] != '\\') {
                    value += line[at];
                    continue;
                }
                if (++at >= line.size()) fail("cut escape");
                if (line[at] == 'n')
                    value += '\n';
                else if (line[at] == '\\' || line[at] == '"')
                    value += line[at];
                else
                    fail("unknown escape");
            }
            if (at >= line.size()) fail("label value without an end");
            s.labels.emplace_back(std::move(name), std::move(value));
            ++at;
            if (at < line.size() && line[at] == '}') return at + 1;
            if (at >= line.size() || line[at] != ',') fail("labels without an end");
            ++at;
        }
    }

    void check_belongs(const metric_sample& s) {
        const metric_family& f = families_.back();
        const bool part =
            f.type == "histogram" && (s.name == f.name + "_bucket" || s.name == f.name + "_sum" ||
                                      s.name == f.name + "_count");
        if (f.type == "histogram" ? !part : s.name != f.name) fail("not of this family: " + s.name);
        if (!unique_.insert({s.name, s.labels}).second) fail("the same sample twice: " + s.name);
    }

    void check_family(const metric_family& f) const {
        const bool total = f.name.ends_with("_total");
        if ((f.type == "counter") != total)
            throw std::runtime_error(f.name + ": _total is for counters, and for all of them");
        for (const metric_sample& s : f.samples)
            if (f.type == "counter" && !(s.value >= 0))
                throw std::runtime_error(f.name + ": a counter below zero");
        if (f.type == "histogram") check_histogram(f);
    }

    static void check_histogram(const metric_family& f) {
        double previous = -1, previous_bound = -1, infinite = -1;
        for (const metric_sample& s : f.samples) {
            if (s.name == f.name + "_bucket") {
                const double bound = std::strtod(s.label("le").c_str(), nullptr);
                if (bound <= previous_bound || s.value < previous)
                    throw std::runtime_error(f.name + ": buckets are not cumulative");
                previous_bound = bound;
                previous = s.value;
                if (std::isinf(bound)) infinite = s.value;
            } else if (s.name == f.name + "_count" && s.value != infinite) {
                throw std::runtime_error(f.name + ": _count is not the +Inf bucket");
            }
        }
        if (infinite < 0) throw std::runtime_error(f.name + ": no +Inf bucket");
    }

    using identity = std::pair<std::string, std::vector<std::pair<std::string, std::string>>>;
    std::vector<metric_family> families_;
    std::set<std::string> seen_;
    std::set<identity> unique_;
    std::size_t line_ = 0;
    bool typed_ = false;
};

}  // namespace shardgate::test
