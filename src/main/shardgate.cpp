// SPDX-License-Identifier: Apache-2.0
// The daemon's entry: command line to exit code.
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <string_view>

#include "shardgate/app/online_check.hpp"
#include "shardgate/app/run.hpp"
#include "shardgate/app/stored_plan.hpp"
#include "shardgate/client/run.hpp"
#include "shardgate/config/cli.hpp"
#include "shardgate/transport/tls_memory.hpp"

namespace {

int ask_daemon(const shardgate::config::command_line& line) {
    const bool screen = ::isatty(STDERR_FILENO) != 0;
    const bool interactive = screen && ::isatty(STDIN_FILENO) != 0;
    const char* const kind = std::getenv("TERM");  // NOLINT(concurrency-mt-unsafe): one thread
    const bool redraws = screen && kind != nullptr && std::string_view(kind) != "dumb";
    // no-color.org
    const char* const plain = std::getenv("NO_COLOR");  // NOLINT(concurrency-mt-unsafe)
    const bool colours = ::isatty(STDOUT_FILENO) != 0 && kind != nullptr &&
                         std::string_view(kind) != "dumb" && (plain == nullptr || *plain == '\0');
    const shardgate::terminal at{std::cin, std::cout, std::cerr, interactive, redraws, colours};
    return shardgate::run_admin_call(line, shardgate::config::surroundings::real(), at);
}

}  // namespace

int main(int argc, char** argv) {
    using namespace shardgate;
    tls_memory::keep();  // before anything asks OpenSSL for something
    try {
        const config::command_line_result parsed =
            config::parse_command_line(argc, argv, std::cout, std::cerr);
        if (parsed.exit_code) return *parsed.exit_code;
        const config::command_line& line = parsed.line;
        if (line.what == config::command::check) {
            const int code = config::run_check(line, std::cout, stored_warnings);
            if (code != 0 || !line.online) return code;
            const auto settings = config::load_or_explain(line, std::cerr);
            return settings ? run_online_check(*settings, line.json, std::cout) : exit_config;
        }
        if (config::is_admin_call(line.what)) return ask_daemon(line);
        const auto settings = config::load_or_explain(line, std::cerr);
        if (!settings) return exit_config;
        return run_daemon(*settings, [line] {
            return config::load_file(line.file, line.over, config::surroundings::real());
        });
    } catch (const std::exception& e) {
        std::cerr << "shardgate: " << e.what() << '\n';
        return exit_software;
    }
}
