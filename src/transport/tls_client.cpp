// SPDX-License-Identifier: Apache-2.0
// TLS settings for outgoing connections, and the check of whom we talk to.
#include "shardgate/transport/tls_client.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>
#include <utility>

#include "transport/tls_native.hpp"

namespace shardgate {
namespace {

namespace ssl = boost::asio::ssl;

// The newest entry of this thread's error queue as a code; the queue is emptied.
error_code last_tls_error() {
    const unsigned long code = ::ERR_peek_last_error();
    ::ERR_clear_error();
    if (code == 0) return ssl::error::unspecified_system_error;
    return {static_cast<int>(code), boost::asio::error::get_ssl_category()};
}

failure cannot_use(const error_code& code, std::string_view what, const std::string& file) {
    return {code, "cannot use " + std::string(what) + " \"" + file + "\": " + code.message()};
}

// A key file with a pass phrase must fail, not ask a terminal that a daemon does not have.
int no_pass_phrase(char*, int, int, void*) {
    return 0;
}

error_code apply_defaults(ssl::context& context) {
    SSL_CTX* native = context.native_handle();
    error_code code;
    if (::SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION) != 1) return last_tls_error();
    ::SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    // Most connections are idle most of the time: OpenSSL's 16 KiB buffers go back in between.
    ::SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                   SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    ::SSL_CTX_set_default_passwd_cb(native, &no_pass_phrase);
    context.set_verify_mode(ssl::verify_peer, code);
    return code;
}

}  // namespace

tls_client::tls_client(std::unique_ptr<impl> i) : impl_(std::move(i)) {}
tls_client::~tls_client() = default;

result<std::unique_ptr<tls_client>> tls_client::make(const tls_client_options& options) {
    auto made = std::make_unique<impl>();
    ssl::context& context = made->context;
    error_code code = apply_defaults(context);
    if (code) return failure(code, "cannot set up TLS: " + code.message());
    context.set_default_verify_paths(code);
    if (code) return failure(code, "cannot use the system's certificates: " + code.message());
    if (!options.ca_file.empty()) {
        context.load_verify_file(options.ca_file, code);
        if (code) return cannot_use(code, "the CA file", options.ca_file);
    }
    const std::string& certificate = options.client_certificate_file;
    const std::string& key = options.client_key_file;
    if (certificate.empty() != key.empty())
        return failure(make_error_code(boost::system::errc::invalid_argument),
                       "a client certificate needs both its files: certificate and key");
    if (!certificate.empty()) {
        context.use_certificate_chain_file(certificate, code);
        if (code) return cannot_use(code, "the client certificate", certificate);
        context.use_private_key_file(key, ssl::context::pem, code);
        if (code) return cannot_use(code, "the client key", key);
    }
    return std::unique_ptr<tls_client>(new tls_client(std::move(made)));
}

error_code require_host(SSL* connection, const std::string& host) {
    ::ERR_clear_error();
    std::string name = host;
    if (!name.empty() && name.back() == '.') name.pop_back();  // RFC 6066: no trailing dot
    if (name.empty()) return make_error_code(boost::system::errc::invalid_argument);
    ::SSL_set_verify(connection, SSL_VERIFY_PEER, nullptr);
    error_code not_an_address;
    boost::asio::ip::make_address(name, not_an_address);
    if (!not_an_address) {
        X509_VERIFY_PARAM* param = ::SSL_get0_param(connection);
        if (::X509_VERIFY_PARAM_set1_ip_asc(param, name.c_str()) != 1) return last_tls_error();
        return {};
    }
    ::SSL_set_hostflags(connection, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (::SSL_set1_host(connection, name.c_str()) != 1) return last_tls_error();
    if (::SSL_set_tlsext_host_name(connection, name.c_str()) != 1) return last_tls_error();
    return {};
}

std::string describe_handshake_failure(SSL* connection, const error_code& code) {
    const long verdict = ::SSL_get_verify_result(connection);
    if (verdict != X509_V_OK)
        return std::string("certificate refused: ") + ::X509_verify_cert_error_string(verdict);
    return "TLS handshake failed: " + code.message();
}

}  // namespace shardgate
