// SPDX-License-Identifier: Apache-2.0
// A certificate authority for one run, made in memory: clients trust its PEM through `ca_file`, so
// that verification stays on in every test. P-256 keys: a handshake costs tens of microseconds.
#pragma once

#include <string>

namespace shardgate::sim {

struct certificates {
    std::string ca_pem;
    std::string server_pem;  // for localhost, 127.0.0.1 and ::1
    std::string server_key_pem;
};

// Throws std::runtime_error when OpenSSL refuses.
[[nodiscard]] certificates make_certificates();

}  // namespace shardgate::sim
