// SPDX-License-Identifier: Apache-2.0
// The texts we send to the gateway (Discord docs, Gateway Events, Send Events). Written by hand:
// they are few and flat, and the token must pass through as little code as can be.
#include "shardgate/protocol/outbound.hpp"

#include <cstddef>

#include "shardgate/protocol/json_text.hpp"

namespace shardgate {
namespace {

// Discord wants properties in every IDENTIFY (Gateway Events, Identify Structure).
constexpr std::string_view default_properties =
    R"({"os":"linux","browser":"shardgate","device":"shardgate"})";

void replace_all(std::string& text, std::string_view what, std::string_view with) {
    for (std::size_t at = text.find(what); at != std::string::npos;
         at = text.find(what, at + with.size()))
        text.replace(at, what.size(), with);
}

// Whether a query parameter is one that gateway_address() decides.
bool is_ours(std::string_view parameter) {
    const std::string_view name = parameter.substr(0, parameter.find('='));
    return name == "v" || name == "encoding" || name == "compress";
}

// The parameters of `query` that are not ours, each with a leading '&'.
std::string foreign_parameters(std::string_view query) {
    std::string kept;
    while (!query.empty()) {
        const std::size_t end = query.find('&');
        const std::string_view parameter = query.substr(0, end);
        if (!parameter.empty() && !is_ours(parameter)) kept.append("&").append(parameter);
        query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
    }
    return kept;
}

}  // namespace

std::string heartbeat_text(std::optional<std::uint64_t> seq) {
    std::string text = R"({"op":1,"d":)";
    text += seq ? std::to_string(*seq) : "null";
    text += '}';
    return text;
}

std::string identify_text(const identify_profile& profile, shard_id shard, shard_count shards) {
    std::string text = R"({"op":2,"d":{"token":)";
    append_json_string(text, profile.token.reveal());
    text += R"(,"properties":)";
    text += profile.properties.empty() ? default_properties : std::string_view(profile.properties);
    text += R"(,"large_threshold":)";
    text += std::to_string(profile.large_threshold);
    text += R"(,"shard":[)";
    text += std::to_string(shard.value);
    text += ',';
    text += std::to_string(shards.value);
    text += R"(],"intents":)";
    text += std::to_string(profile.intents);
    if (profile.capabilities != 0) {
        text += R"(,"capabilities":)";
        text += std::to_string(profile.capabilities);
    }
    if (!profile.presence.empty()) {
        text += R"(,"presence":)";
        text += fill_presence(profile.presence, shard, shards);
    }
    text += "}}";
    return text;
}

std::string resume_text(const secret& token, std::string_view session_id, seq_no seq) {
    std::string text = R"({"op":6,"d":{"token":)";
    append_json_string(text, token.reveal());
    text += R"(,"session_id":)";
    append_json_string(text, session_id);
    text += R"(,"seq":)";
    text += std::to_string(seq.value);
    text += "}}";
    return text;
}

std::string fill_presence(std::string_view presence, shard_id shard, shard_count shards) {
    // "{{" cannot stand outside a string in JSON, and digits need no escape inside one.
    std::string text(presence);
    replace_all(text, "{{shard}}", std::to_string(shard.value));
    replace_all(text, "{{shards}}", std::to_string(shards.value));
    return text;
}

std::string gateway_address(std::string_view base, std::string_view compression) {
    base = base.substr(0, base.find('#'));
    const std::size_t question = base.find('?');
    const std::string_view query =
        question == std::string_view::npos ? std::string_view{} : base.substr(question + 1);

    std::string address(base.substr(0, question));
    const std::size_t scheme = address.find("://");
    const std::size_t authority = scheme == std::string::npos ? 0 : scheme + 3;
    if (address.find('/', authority) == std::string::npos) address += '/';
    address += "?v=10&encoding=json";
    if (!compression.empty()) address.append("&compress=").append(compression);
    address += foreign_parameters(query);
    return address;
}

}  // namespace shardgate
