// SPDX-License-Identifier: Apache-2.0
// How each kind of value is read from TOML.
#include "config/entry.hpp"

#include <algorithm>

#include "config/text.hpp"
#include "config/values.hpp"

namespace shardgate::config {
namespace {

entry named(std::string key, std::string meaning) {
    entry e;
    e.key = std::move(key);
    e.meaning = std::move(meaning);
    return e;
}

template <class T>
entry whole_number(std::string key, slot<T> where, T low, T high, std::string meaning) {
    entry e = named(std::move(key), std::move(meaning));
    e.allowed = "a whole number from " + std::to_string(low) + " to " + std::to_string(high);
    settings defaults;
    e.default_text = std::to_string(where(defaults));
    e.take = [where, low, high](draft& d, const toml::node& value) -> complaint {
        const auto* given = value.as_integer();
        if (given == nullptr) return wrong_type(value);
        const std::int64_t n = given->get();
        if (n < 0 || static_cast<std::uint64_t>(n) < low || static_cast<std::uint64_t>(n) > high)
            return "is " + std::to_string(n);
        where(d.values) = static_cast<T>(n);
        return {};
    };
    e.same = compare(where);
    e.copy = copier(where);
    return e;
}

}  // namespace

std::string_view type_name(const toml::node& value) {
    switch (value.type()) {
    case toml::node_type::table: return "a table";
    case toml::node_type::array: return "an array";
    case toml::node_type::string: return "text";
    case toml::node_type::integer: return "a whole number";
    case toml::node_type::floating_point: return "a number with a fraction";
    case toml::node_type::boolean: return "true or false";
    default: return "a date or time";
    }
}

complaint wrong_type(const toml::node& value) {
    return std::string("is ").append(type_name(value));
}

std::string toml_text(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (is_control(c)) {
            out.append("\\u00").append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
            continue;
        }
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

std::string toml_text(const std::vector<std::string>& list) {
    std::string out = "[";
    for (const std::string& item : list) {
        if (out.size() > 1) out += ", ";
        out += toml_text(item);
    }
    return out + "]";
}

entry flag(std::string key, slot<bool> where, std::string meaning) {
    entry e = named(std::move(key), std::move(meaning));
    e.allowed = "true or false";
    settings defaults;
    e.default_text = where(defaults) ? "true" : "false";
    e.take = [where](draft& d, const toml::node& value) -> complaint {
        const auto* given = value.as_boolean();
        if (given == nullptr) return wrong_type(value);
        where(d.values) = given->get();
        return {};
    };
    e.same = compare(where);
    e.copy = copier(where);
    return e;
}

entry number(std::string key, slot<std::uint32_t> where, std::uint32_t low, std::uint32_t high,
             std::string meaning) {
    return whole_number(std::move(key), where, low, high, std::move(meaning));
}

entry number(std::string key, slot<std::uint64_t> where, std::uint64_t low, std::uint64_t high,
             std::string meaning) {
    return whole_number(std::move(key), where, low, high, std::move(meaning));
}

entry number_or(std::string key, slot<std::optional<std::uint32_t>> where, std::string word,
                std::uint32_t low, std::uint32_t high, std::string meaning) {
    entry e = named(std::move(key), std::move(meaning));
    e.default_text = toml_text(word);
    e.allowed = e.default_text + " or a whole number from " + std::to_string(low) + " to " +
                std::to_string(high);
    e.take = [where, low, high, word](draft& d, const toml::node& value) -> complaint {
        if (const auto* text = value.as_string()) {
            if (text->get() != word) return "is " + in_quotes(text->get());
            where(d.values).reset();
            return {};
        }
        const auto* given = value.as_integer();
        if (given == nullptr) return wrong_type(value);
        const std::int64_t n = given->get();
        if (n < low || n > high) return "is " + std::to_string(n);
        where(d.values) = static_cast<std::uint32_t>(n);
        return {};
    };
    e.same = compare(where);
    e.copy = copier(where);
    return e;
}

entry duration(std::string key, slot<milliseconds> where, milliseconds low, milliseconds high,
               std::string meaning) {
    entry e = named(std::move(key), std::move(meaning));
    e.allowed = "a duration from " + format_duration(low) + " to " + format_duration(high) +
                R"(, as text with a unit: "250ms", "5s", "10m", "8h")";
    settings defaults;
    e.default_text = toml_text(format_duration(where(defaults)));
    e.take = [where, low, high](draft& d, const toml::node& value) -> complaint {
        const auto* given = value.as_string();
        if (given == nullptr) return wrong_type(value);
        const auto parsed = parse_duration(given->get());
        if (!parsed || *parsed < low || *parsed > high) return "is " + in_quotes(given->get());
        where(d.values) = *parsed;
        return {};
    };
    e.same = compare(where);
    e.copy = copier(where);
    return e;
}

entry size(std::string key, slot<byte_count> where, byte_count low, byte_count high,
           std::string meaning) {
    entry e = named(std::move(key), std::move(meaning));
    e.allowed = "a size from " + format_size(low) + " to " + format_size(high) +
                R"(, as text with a unit: "512MiB", "10GiB")";
    settings defaults;
    e.default_text = toml_text(format_size(where(defaults)));
    e.take = [where, low, high](draft& d, const toml::node& value) -> complaint {
        const auto* given = value.as_string();
        if (given == nullptr) return wrong_type(value);
        const auto parsed = parse_size(given->get());
        if (!parsed || *parsed < low || *parsed > high) return "is " + in_quotes(given->get());
        where(d.values) = *parsed;
        return {};
    };
    e.same = compare(where);
    e.copy = copier(where);
    return e;
}

entry text(std::string key, slot<std::string> where, std::string allowed, text_rule rule,
           std::string meaning) {
    entry e = named(std::move(key), std::move(meaning));
    e.allowed = std::move(allowed);
    settings defaults;
    e.default_text = toml_text(where(defaults));
    e.take = [where, rule](draft& d, const toml::node& value) -> complaint {
        const auto* given = value.as_string();
        if (given == nullptr) return wrong_type(value);
        std::string normal = given->get();
        complaint wrong = rule(normal);
        if (wrong.empty()) where(d.values) = std::move(normal);
        return wrong;
    };
    e.same = compare(where);
    e.copy = copier(where);
    return e;
}

entry text_list(std::string key, slot<std::vector<std::string>> where, std::string allowed,
                std::size_t least, std::size_t most, text_rule rule, std::string meaning) {
    entry e = named(std::move(key), std::move(meaning));
    e.allowed = std::move(allowed);
    settings defaults;
    e.default_text = toml_text(where(defaults));
    e.take = [where, least, most, rule](draft& d, const toml::node& value) -> complaint {
        const auto* given = value.as_array();
        if (given == nullptr) return wrong_type(value);
        if (given->size() < least) return "is empty";
        if (given->size() > most) return "has " + std::to_string(given->size()) + " elements";
        std::vector<std::string> list;
        for (const toml::node& element : *given) {
            const std::string which = "element " + std::to_string(list.size() + 1);
            const auto* item = element.as_string();
            if (item == nullptr) return which + ' ' + wrong_type(element);
            std::string normal = item->get();
            if (complaint wrong = rule(normal); !wrong.empty()) return which + ' ' + wrong;
            if (std::find(list.begin(), list.end(), normal) != list.end())
                return which + " is there already";
            list.push_back(std::move(normal));
        }
        where(d.values) = std::move(list);
        return {};
    };
    e.same = compare(where);
    e.copy = copier(where);
    return e;
}

entry secret_text(std::string key, std::string allowed, std::string meaning) {
    entry e = named(key, std::move(meaning));
    e.allowed = std::move(allowed);
    e.default_text = R"("")";
    e.take = [key = std::move(key)](draft& d, const toml::node& value) -> complaint {
        const auto* given = value.as_string();
        if (given == nullptr) return wrong_type(value);
        given_text kept;
        kept.text = given->get();
        kept.from = d.current_layer();
        kept.where = d.current_place();
        auto& all = d.secrets[key];
        std::erase_if(all, [&](const given_text& old) { return old.from == kept.from; });
        all.push_back(std::move(kept));
        return {};
    };
    return e;
}

}  // namespace shardgate::config
