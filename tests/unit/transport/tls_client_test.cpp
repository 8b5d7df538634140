// SPDX-License-Identifier: Apache-2.0
// What a tls_client accepts as settings. Whom it trusts is shown in websocket_open_test.
#include "shardgate/transport/tls_client.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <string>

#include "support/test_tls.hpp"

namespace shardgate {
namespace {

using testing::temporary_file;

std::string error_of(const tls_client_options& options) {
    const auto made = tls_client::make(options);
    return made ? "" : made.error().detail;
}

TEST(TlsClient, NeedsNothingButTheSystemsStore) {
    EXPECT_TRUE(tls_client::make({}));
}

TEST(TlsClient, TakesACaAndAClientCertificate) {
    const testing::test_ca ca;
    const auto mine = ca.issue("DNS:client");
    const temporary_file ca_file(ca.certificate_pem());
    const temporary_file certificate(mine.certificate);
    const temporary_file key(mine.key);

    EXPECT_EQ(error_of({ca_file.path(), certificate.path(), key.path()}), "");
}

TEST(TlsClient, NamesTheFileItCannotUse) {
    const testing::test_ca ca;
    const auto mine = ca.issue("DNS:client");
    const auto other = ca.issue("DNS:other");
    const temporary_file certificate(mine.certificate);
    const temporary_file key(mine.key);
    const temporary_file other_key(other.key);
    const temporary_file nonsense("not PEM at all");
    const std::string missing = "/nonexistent/file.pem";

    EXPECT_NE(error_of({missing, "", ""}).find(missing), std::string::npos);
    EXPECT_NE(error_of({nonsense.path(), "", ""}).find(nonsense.path()), std::string::npos);
    EXPECT_NE(error_of({"", missing, key.path()}).find(missing), std::string::npos);
    EXPECT_NE(error_of({"", certificate.path(), missing}).find(missing), std::string::npos);
    EXPECT_NE(error_of({"", certificate.path(), nonsense.path()}).find(nonsense.path()),
              std::string::npos);
    EXPECT_NE(error_of({"", certificate.path(), other_key.path()}).find(other_key.path()),
              std::string::npos)
        << "a key that does not fit the certificate";
}

TEST(TlsClient, RefusesHalfAClientCertificate) {
    EXPECT_NE(error_of({"", "/some/cert.pem", ""}).find("both"), std::string::npos);
    EXPECT_NE(error_of({"", "", "/some/key.pem"}).find("both"), std::string::npos);
}

TEST(TlsClient, AnEncryptedKeyFailsInsteadOfAskingATerminal) {
    const testing::test_ca ca;
    const auto mine = ca.issue("DNS:client");
    BIO* in = BIO_new_mem_buf(mine.key.data(), static_cast<int>(mine.key.size()));
    EVP_PKEY* key = PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr);
    BIO* out = BIO_new(BIO_s_mem());
    std::string phrase = "secret";
    PEM_write_bio_PKCS8PrivateKey(out, key, EVP_aes_128_cbc(), phrase.data(),
                                  static_cast<int>(phrase.size()), nullptr, nullptr);
    char* text = nullptr;
    const long size = BIO_get_mem_data(out, &text);
    const temporary_file certificate(mine.certificate);
    const temporary_file encrypted(std::string_view(text, static_cast<std::size_t>(size)));
    BIO_free(in);
    BIO_free(out);
    EVP_PKEY_free(key);

    EXPECT_NE(error_of({"", certificate.path(), encrypted.path()}).find(encrypted.path()),
              std::string::npos);
}

}  // namespace
}  // namespace shardgate
