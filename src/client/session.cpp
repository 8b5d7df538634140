// SPDX-License-Identifier: Apache-2.0
#include "client/session.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <ostream>
#include <utility>

#include "client/fields.hpp"
#include "client/text.hpp"

namespace shardgate::client {

namespace {

// The text if it is a success; else says what is wrong.
std::optional<std::string> body_of(const session& s, result<admin_answer> answer) {
    if (!answer) {
        s.at.err << "shardgate: " << printable(answer.error().detail) << '\n';
        return std::nullopt;
    }
    if (answer->status >= 200 && answer->status < 300) return std::move(answer->body);
    boost::json::error_code bad;
    const boost::json::value v = boost::json::parse(answer->body, bad);
    const std::string detail = !bad && v.is_object() ? text_of(v.get_object(), "detail") : "";
    s.at.err << "shardgate: the daemon answers " << answer->status
             << (detail.empty() ? "" : ": " + printable(detail)) << '\n';
    return std::nullopt;
}

}  // namespace

std::optional<parsed_answer> read_answer(const session& s, result<admin_answer> answer,
                                         boost::json::kind wanted) {
    std::optional<std::string> text = body_of(s, std::move(answer));
    if (!text) return std::nullopt;
    boost::json::error_code bad;
    boost::json::parse_options deep;
    deep.max_depth = 256;  // payloads stand in answers as they are, and may be nested
    boost::json::value v = boost::json::parse(*text, bad, {}, deep);
    if (bad || v.kind() != wanted) {
        s.at.err << "shardgate: what answers there is no shardgate daemon\n";
        return std::nullopt;
    }
    return parsed_answer{std::move(*text), std::move(v)};
}

std::optional<parsed_answer> answer_of(const session& s, const admin_call& call,
                                       boost::json::kind wanted) {
    return read_answer(s, s.with.ask(call), wanted);
}

}  // namespace shardgate::client
