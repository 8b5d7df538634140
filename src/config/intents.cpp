// SPDX-License-Identifier: Apache-2.0
// discord.intents: names, or the number that Discord's documentation computes from them.
#include "shardgate/protocol/intents.hpp"

#include "config/schema.hpp"
#include "config/text.hpp"

namespace shardgate::config {
namespace {

std::string unknown_bits(std::uint64_t mask) {
    std::string bits;
    for (unsigned bit = 0; bit < 64; ++bit) {
        if ((mask >> bit & 1U) == 0) continue;
        bits += (bits.empty() ? "" : ", ") + std::to_string(bit);
    }
    return bits;
}

std::string_view nearest_intent(std::string_view name) {
    std::vector<std::string_view> names;
    for (const intent& known : known_intents())
        names.push_back(known.name);
    return nearest(name, names);
}

complaint read_mask(draft& d, std::int64_t given) {
    if (given < 0) return "is " + std::to_string(given);
    const auto mask = static_cast<std::uint64_t>(given);
    // Discord closes with 4013 for bits it does not know (Gateway close event codes).
    if ((mask & ~all_intents) != 0) return "has unknown bits: " + unknown_bits(mask & ~all_intents);
    d.values.discord.intents = mask;
    return {};
}

complaint read_names(draft& d, const toml::array& list) {
    std::uint64_t mask = 0;
    for (const toml::node& element : list) {
        const auto* name = element.as_string();
        if (name == nullptr) return "has an element that " + wrong_type(element);
        const auto bits = intent_mask(name->get());
        if (!bits)
            return "has the unknown intent " + in_quotes(name->get()) +
                   " (nearest: " + std::string(nearest_intent(name->get())) + ")";
        mask |= *bits;
    }
    d.values.discord.intents = mask;
    return {};
}

complaint read_intents(draft& d, const toml::node& node) {
    if (const auto* number = node.as_integer()) return read_mask(d, number->get());
    if (const auto* list = node.as_array()) return read_names(d, *list);
    return wrong_type(node);
}

}  // namespace

entry intents_entry() {
    entry e;
    e.key = "discord.intents";
    e.default_text = "";  // must be given
    e.allowed = R"(a list of intent names such as ["GUILDS", "GUILD_MESSAGES"], or one whole )"
                "number made of bits that Discord has (0 = interactions only)";
    e.meaning = "which events Discord sends; required";
    e.take = read_intents;
    e.same = compare(slot<std::uint64_t>(at<&settings::discord, &discord::intents>));
    e.copy = copier(slot<std::uint64_t>(at<&settings::discord, &discord::intents>));
    return e;
}

}  // namespace shardgate::config
