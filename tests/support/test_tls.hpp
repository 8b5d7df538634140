// SPDX-License-Identifier: Apache-2.0
// Certificates for tests: a CA of its own, server and client certificates it signs, all made in
// memory, and files of them that disappear with their object. Header only.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/context.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "shardgate/transport/tls_client.hpp"

namespace shardgate::testing {

// A file in the temporary folder with `content`, removed at the end.
class temporary_file {
public:
    explicit temporary_file(std::string_view content) {
        const char* folder = std::getenv("TMPDIR");
        path_ = std::string(folder != nullptr ? folder : "/tmp") + "/shardgate-test-XXXXXX";
        const int fd = ::mkstemp(path_.data());
        if (fd < 0) throw std::runtime_error("cannot make a temporary file");
        const bool whole =
            ::write(fd, content.data(), content.size()) == static_cast<::ssize_t>(content.size());
        ::close(fd);
        if (!whole) throw std::runtime_error("cannot write a temporary file");
    }
    ~temporary_file() { ::unlink(path_.c_str()); }
    temporary_file(const temporary_file&) = delete;
    temporary_file& operator=(const temporary_file&) = delete;
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
    std::string path_;
};

// A certificate (chain) with its key, as PEM.
struct tls_identity {
    std::string certificate;
    std::string key;
};

class test_ca {
public:
    explicit test_ca(const std::string& name = "shardgate test CA") : key_(make_key()) {
        certificate_ = make_certificate(name, "", key_, nullptr, key_, false);
    }

    [[nodiscard]] std::string certificate_pem() const { return pem_of(certificate_.get()); }

    // Signed for `subject_alt_names`, as OpenSSL writes them: "DNS:localhost,IP:127.0.0.1".
    // `expired`: it ended an hour ago.
    [[nodiscard]] tls_identity issue(const std::string& subject_alt_names,
                                     bool expired = false) const {
        const key_ptr key = make_key();
        const x509_ptr made = make_certificate("shardgate test peer", subject_alt_names, key,
                                               certificate_.get(), key_, expired);
        return {pem_of(made.get()) + certificate_pem(), pem_of(key.get())};
    }

private:
    template <auto Free>
    struct freed_by {
        template <class T>
        void operator()(T* object) const {
            Free(object);
        }
    };
    using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<::EVP_PKEY_free>>;
    using x509_ptr = std::unique_ptr<X509, freed_by<::X509_free>>;

    static void require(bool ok) {
        if (!ok) throw std::runtime_error("OpenSSL refused to make a test certificate");
    }
    static key_ptr make_key() {
        key_ptr key(::EVP_EC_gen("P-256"));
        require(key != nullptr);
        return key;
    }
    template <class Write>
    static std::string through_bio(Write write) {
        BIO* bio = ::BIO_new(::BIO_s_mem());
        require(bio != nullptr && write(bio) == 1);
        char* data = nullptr;
        const long size = ::BIO_get_mem_data(bio, &data);
        std::string text(data, static_cast<std::size_t>(size));
        ::BIO_free(bio);
        return text;
    }
    static std::string pem_of(X509* c) {
        return through_bio([c](BIO* b) { return ::PEM_write_bio_X509(b, c); });
    }
    static std::string pem_of(EVP_PKEY* k) {
        return through_bio([k](BIO* b) {
            return ::PEM_write_bio_PrivateKey(b, k, nullptr, nullptr, 0, nullptr, nullptr);
        });
    }
    static void extend(X509* made, X509* issuer, int id, const std::string& value) {
        X509V3_CTX context;
        X509V3_set_ctx(&context, issuer, made, nullptr, nullptr, 0);
        X509_EXTENSION* e = ::X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
        require(e != nullptr);
        require(::X509_add_ext(made, e, -1) == 1);
        ::X509_EXTENSION_free(e);
    }
    // `issuer` null: a CA that signs itself.
    static x509_ptr make_certificate(const std::string& name, const std::string& alt_names,
                                     const key_ptr& key, X509* issuer, const key_ptr& issuer_key,
                                     bool expired) {
        x509_ptr made(::X509_new());
        require(made != nullptr && ::X509_set_version(made.get(), 2) == 1);
        static long serial = 1;
        ::ASN1_INTEGER_set(::X509_get_serialNumber(made.get()), ++serial);
        ::X509_gmtime_adj(::X509_getm_notBefore(made.get()), -7200);
        ::X509_gmtime_adj(::X509_getm_notAfter(made.get()), expired ? -3600 : 86400);
        X509_NAME* subject = ::X509_get_subject_name(made.get());
        require(::X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                             reinterpret_cast<const unsigned char*>(name.c_str()),
                                             -1, -1, 0) == 1);
        X509* const parent = issuer != nullptr ? issuer : made.get();
        ::X509_set_issuer_name(made.get(), ::X509_get_subject_name(parent));
        ::X509_set_pubkey(made.get(), key.get());
        if (issuer == nullptr)
            extend(made.get(), parent, NID_basic_constraints, "critical,CA:TRUE");
        if (!alt_names.empty()) extend(made.get(), parent, NID_subject_alt_name, alt_names);
        require(::X509_sign(made.get(), issuer_key.get(), ::EVP_sha256()) > 0);
        return made;
    }

    key_ptr key_;
    x509_ptr certificate_;
};

// A server's context with that identity.
inline boost::asio::ssl::context server_context(const tls_identity& who) {
    boost::asio::ssl::context context(boost::asio::ssl::context::tls_server);
    context.use_certificate_chain(boost::asio::buffer(who.certificate));
    context.use_private_key(boost::asio::buffer(who.key), boost::asio::ssl::context::pem);
    return context;
}

// A client that trusts `ca` beside the system's store.
inline std::unique_ptr<tls_client> client_trusting(const test_ca& ca) {
    const temporary_file file(ca.certificate_pem());
    tls_client_options options;
    options.ca_file = file.path();
    auto made = tls_client::make(options);
    if (!made) throw std::runtime_error(made.error().detail);
    return std::move(*made);
}

}  // namespace shardgate::testing
