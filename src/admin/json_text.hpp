// SPDX-License-Identifier: Apache-2.0
// JSON as people read it: Boost.JSON's values, but numbers as plain decimals (Boost writes 1.5E0).
#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace shardgate::admin {

// Doubles are rounded to three decimals; not-a-number and infinity become null. One line, with its
// end, so that a shell's prompt does not follow it. Strings must be UTF-8.
[[nodiscard]] std::string to_text(const boost::json::value& v);
// The same, without the end of the line, behind what is there.
void append_text(std::string& out, const boost::json::value& v);

}  // namespace shardgate::admin
