// SPDX-License-Identifier: Apache-2.0
// The way of a configuration: TOML, the schema's entries, command line, secrets, checks.
#include "shardgate/config/load.hpp"

#include <toml++/toml.h>
#include <algorithm>
#include <utility>

#include "config/checks.hpp"
#include "config/not_yet.hpp"
#include "config/schema.hpp"
#include "config/secrets.hpp"
#include "config/syntax.hpp"
#include "config/text.hpp"

namespace shardgate::config {
namespace {

const std::string command_line_name = "command line";

place place_of(const std::string& file, const toml::source_region& region) {
    return place{file, static_cast<std::uint32_t>(region.begin.line),
                 static_cast<std::uint32_t>(region.begin.column)};
}

void take_value(draft& d, const entry& e, const toml::node& value, layer from, place where) {
    d.note(e.key, from, std::move(where));
    if (std::string wrong = e.take(d, value); !wrong.empty())
        d.fault(e.key, wrong + ", allowed: " + e.allowed);
}

void unknown_key(draft& d, const place& where, const std::string& key) {
    // Looking for the nearest key is by far the most expensive step; a hostile file has thousands.
    const std::string_view near = d.full() ? std::string_view() : nearest_key(key, key_names());
    d.fault_at(where, key, "unknown key, the nearest known one is " + std::string(near));
}

void read_section(draft& d, const std::string& file, const std::string& section,
                  const toml::table& content) {
    for (const auto& [name, value] : content) {
        const std::string key = section + '.' + std::string(name.str());
        const entry* const e = find_entry(key);
        if (e == nullptr)
            unknown_key(d, place_of(file, name.source()), key);
        else
            take_value(d, *e, value, layer::file, place_of(file, value.source()));
    }
}

void read_file_table(draft& d, const std::string& file, const toml::table& root) {
    const auto& sections = section_names();
    for (const auto& [name, value] : root) {
        const std::string section(name.str());
        const place where = place_of(file, name.source());
        const bool known = std::find(sections.begin(), sections.end(), section) != sections.end();
        if (const toml::table* const content = value.as_table(); known && content != nullptr)
            read_section(d, file, section, *content);
        else if (known)
            d.fault_at(where, section, wrong_type(value) + ", allowed: a table, [" + section + ']');
        else if (value.is_table())
            d.fault_at(where, section,
                       "unknown section, the nearest known one is [" +
                           std::string(nearest(section, sections)) + ']');
        else
            unknown_key(d, where, section);
    }
}

void read_override(draft& d, const std::string& key, const std::string& text) {
    const place where{command_line_name, 0, 0};
    const entry* const e = find_entry(key);
    if (e == nullptr) return unknown_key(d, where, key);
    const parsed_toml parsed = parse_value(text);
    if (!parsed.table) return d.fault_at(where, key, "is not a TOML value, allowed: " + e->allowed);
    take_value(d, *e, *parsed.table->get("value"), layer::command_line, where);
}

// "auto" depends on the envelope: only Discordeno's own (data) knows GUILD_LOADED_DD.
void resolve_automatic(settings& s) {
    if (s.filter.guild_create != guild_create_mode::automatic) return;
    s.filter.guild_create = s.handler.envelope == envelope_mode::data ? guild_create_mode::mark
                                                                      : guild_create_mode::pass;
}

loaded finish(draft& d) {
    loaded out;
    out.problems = d.take_problems();
    if (!out.problems.empty()) return out;
    resolve_automatic(d.values);
    out.settings = std::move(d.values);
    return out;
}

}  // namespace

loaded load_text(std::string_view text, const std::string& name, const overrides& over,
                 const surroundings& around) {
    draft d(name);
    const parsed_toml parsed = parse_document(text);
    if (!parsed.table) {
        const place where{name, parsed.line, parsed.column};
        d.fault_at(where, "", parsed.wrong);
        return finish(d);
    }
    read_file_table(d, name, *parsed.table);
    for (const auto& [key, value] : over)
        read_override(d, key, value);
    resolve_secrets(d, around);
    refuse_not_yet(d);
    check_together(d, around);
    return finish(d);
}

loaded load_file(const std::string& path, const overrides& over, const surroundings& around) {
    const result<std::string> content = around.read_file(path);
    if (content) return load_text(*content, path, over, around);
    draft d(path);
    d.fault("", "cannot read the file: " + content.error().detail);
    return finish(d);
}

}  // namespace shardgate::config
