// SPDX-License-Identifier: Apache-2.0
// The command line's verbs that ask a running daemon: status, queue, reshard, reload,
// send, tail. Another one is an
// entry in admin_verbs and a command. Private to src/config.
#pragma once

#include <CLI/CLI.hpp>
#include <deque>
#include <optional>
#include <utility>

#include "shardgate/config/cli.hpp"

namespace shardgate::config {

class admin_verbs {
public:
    // Adds them to `app`. Both live until the command line is read.
    explicit admin_verbs(CLI::App& app);

    // The one that was typed, after `app` has parsed; nothing if it was another.
    [[nodiscard]] std::optional<std::pair<command, admin_options>> parsed() const;

private:
    struct verb {
        CLI::App* at = nullptr;
        command what = command::status;
        admin_options given;
    };

    verb& add(CLI::App& parent, command what, const char* name, const char* about);
    void add_queue(CLI::App& app);
    void add_reshard(CLI::App& app);
    void add_send(CLI::App& app);
    void add_tail(CLI::App& app);

    std::deque<verb> verbs_;  // CLI11 keeps pointers into them
};

}  // namespace shardgate::config
