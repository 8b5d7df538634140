// SPDX-License-Identifier: Apache-2.0
// X-Shardgate-Signature: HMAC-SHA256 of "<timestamp>.<body>" under every configured key. The body
// comes in pieces, as it is sent. No clock, no I/O.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shardgate/base/secret.hpp"

namespace shardgate::sink {

class signer {
public:
    // Throws std::runtime_error when the crypto library lacks HMAC-SHA256.
    explicit signer(const std::vector<secret>& keys);
    ~signer();
    signer(const signer&) = delete;
    signer& operator=(const signer&) = delete;

    // Other keys, not between begin() and append(). Throws as the constructor does, and then keeps
    // those it has.
    void set_keys(const std::vector<secret>& keys);

    [[nodiscard]] bool active() const noexcept;
    // Begins a signature of "<timestamp>."; add() the body, then append() "v1=…,v1=…".
    void begin(std::string_view timestamp);
    void add(std::string_view piece);
    void append(std::string& out);

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace shardgate::sink
