// SPDX-License-Identifier: Apache-2.0
#include "client/reload.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <ostream>
#include <string>
#include <utility>

#include "client/fields.hpp"
#include "client/text.hpp"

namespace shardgate::client {

namespace {

using boost::json::object;

std::string keys_line(const object& answer, const char* key) {
    std::string line;
    for (const boost::json::value& v : array_of(answer, key))
        if (v.is_string()) line += (line.empty() ? "" : ", ") + printable(v.get_string());
    return line.empty() ? "nothing" : line;
}

// Every problem, one a line, as `shardgate check` would print them.
void tell_problems(const session& s, const std::string& body) {
    boost::json::error_code bad;
    const boost::json::value v = boost::json::parse(body, bad);
    if (bad || !v.is_object()) return;
    for (const boost::json::value& problem : array_of(v.get_object(), "problems"))
        if (problem.is_string()) s.at.err << printable(problem.get_string()) << '\n';
}

}  // namespace

int reload(const session& s) {
    result<admin_answer> given = s.with.ask({"POST", "/v1/reload", "{}"});
    if (given && given->status == 422) tell_problems(s, given->body);
    const auto answer = read_answer(s, std::move(given), boost::json::kind::object);
    if (!answer) return exit_unavailable;
    if (s.options.json) {
        s.at.out << answer->text;
        return exit_done;
    }
    const object& o = answer->json.get_object();
    s.at.out << "applied: " << keys_line(o, "applied")
             << "\nneeds a restart: " << keys_line(o, "needs_restart")
             << "\nunchanged: " << count_of(o, "unchanged") << " keys\n";
    return exit_done;
}

}  // namespace shardgate::client
