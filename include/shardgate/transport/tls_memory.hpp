// SPDX-License-Identifier: Apache-2.0
// Memory for OpenSSL. With thousands of mostly idle connections its read buffer of 64 KiB must not
// stay with each of them, so that it comes and goes at every wake-up, and a few bytes with every
// record: each thread keeps some of both for the next time. Depends on nothing.
#pragma once

#include <cstddef>

namespace shardgate::tls_memory {

// From here on OpenSSL's memory is ours. To be called before anything of OpenSSL, else nothing
// changes and the answer is false; so it is under AddressSanitizer, which must see each block.
bool keep() noexcept;

// What the calling thread keeps at most, in bytes.
inline constexpr std::size_t kept_max = 512U << 10;

}  // namespace shardgate::tls_memory
