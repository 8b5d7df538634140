// SPDX-License-Identifier: Apache-2.0
#include "admin/strict.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <string>

#include "admin/problem.hpp"

namespace shardgate::admin {

std::optional<http_response> refuse_others(const target& t,
                                           std::initializer_list<std::string_view> known,
                                           std::string_view allowed) {
    for (const auto& [name, value] : t.parameters)
        if (std::find(known.begin(), known.end(), name) == known.end())
            return problem(400, "This call knows no parameter " + quote(name) +
                                    "; allowed: " + std::string(allowed) + ".");
    return std::nullopt;
}

bool is_blank(std::string_view body) noexcept {
    return body.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

bool is_empty_object(std::string_view body) {
    if (is_blank(body)) return true;
    boost::json::error_code bad;
    const boost::json::value v = boost::json::parse({body.data(), body.size()}, bad);
    return !bad && v.is_object() && v.get_object().empty();
}

}  // namespace shardgate::admin
