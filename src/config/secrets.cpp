// SPDX-License-Identifier: Apache-2.0
// One table of secrets: where each may come from and what it must look like.
#include "config/secrets.hpp"

#include <algorithm>
#include <array>
#include <boost/system/errc.hpp>
#include <optional>
#include <utility>

#include "config/rules.hpp"
#include "config/text.hpp"

namespace shardgate::config {
namespace {

constexpr std::size_t max_secret = 4096;
constexpr std::size_t max_signing_keys = 16;
constexpr std::string_view bot_prefix = "Bot ";

// What is wrong with a secret; may bring it into its normal form.
using secret_check = std::string (*)(std::string& text);

struct secret_rule {
    std::string_view key;          // its twin is key + "_file"
    std::string_view environment;  // variable with the text, or ""
    std::string_view credential;   // file in $CREDENTIALS_DIRECTORY, or ""
    secret& (*where)(settings&);
    secret_check check;
};

std::string check_token(std::string& text) {
    if (text.substr(0, bot_prefix.size()) == bot_prefix) text.erase(0, bot_prefix.size());
    if (text.empty()) return "is empty";
    if (text.size() > max_secret) return "is too long";
    if (!is_visible_ascii(text)) return "has spaces, control or non-ASCII characters in it";
    return {};
}

// RFC 9110, 5.5: a field value; blanks around it would be taken off on the way.
std::string check_header_value(std::string& text) {
    if (text.empty()) return "is empty";
    if (text.size() > max_secret) return "is too long";
    if (std::any_of(text.begin(), text.end(), is_control)) return "has control characters in it";
    if (text.front() == ' ' || text.back() == ' ') return "begins or ends with a space";
    return {};
}

std::string check_bearer(std::string& text) {
    if (text.empty()) return "is empty";
    if (text.size() > max_secret) return "is too long";
    if (!is_visible_ascii(text)) return "has spaces, control or non-ASCII characters in it";
    return {};
}

secret& token_of(settings& s) {
    return s.discord.token;
}
secret& api_authorization_of(settings& s) {
    return s.discord.api_authorization;
}
secret& handler_secret_of(settings& s) {
    return s.handler.authorization;
}
secret& admin_token_of(settings& s) {
    return s.admin.token;
}
secret& metrics_token_of(settings& s) {
    return s.admin.metrics_token;
}

constexpr std::array secret_rules{
    secret_rule{"discord.token", "SHARDGATE_TOKEN", "discord-token", token_of, check_token},
    secret_rule{"discord.api_authorization", "", "", api_authorization_of, check_header_value},
    secret_rule{"handler.secret", "", "handler-secret", handler_secret_of, check_header_value},
    secret_rule{"admin.token", "", "admin-token", admin_token_of, check_bearer},
    secret_rule{"admin.metrics_token", "", "", metrics_token_of, check_bearer},
};

constexpr std::string_view signing_keys_key = "handler.signing_key_file";

std::string_view without_newline(std::string_view text) {
    if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
    return text;
}

// The non-empty text that `from` gave for `key`; null when it gave none.
const given_text* given_by(const draft& d, std::string_view key, layer from) {
    const auto found = d.secrets.find(key);
    if (found == d.secrets.end()) return nullptr;
    for (const given_text& g : found->second)
        if (g.from == from && !g.text.empty()) return &g;
    return nullptr;
}

void take(draft& d, const secret_rule& rule, const place& where, std::string_view named,
          std::string text) {
    std::string wrong = rule.check(text);
    if (wrong.empty())
        rule.where(d.values) = secret(std::move(text));
    else
        d.fault_at(where, named, std::move(wrong));
}

std::optional<std::string> read(draft& d, const surroundings& around, const given_text& path,
                                std::string_view key) {
    std::string normal = path.text;
    if (std::string wrong = path_rule(normal); !wrong.empty()) {
        d.fault_at(path.where, key, wrong + ", allowed: an absolute path");
        return std::nullopt;
    }
    result<std::string> content = around.read_file(normal);
    if (!content) {
        d.fault_at(path.where, key,
                   "cannot read " + in_quotes(normal) + ": " + content.error().detail);
        return std::nullopt;
    }
    return std::move(content).value();
}

void refuse_both(draft& d, const secret_rule& rule, layer from) {
    const std::string file_key = std::string(rule.key) + "_file";
    const given_text* const text = given_by(d, rule.key, from);
    const given_text* const path = given_by(d, file_key, from);
    if (text == nullptr || path == nullptr) return;
    d.fault_at(text->where, rule.key,
               "is given together with " + file_key + ", allowed: one of the two");
}

// True when this layer gave the secret, rightly or wrongly.
bool from_layer(draft& d, const secret_rule& rule, const surroundings& around, layer from) {
    const std::string file_key = std::string(rule.key) + "_file";
    const given_text* const text = given_by(d, rule.key, from);
    const given_text* const path = given_by(d, file_key, from);
    if (text != nullptr) {
        take(d, rule, text->where, rule.key, text->text);
        return true;
    }
    if (path == nullptr) return false;
    if (const auto content = read(d, around, *path, file_key))
        take(d, rule, path->where, file_key, std::string(without_newline(*content)));
    return true;
}

bool from_variable(draft& d, const secret_rule& rule, const surroundings& around) {
    if (rule.environment.empty()) return false;
    const auto text = around.environment(rule.environment);
    if (!text || text->empty()) return false;
    const place where{"environment " + std::string(rule.environment), 0, 0};
    take(d, rule, where, rule.key, std::string(without_newline(*text)));
    return true;
}

// systemd.exec(5), LoadCredential: files in a directory that only this service can read.
bool from_credentials(draft& d, const secret_rule& rule, const surroundings& around) {
    if (rule.credential.empty()) return false;
    const auto directory = around.environment("CREDENTIALS_DIRECTORY");
    if (!directory || directory->empty()) return false;
    const std::string path = *directory + '/' + std::string(rule.credential);
    const place where{"credential " + std::string(rule.credential), 0, 0};
    const result<std::string> content = around.read_file(path);
    if (content) {
        take(d, rule, where, rule.key, std::string(without_newline(*content)));
        return true;
    }
    // The unit need not pass every credential.
    if (content.error().code == boost::system::errc::no_such_file_or_directory) return false;
    d.fault_at(where, rule.key, "cannot read " + in_quotes(path) + ": " + content.error().detail);
    return true;
}

void resolve_signing_keys(draft& d, const surroundings& around) {
    const given_text* path = given_by(d, signing_keys_key, layer::command_line);
    if (path == nullptr) path = given_by(d, signing_keys_key, layer::file);
    if (path == nullptr) return;
    const auto content = read(d, around, *path, signing_keys_key);
    if (!content) return;
    std::vector<secret> keys;
    std::string_view rest = *content;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size() - 1);
        const std::string_view line = without_newline(rest.substr(0, end + 1));
        rest.remove_prefix(end + 1);
        if (!line.empty()) keys.emplace_back(std::string(line));
    }
    if (keys.empty() || keys.size() > max_signing_keys) {
        d.fault_at(path->where, signing_keys_key,
                   "has " + std::to_string(keys.size()) +
                       " keys in its file, allowed: 1 to 16, one a line");
        return;
    }
    d.values.handler.signing_keys = std::move(keys);
}

}  // namespace

void resolve_secrets(draft& d, const surroundings& around) {
    for (const secret_rule& rule : secret_rules) {
        // A contradiction in the file is an error even where another layer wins.
        refuse_both(d, rule, layer::file);
        refuse_both(d, rule, layer::command_line);
        if (d.faulty(rule.key)) continue;
        // What does not win is not read: an image may bring a file whose paths exist elsewhere.
        (void)(from_layer(d, rule, around, layer::command_line) || from_variable(d, rule, around) ||
               from_credentials(d, rule, around) || from_layer(d, rule, around, layer::file));
    }
    resolve_signing_keys(d, around);
}

// ---- for a reload

const std::vector<std::string_view>& secret_keys() {
    static const std::vector<std::string_view> keys = [] {
        std::vector<std::string_view> all;
        for (const secret_rule& rule : secret_rules)
            all.push_back(rule.key);
        all.push_back(signing_keys_key);
        return all;
    }();
    return keys;
}

bool same_secret(std::string_view key, settings& a, settings& b) {
    if (key == signing_keys_key)
        return std::equal(a.handler.signing_keys.begin(), a.handler.signing_keys.end(),
                          b.handler.signing_keys.begin(), b.handler.signing_keys.end(),
                          [](const secret& x, const secret& y) { return x.equals(y.reveal()); });
    for (const secret_rule& rule : secret_rules)
        if (rule.key == key) return rule.where(a).equals(rule.where(b).reveal());
    return true;
}

void copy_secret(std::string_view key, settings& from, settings& to) {
    if (key == signing_keys_key) to.handler.signing_keys = from.handler.signing_keys;
    for (const secret_rule& rule : secret_rules)
        if (rule.key == key) rule.where(to) = rule.where(from);
}

}  // namespace shardgate::config
