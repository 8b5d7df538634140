// SPDX-License-Identifier: Apache-2.0
// Chooses each secret from command line, environment, credentials directory and file, and reads
// the files. Private to src/config. No message here ever holds a part of a secret.
#pragma once

#include <string_view>
#include <vector>

#include "config/draft.hpp"

namespace shardgate::config {

void resolve_secrets(draft& d, const surroundings& around);

// Every secret by its key, without the "_file" twins, and with handler.signing_key_file.
[[nodiscard]] const std::vector<std::string_view>& secret_keys();
[[nodiscard]] bool same_secret(std::string_view key, settings& a, settings& b);
void copy_secret(std::string_view key, settings& from, settings& to);

}  // namespace shardgate::config
