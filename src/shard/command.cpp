// SPDX-License-Identifier: Apache-2.0
// See the header. The DOM parser is right here: commands are small, rare and bounded.
#include "shardgate/shard/command.hpp"

#include <array>
#include <boost/json.hpp>
#include <optional>
#include <utility>

#include "shard/json_snowflake.hpp"
#include "shardgate/protocol/opcode.hpp"
#include "shardgate/protocol/outbound.hpp"

namespace shardgate {
namespace {

namespace json = boost::json;

bool may_be_sent(std::int32_t op) noexcept {
    switch (static_cast<opcode>(op)) {
    case opcode::presence_update:
    case opcode::voice_state_update:
    case opcode::request_guild_members:
    case opcode::request_soundboard_sounds:
    case opcode::request_channel_info: return true;
    default: return false;
    }
}

bool needs_guild(std::int32_t op) noexcept {
    switch (static_cast<opcode>(op)) {
    case opcode::voice_state_update:
    case opcode::request_guild_members:
    case opcode::request_channel_info: return true;
    default: return false;
    }
}

// Without user_ids, with an empty query and limit 0 op 8 lists the guild (Discord docs, Gateway
// Events, Request Guild Members).
bool asks_for_all(const json::object& d) noexcept {
    if (d.contains("user_ids")) return false;
    const json::value* limit = d.if_contains("limit");
    if (limit && limit->is_number() && limit->to_number<double>() > 0) return false;
    const json::value* query = d.if_contains("query");
    if (!query || !query->is_string()) return true;
    return query->get_string().empty();
}

}  // namespace

result<gateway_command> read_command(std::string text, std::int32_t op) {
    if (text.size() > max_outbound_bytes)
        return failure("the payload has " + std::to_string(text.size()) +
                       " bytes, Discord takes at most " + std::to_string(max_outbound_bytes));
    if (!may_be_sent(op))
        return failure("op " + std::to_string(op) + " cannot be sent: 3, 4, 8, 31 and 43 can");

    std::array<unsigned char, 16384> buffer;
    json::monotonic_resource memory(buffer.data(), buffer.size());
    error_code ec;
    const json::value root = json::parse(text, ec, &memory);
    if (ec) return failure(ec, "the payload is not JSON");
    const json::object* object = root.if_object();
    if (!object) return failure("the payload is not a JSON object");
    const json::value* given = object->if_contains("op");
    if (!given || !given->is_int64() || given->get_int64() != op)
        return failure("the payload's op is not " + std::to_string(op));
    const json::value* d = object->if_contains("d");
    if (!d || !d->is_object()) return failure("d must be an object");

    gateway_command command;
    command.op = op;
    if (const json::value* guild = d->get_object().if_contains("guild_id")) {
        const std::optional<snowflake> id = read_snowflake(*guild);
        if (!id) return failure("d.guild_id is not a guild id");
        command.guild = *id;
    } else if (needs_guild(op)) {
        return failure("d.guild_id is missing");
    }
    if (op == static_cast<std::int32_t>(opcode::request_guild_members))
        command.full_member_list = asks_for_all(d->get_object());
    if (op == static_cast<std::int32_t>(opcode::presence_update))
        command.presence = json::serialize(*d);
    command.text = std::move(text);
    return command;
}

}  // namespace shardgate
