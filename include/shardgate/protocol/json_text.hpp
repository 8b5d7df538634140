// SPDX-License-Identifier: Apache-2.0
// JSON strings as text: writing them, and reading one that has escapes. For the few texts we build
// by hand; needs no JSON library (RFC 8259, section 7).
#pragma once

#include <string>
#include <string_view>

namespace shardgate {

// Appends `text` as a JSON string with its quotes. Control characters, quotes and backslashes are
// escaped; bytes that are not UTF-8 become U+FFFD, so that the result is always valid JSON.
void append_json_string(std::string& out, std::string_view text);
[[nodiscard]] std::string json_string(std::string_view text);

// `raw` is what stands between a JSON string's quotes. Appends its value to `out` as UTF-8; a lone
// surrogate becomes U+FFFD. False when an escape is malformed; `out` then has what came before it.
[[nodiscard]] bool unescape_json(std::string_view raw, std::string& out);

}  // namespace shardgate
