// SPDX-License-Identifier: Apache-2.0
// What a scanner keeps between frames, shared by envelope.cpp and ready.cpp. Private to protocol.
#pragma once

#include <string>

#include "protocol/fingerprint.hpp"
#include "protocol/json_tokens.hpp"
#include "shardgate/protocol/envelope.hpp"

namespace shardgate {

struct scanner::impl {
    explicit impl(scan_options options)
        : hasher(options.seed), fingerprints(options.fingerprints) {}

    json::tokenizer tokenizer;
    value_hasher hasher;
    bool fingerprints;
    std::string name;  // an event name that was written with escapes
};

// A failure that says the peer sent something we cannot read.
[[nodiscard]] failure bad_frame(std::string what);

}  // namespace shardgate
