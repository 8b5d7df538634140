// SPDX-License-Identifier: Apache-2.0
// The daemon from a configuration to an exit code.
#pragma once

#include <functional>

#include "shardgate/config/config.hpp"
#include "shardgate/config/load.hpp"

namespace shardgate {

// Exit codes (sysexits.h): what systemd and scripts decide by.
inline constexpr int exit_stopped = 0;  // on request
inline constexpr int exit_usage = 64;
inline constexpr int exit_refused = 69;   // Discord refuses for good: no shard can run
inline constexpr int exit_software = 70;  // a bug: an exception that nobody expected
inline constexpr int exit_config = 78;

// Reads the configuration again, with the command line's overrides. Called in a thread of its own,
// which may outlive the daemon where a disk hangs: it holds what it uses.
using settings_source = std::function<config::loaded()>;

// Runs until a signal or a final refusal. Blocks; one per process. `settings` are checked.
[[nodiscard]] int run_daemon(const config::settings& settings, settings_source reread);

}  // namespace shardgate
