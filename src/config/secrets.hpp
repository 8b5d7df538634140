// SPDX-License-Identifier: Apache-2.0
// Chooses each secret from command line, environment, credentials directory and file, and reads
// the files. Private to src/config. No message here ever holds a part of a secret.
#pragma once

#include "config/draft.hpp"

namespace shardgate::config {

void resolve_secrets(draft& d, const surroundings& around);

}  // namespace shardgate::config
