// SPDX-License-Identifier: Apache-2.0
// The calls about dead letters: list, retry, delete. What is asked for is read strictly, because a
// word that is not understood could otherwise mean "all". Pure but for what `view` does.
#pragma once

#include <cstddef>
#include <string_view>

#include "admin/http_message.hpp"
#include "admin/target.hpp"
#include "shardgate/admin/daemon_view.hpp"

namespace shardgate::admin {

inline constexpr std::size_t dead_letters_listed = 100;  // without ?limit=
inline constexpr std::size_t dead_letters_listed_max = 1000;
inline constexpr std::size_t payload_bytes_max = 8U << 20;  // in one answer

// ?limit=, ?payload=1, ?key= (may be repeated).
[[nodiscard]] http_response list_dead_letters(const daemon_view& view, const target& t);
// No body or {} = all; {"keys":[…]}.
[[nodiscard]] http_response retry_dead_letters(daemon_view& view, const target& t,
                                               std::string_view body);
// ?key= (may be repeated); without one all. No body.
[[nodiscard]] http_response delete_dead_letters(daemon_view& view, const target& t,
                                                std::string_view body);

}  // namespace shardgate::admin
