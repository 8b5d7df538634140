// SPDX-License-Identifier: Apache-2.0
// Voice states (Discord docs, Voice): read for the bot's own, which a resharding must know of.
#include "protocol/dispatch_reader.hpp"
#include "protocol/scanner_impl.hpp"

namespace shardgate {

namespace {

bool take_voice_state(json::cursor& at, voice_state& state) {
    state = {};
    if (at.peek() != '{') return at.skip_value();
    return at.for_each_member([&](std::string_view key) {
        if (key == "user_id") return take_snowflake(at, state.user);
        if (key == "channel_id") return take_snowflake(at, state.channel);
        return at.skip_value();
    });
}

}  // namespace

voice_state scanner::voice_state_of(std::string_view d) {
    json::cursor at;
    voice_state state;
    if (!impl_->tokenizer.run(d, at) || !take_voice_state(at, state)) return {};
    return state;
}

snowflake scanner::voice_channel_of(std::string_view d, snowflake user) {
    // Most guilds have nobody in voice, and a guild is a long text.
    if (d.find(R"("voice_states":[{)") == std::string_view::npos) return {};
    json::cursor at;
    snowflake channel;
    const bool read = impl_->tokenizer.run(d, at) && at.for_each_member([&](std::string_view key) {
        if (key != "voice_states" || at.peek() != '[') return at.skip_value();
        return at.for_each_element([&] {
            voice_state state;
            if (!take_voice_state(at, state)) return false;
            if (state.user == user) channel = state.channel;
            return true;
        });
    });
    return read ? channel : snowflake{};
}

}  // namespace shardgate
