// SPDX-License-Identifier: Apache-2.0
// The daemon's entry: command line to exit code.
#include <exception>
#include <iostream>

#include "shardgate/app/run.hpp"
#include "shardgate/config/cli.hpp"

int main(int argc, char** argv) {
    using namespace shardgate;
    try {
        const config::command_line_result parsed =
            config::parse_command_line(argc, argv, std::cout, std::cerr);
        if (parsed.exit_code) return *parsed.exit_code;
        const config::command_line& line = parsed.line;
        if (line.what == config::command::check) return config::run_check(line, std::cout);
        const auto settings = config::load_or_explain(line, std::cerr);
        return settings ? run_daemon(*settings) : exit_config;
    } catch (const std::exception& e) {
        std::cerr << "shardgate: " << e.what() << '\n';
        return exit_software;
    }
}
