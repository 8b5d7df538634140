// SPDX-License-Identifier: Apache-2.0
// HMAC-SHA256 through OpenSSL's EVP_MAC: one context per key, keyed once and begun again for each
// request.
#include "sink/signer.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <stdexcept>

#include "sink/hex.hpp"

namespace shardgate::sink {
namespace {

struct mac_free {
    void operator()(EVP_MAC* m) const noexcept { EVP_MAC_free(m); }
    void operator()(EVP_MAC_CTX* c) const noexcept { EVP_MAC_CTX_free(c); }
};
using mac_ptr = std::unique_ptr<EVP_MAC, mac_free>;
using context_ptr = std::unique_ptr<EVP_MAC_CTX, mac_free>;

void must(bool done) {
    if (!done) throw std::runtime_error("HMAC-SHA256 is not available");
}

const unsigned char* bytes_of(std::string_view text) noexcept {
    return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

struct signer::impl {
    mac_ptr mac;
    std::vector<context_ptr> contexts;
};

signer::signer(const std::vector<secret>& keys) {
    set_keys(keys);
}

void signer::set_keys(const std::vector<secret>& keys) {
    auto made = std::make_unique<impl>();
    if (keys.empty()) {
        impl_ = std::move(made);
        return;
    }
    made->mac.reset(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
    must(made->mac != nullptr);
    char digest[] = "SHA256";
    const std::array<OSSL_PARAM, 2> parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    for (const secret& key : keys) {
        context_ptr context(EVP_MAC_CTX_new(made->mac.get()));
        must(context != nullptr);
        const std::string& value = key.reveal();
        must(EVP_MAC_init(context.get(), bytes_of(value), value.size(), parameters.data()) == 1);
        made->contexts.push_back(std::move(context));
    }
    impl_ = std::move(made);
}

signer::~signer() = default;

bool signer::active() const noexcept {
    return !impl_->contexts.empty();
}

void signer::begin(std::string_view timestamp) {
    for (const auto& context : impl_->contexts)
        must(EVP_MAC_init(context.get(), nullptr, 0, nullptr) == 1);  // keeps the key
    add(timestamp);
    add(".");
}

void signer::add(std::string_view piece) {
    for (const auto& context : impl_->contexts)
        must(EVP_MAC_update(context.get(), bytes_of(piece), piece.size()) == 1);
}

void signer::append(std::string& out) {
    bool first = true;
    for (const auto& context : impl_->contexts) {
        std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
        std::size_t size = 0;
        must(EVP_MAC_final(context.get(), digest.data(), &size, digest.size()) == 1);
        out += first ? "v1=" : ",v1=";
        first = false;
        append_hex(out, {reinterpret_cast<const char*>(digest.data()), size});
    }
}

}  // namespace shardgate::sink
