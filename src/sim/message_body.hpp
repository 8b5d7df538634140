// SPDX-License-Identifier: Apache-2.0
// The body of a message that a bot writes or changes, as far as Discord refuses some (Discord docs,
// Message, Create Message; fact sheet 2.5). Pure.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "sim/interactions.hpp"

namespace shardgate::sim {

struct message_body {
    std::string content;
    bool has_content = false;  // there is such a member, null included
    bool has_more = false;     // embeds, components, stickers or attachments
    bool ephemeral = false;    // flag 64
};

// {"message": …, "code": …}
[[nodiscard]] callback_reply refusal(unsigned status, int code, std::string_view text);

// The members of `o`, wherever it came from; false when one has a form it cannot have.
[[nodiscard]] bool read_members(const boost::json::object& o, message_body& into);
// A request's body; the refusal if it is none. Does not ask whether there is anything in it.
[[nodiscard]] std::optional<callback_reply> read_message(std::string_view text, message_body& into);

}  // namespace shardgate::sim
