// SPDX-License-Identifier: Apache-2.0
// From options to commands: which address, which token, how to ask.
#include "shardgate/client/run.hpp"

#include <algorithm>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "client/commands.hpp"
#include "client/text.hpp"

namespace shardgate {

namespace {

std::string url_of(const config::admin_options& options, const config::surroundings& around) {
    if (!options.url.empty()) return options.url;
    const auto given = around.environment(config::admin_url_variable);
    return given && !given->empty() ? *given : std::string(config::default_admin_url);
}

// Fails without a word of what the file holds.
result<secret> read_token(const std::string& path, const config::surroundings& around) {
    if (path.empty()) return result<secret>(boost::system::in_place_value);
    result<std::string> text = around.read_file(path);
    if (!text) return failure("the token file " + path + ": " + text.error().detail);
    if (text->ends_with('\n')) text->pop_back();
    if (text->ends_with('\r')) text->pop_back();
    const bool usable = !text->empty() && std::all_of(text->begin(), text->end(),
                                                      [](char c) { return c > 0x20 && c < 0x7F; });
    if (!usable)
        return failure("the token file " + path +
                       " is empty, or has spaces, control or non-ASCII characters in it");
    return result<secret>(boost::system::in_place_value, std::move(*text));
}

// What failed, with where: the sentence a person acts on.
failure explained(failure why, std::string_view url) {
    why.detail = "cannot ask the daemon at " + std::string(url) + ": " + why.detail +
                 ". Is it running, and is this its admin.listen?";
    return why;
}

}  // namespace

int run_admin_call(const config::command_line& line, const config::surroundings& around,
                   const terminal& at) {
    const std::string url = url_of(line.admin, around);
    const result<client::endpoint> to = client::parse_endpoint(url);
    if (!to) {
        at.err << "shardgate: " << client::printable(to.error().detail) << '\n';
        return client::exit_usage;
    }
    const result<secret> token = read_token(line.admin.token_file, around);
    if (!token) {
        at.err << "shardgate: " << client::printable(token.error().detail) << '\n';
        return client::exit_usage;
    }
    client::tools with;
    with.ask = [&](const client::admin_call& call) {
        result<client::admin_answer> answer = client::exchange(*to, *token, call);
        if (!answer) return result<client::admin_answer>(explained(answer.error(), url));
        return answer;
    };
    with.follow = [&](const client::admin_call& call, const client::taker& take) {
        result<client::admin_answer> answer = client::follow(*to, *token, call, take);
        if (!answer) return result<client::admin_answer>(explained(answer.error(), url));
        return answer;
    };
    with.pause = [](duration span) { std::this_thread::sleep_for(span); };
    return client::run_command(line.what, line.admin, with, at);
}

}  // namespace shardgate
