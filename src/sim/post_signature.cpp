// SPDX-License-Identifier: Apache-2.0
// HMAC-SHA256 of "<timestamp>.<body>", written apart from the daemon's signer, whose work it
// checks.
#include "sim/post_signature.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

namespace shardgate::sim {
namespace {

std::string hmac_hex(const std::string& key, std::string_view timestamp, std::string_view body) {
    std::string text(timestamp);
    text += '.';
    text += body;
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (unsigned i = 0; i < size; ++i) {
        out += digits[digest[i] >> 4U];
        out += digits[digest[i] & 15U];
    }
    return out;
}

}  // namespace

bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool signature_holds(const post& request, const std::vector<std::string>& keys) {
    const post_head& head = request.head;
    for (const std::string& key : keys) {
        const std::string wanted = "v1=" + hmac_hex(key, head.timestamp, request.body);
        std::string_view list = head.signature;
        while (!list.empty()) {
            const auto comma = std::min(list.find(','), list.size());
            if (equal_in_constant_time(list.substr(0, comma), wanted)) return true;
            list.remove_prefix(std::min(comma + 1, list.size()));
        }
    }
    return false;
}

}  // namespace shardgate::sim
