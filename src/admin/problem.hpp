// SPDX-License-Identifier: Apache-2.0
// Errors as problem details (RFC 9457): a status a program acts on, a detail a person understands.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "admin/http_message.hpp"

namespace shardgate::admin {

// The reason phrase (RFC 9110 section 15), also a problem's title.
[[nodiscard]] std::string_view reason_phrase(unsigned status) noexcept;

// `more` stands beside type, title, status and detail. The detail may quote the request: what is
// not UTF-8 in it is replaced.
[[nodiscard]] http_response problem(unsigned status, std::string_view detail,
                                    boost::json::object more = {});

// What a caller sent, in quotes and short enough to be said back.
[[nodiscard]] std::string quote(std::string_view text);

}  // namespace shardgate::admin
