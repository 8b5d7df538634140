// SPDX-License-Identifier: Apache-2.0
// Members of a JSON object as text, whatever is or is not there. Pure.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace shardgate::client {

[[nodiscard]] std::optional<double> number(const boost::json::object& o, std::string_view key);
[[nodiscard]] std::uint64_t count_of(const boost::json::object& o, std::string_view key);  // or 0
// A string as it is, a number as a whole one; empty for everything else.
[[nodiscard]] std::string text_of(const boost::json::object& o, std::string_view key);
[[nodiscard]] std::string bytes_of(const boost::json::object& o, std::string_view key);
[[nodiscard]] std::string age_of(const boost::json::object& o, std::string_view key);
// Empty when it is not there or is something else.
[[nodiscard]] const boost::json::object& object_of(const boost::json::object& o,
                                                   std::string_view key);
[[nodiscard]] const boost::json::array& array_of(const boost::json::object& o,
                                                 std::string_view key);
// "typing 4, other 1": the members that are not 0; empty when all are.
[[nodiscard]] std::string counts_of(const boost::json::object& o, std::string_view key);

}  // namespace shardgate::client
