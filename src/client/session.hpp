// SPDX-License-Identifier: Apache-2.0
// What a command of the admin client has at hand: somebody to ask, a terminal, what was typed. Its
// failures are told in one way. No I/O but through what it is given.
#pragma once

#include <boost/json/kind.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>

#include "client/commands.hpp"

namespace shardgate::client {

struct session {
    const tools& with;
    const terminal& at;
    const config::admin_options& options;
};

struct parsed_answer {
    std::string text;
    boost::json::value json;
};

// A JSON answer of that kind, if it is a success; else nothing, and `at.err` has been told why.
[[nodiscard]] std::optional<parsed_answer> read_answer(const session& s,
                                                       result<admin_answer> answer,
                                                       boost::json::kind wanted);
[[nodiscard]] std::optional<parsed_answer> answer_of(const session& s, const admin_call& call,
                                                     boost::json::kind wanted);

}  // namespace shardgate::client
