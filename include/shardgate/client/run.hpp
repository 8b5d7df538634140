// SPDX-License-Identifier: Apache-2.0
// The admin client of the command line: asks a running daemon over its admin API, and shows the
// answer to a person or hands it to a script. Blocking; a program of its own, never in the daemon.
#pragma once

#include <iosfwd>

#include "shardgate/config/cli.hpp"

namespace shardgate {

// Where it reads and writes. `interactive`: somebody is there to answer a question. `redraws`:
// `err` is a screen on which a line can be written over.
struct terminal {
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    bool interactive = false;
    bool redraws = false;
    bool colours = false;  // `out` is a screen that shows them
};

// Pre: is_admin_call(line.what). 0 done; 64 wrong usage; 69 the daemon cannot be reached, refuses,
// or did less than was asked. Says why on `err`; the token is in nothing it says.
[[nodiscard]] int run_admin_call(const config::command_line& line,
                                 const config::surroundings& around, const terminal& at);

}  // namespace shardgate
