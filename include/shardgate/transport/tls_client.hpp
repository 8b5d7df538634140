// SPDX-License-Identifier: Apache-2.0
// TLS settings for outgoing connections: TLS 1.2 or newer, the system's store plus optional PEM
// files, verification always on. One per trust domain (Discord; the handler). Built at start-up.
#pragma once

#include <memory>
#include <string>

#include "shardgate/base/result.hpp"

namespace shardgate {

struct tls_client_options {
    std::string ca_file;                  // PEM, beside the system's store; empty = none
    std::string client_certificate_file;  // PEM; both or neither
    std::string client_key_file;
};

class tls_client {
public:
    // Fails with a sentence that names the file that cannot be used.
    [[nodiscard]] static result<std::unique_ptr<tls_client>> make(
        const tls_client_options& options);
    ~tls_client();

    struct impl;  // asio::ssl::context; seen only inside transport/ and sink/
    [[nodiscard]] impl& native() noexcept { return *impl_; }

private:
    explicit tls_client(std::unique_ptr<impl> i);
    std::unique_ptr<impl> impl_;
};

}  // namespace shardgate
