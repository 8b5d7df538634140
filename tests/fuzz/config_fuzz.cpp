// SPDX-License-Identifier: Apache-2.0
// Any bytes as a configuration file, and as the value of an override.
#include <cstdlib>
#include <string_view>

#include "shardgate/config/load.hpp"

namespace {

using namespace shardgate;

constexpr std::string_view secret_text = "Zm9yLXlvdXItZXllcy1vbmx5";

void require(bool holds) {
    if (!holds) std::abort();
}

config::surroundings world() {
    config::surroundings around;
    around.environment = [](std::string_view name) -> std::optional<std::string> {
        if (name == "SHARDGATE_TOKEN") return std::string(secret_text);
        return std::nullopt;
    };
    around.read_file = [](const std::string&) -> result<std::string> {
        return result<std::string>(boost::system::in_place_value, secret_text);
    };
    return around;
}

void check(const config::loaded& l) {
    require(l.settings.has_value() == l.problems.empty());
    require(l.problems.size() <= 201);
    for (const config::problem& p : l.problems) {
        const std::string text = p.text();
        require(text.size() < 4096 && text.find(secret_text) == std::string::npos);
        for (const char c : text)
            require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
    }
    if (l.settings)
        require(l.settings->filter.guild_create != config::guild_create_mode::automatic);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    static const config::surroundings around = world();
    static const std::vector<std::string> keys = config::all_keys();
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check(config::load_text(text, "fuzz.toml", {}, around));
    const std::string& key = keys[size == 0 ? 0 : data[0] % keys.size()];
    const config::overrides over{{key, std::string(text.substr(size == 0 ? 0 : 1))}};
    check(config::load_text("discord.intents = 0", "fuzz.toml", over, around));
    return 0;
}
