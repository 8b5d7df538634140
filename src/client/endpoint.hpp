// SPDX-License-Identifier: Apache-2.0
// Where the daemon's admin API is, as --url writes it. Pure.
#pragma once

#include <string>
#include <string_view>

#include "shardgate/base/result.hpp"
#include "shardgate/runtime/address.hpp"

namespace shardgate::client {

struct endpoint {
    address where;
    std::string host;  // for the Host header
    std::string base;  // before every path; empty, or "/prefix" behind a reverse proxy
};

// "http://HOST[:PORT][/PREFIX]", "unix:/PATH". Fails with a sentence that says what is allowed.
[[nodiscard]] result<endpoint> parse_endpoint(std::string_view url);

}  // namespace shardgate::client
