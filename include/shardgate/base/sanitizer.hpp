// SPDX-License-Identifier: Apache-2.0
// Whether this build watches its memory. What keeps memory for itself must not do so then:
// AddressSanitizer has to see each block come and go.
#pragma once

namespace shardgate {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool address_sanitizer = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool address_sanitizer = true;
#else
inline constexpr bool address_sanitizer = false;
#endif
#else
inline constexpr bool address_sanitizer = false;
#endif

}  // namespace shardgate
