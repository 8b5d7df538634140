// SPDX-License-Identifier: Apache-2.0
// Makes the run's CA and server certificate with OpenSSL (RFC 5280 profile).
#include "sim/certificates.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>

namespace shardgate::sim {

namespace {

template <auto Free>
struct freed_by {
    template <class T>
    void operator()(T* p) const {
        Free(p);
    }
};
using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using cert_ptr = std::unique_ptr<X509, freed_by<X509_free>>;
using bio_ptr = std::unique_ptr<BIO, freed_by<BIO_free_all>>;
using extension_ptr = std::unique_ptr<X509_EXTENSION, freed_by<X509_EXTENSION_free>>;

void require(bool ok, const char* what) {
    if (!ok) throw std::runtime_error(std::string("OpenSSL: cannot ") + what);
}

void extend(X509* cert, X509* issuer, int nid, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
    const extension_ptr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
    require(extension && X509_add_ext(cert, extension.get(), -1) == 1, "add an extension");
}

// A certificate without its extensions and signature.
cert_ptr blank(EVP_PKEY* key, const char* name, X509* issuer) {
    cert_ptr cert(X509_new());
    require(cert != nullptr, "make a certificate");
    unsigned char serial[8];
    require(RAND_bytes(serial, sizeof serial) == 1, "make a serial number");
    std::uint64_t number = 0;
    for (const unsigned char byte : serial)
        number = (number << 8) | byte;
    X509_set_version(cert.get(), X509_VERSION_3);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert.get()), number >> 1);
    // Yesterday: a client whose clock is a little behind must not refuse it.
    X509_gmtime_adj(X509_getm_notBefore(cert.get()), -86400);
    X509_gmtime_adj(X509_getm_notAfter(cert.get()), 30L * 86400);
    X509_set_pubkey(cert.get(), key);
    X509_NAME* subject = X509_get_subject_name(cert.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    X509_set_issuer_name(cert.get(), issuer ? X509_get_subject_name(issuer) : subject);
    return cert;
}

std::string pem_of(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return {data, static_cast<std::size_t>(size)};
}

std::string pem(X509* cert) {
    const bio_ptr bio(BIO_new(BIO_s_mem()));
    require(bio && PEM_write_bio_X509(bio.get(), cert) == 1, "write a certificate");
    return pem_of(bio.get());
}

std::string pem(EVP_PKEY* key) {
    const bio_ptr bio(BIO_new(BIO_s_mem()));
    require(
        bio && PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
        "write a key");
    return pem_of(bio.get());
}

}  // namespace

certificates make_certificates() {
    const key_ptr ca_key(EVP_EC_gen("P-256"));
    const key_ptr server_key(EVP_EC_gen("P-256"));
    require(ca_key && server_key, "make a key");

    const cert_ptr ca = blank(ca_key.get(), "shardgate simulator CA", nullptr);
    extend(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    extend(ca.get(), ca.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
    extend(ca.get(), ca.get(), NID_subject_key_identifier, "hash");
    require(X509_sign(ca.get(), ca_key.get(), EVP_sha256()) > 0, "sign the CA certificate");

    const cert_ptr server = blank(server_key.get(), "localhost", ca.get());
    extend(server.get(), ca.get(), NID_basic_constraints, "critical,CA:FALSE");
    extend(server.get(), ca.get(), NID_key_usage, "critical,digitalSignature");
    extend(server.get(), ca.get(), NID_ext_key_usage, "serverAuth");
    extend(server.get(), ca.get(), NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1");
    extend(server.get(), ca.get(), NID_authority_key_identifier, "keyid");
    require(X509_sign(server.get(), ca_key.get(), EVP_sha256()) > 0, "sign the certificate");

    certificates made;
    made.ca_pem = pem(ca.get());
    made.server_pem = pem(server.get());
    made.server_key_pem = pem(server_key.get());
    return made;
}

}  // namespace shardgate::sim
