// SPDX-License-Identifier: Apache-2.0
// What to answer Discord when the handler does not, by kind of interaction (Discord docs,
// Receiving and Responding to Interactions, Interaction Callback Type). Pure. Owner:
// interaction_desk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shardgate/config/config.hpp"
#include "shardgate/delivery/delivery.hpp"

namespace shardgate {

struct interaction_reply {
    enum class kind : std::uint8_t { deferral, message, no_choices };

    kind what = kind::deferral;
    std::string body;  // JSON
    interaction_answer mark = interaction_answer::none;
    // The user has got a final answer: the handler could do nothing with the event.
    bool drops_event = false;
};

class interaction_replies {
public:
    explicit interaction_replies(const config::interactions& settings);

    // Null for kinds that must not be answered: what they would take is not known. Lives as long as
    // this object.
    [[nodiscard]] const interaction_reply* find(std::uint32_t interaction_type) const noexcept;

private:
    interaction_reply command_;
    interaction_reply component_;
    interaction_reply autocomplete_;
    interaction_reply modal_submit_;
};

// Whether a token may stand in a request's path as it is (RFC 3986, pchar) without changing where
// that leads.
[[nodiscard]] bool is_usable_token(std::string_view token) noexcept;

}  // namespace shardgate
