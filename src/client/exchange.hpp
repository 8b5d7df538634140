// SPDX-License-Identifier: Apache-2.0
// One call to the admin API and its answer, over a connection of its own: plain HTTP/1.1, blocking,
// with a deadline over all of it. The only part of the client that does I/O.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "client/endpoint.hpp"
#include "shardgate/base/result.hpp"
#include "shardgate/base/secret.hpp"
#include "shardgate/base/time.hpp"

namespace shardgate::client {

inline constexpr std::size_t answer_limit = 64U << 20;

struct admin_call {
    std::string method;
    std::string target;  // path and query
    std::string body;    // JSON; of anything but GET
    // For the whole exchange.
    duration patience = std::chrono::seconds(10);
};

struct admin_answer {
    unsigned status = 0;
    std::string body;
};

// The request's bytes. Pure. An empty token is none.
[[nodiscard]] std::string request_text(const endpoint& to, const secret& token,
                                       const admin_call& call);

// Fails with half a sentence for a person ("connection refused"), without the token.
[[nodiscard]] result<admin_answer> exchange(const endpoint& to, const secret& token,
                                            const admin_call& call);

// Gets the body piece by piece; false = no more is wanted.
using taker = std::function<bool(std::string_view piece)>;
// As exchange(), for an answer that goes on and on. `patience` is for its beginning; after it a
// silence of a minute ends it. The answer's body is empty when it is a success.
[[nodiscard]] result<admin_answer> follow(const endpoint& to, const secret& token,
                                          const admin_call& call, const taker& take);

}  // namespace shardgate::client
