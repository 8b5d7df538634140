// SPDX-License-Identifier: Apache-2.0
// Expected failures as values. Exceptions are for start-up and for bugs.
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>
#include <stdexcept>
#include <string>
#include <utility>

namespace shardgate {

using error_code = boost::system::error_code;

// What went wrong: a code to decide by and a sentence for a person. The sentence carries no secret.
struct failure {
    error_code code;
    std::string detail;

    failure() = default;
    explicit failure(std::string what) : detail(std::move(what)) {}
    failure(error_code ec, std::string what) : code(ec), detail(std::move(what)) {}
};

// Found by argument-dependent lookup when result<T>::value() is called on a failure: a bug.
[[noreturn]] inline void throw_exception_from_error(const failure& f,
                                                    const boost::source_location&) {
    throw std::logic_error("result without a value: " + f.detail);
}

template <class T>
using result = boost::system::result<T, failure>;

}  // namespace shardgate
