// SPDX-License-Identifier: Apache-2.0
// The admin client's commands: which calls they make and what they say. Another one is a function
// and a line in run_command(). No I/O but through what they are given.
#pragma once

#include <functional>
#include <string_view>

#include "client/exchange.hpp"
#include "shardgate/client/run.hpp"

namespace shardgate::client {

inline constexpr int exit_done = 0;
inline constexpr int exit_usage = 64;        // sysexits.h, EX_USAGE
inline constexpr int exit_unavailable = 69;  // EX_UNAVAILABLE

// The world, as far as a command may touch it.
struct tools {
    std::function<result<admin_answer>(const admin_call&)> ask;
    std::function<void(duration)> pause;
    // A call whose answer goes on and on: each piece of its body as it comes, until `take` wants no
    // more. The body of what is no success is in the answer.
    std::function<result<admin_answer>(const admin_call&,
                                       const std::function<bool(std::string_view)>& take)>
        follow;
};

// The exit code. Failures of `ask` are told on `at.err`.
[[nodiscard]] int run_command(config::command what, const config::admin_options& options,
                              const tools& with, const terminal& at);

}  // namespace shardgate::client
