// SPDX-License-Identifier: Apache-2.0
// What a tls_client is made of, for the few files that drive OpenSSL: transport/ and sink/ only.
#pragma once

#include <openssl/ssl.h>

#include <boost/asio/ssl/context.hpp>
#include <string>

#include "shardgate/base/result.hpp"
#include "shardgate/transport/tls_client.hpp"

namespace shardgate {

struct tls_client::impl {
    boost::asio::ssl::context context{boost::asio::ssl::context::tls_client};
};

// The one place that decides whom a connection trusts: sends `host` as SNI (not for an address, RFC
// 6066 section 3) and lets the handshake fail unless the peer's certificate is valid and made out
// to `host`. Works on any SSL of the context, asio::ssl::stream's native_handle() included.
[[nodiscard]] error_code require_host(SSL* connection, const std::string& host);

// Why a handshake failed, for a person: the certificate's fault if it was that, else OpenSSL's
// reason. `code` is what the handshake ended with.
[[nodiscard]] std::string describe_handshake_failure(SSL* connection, const error_code& code);

}  // namespace shardgate
