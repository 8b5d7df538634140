// SPDX-License-Identifier: Apache-2.0
// What was built from what. The only includer of the generated header, so that a new git revision
// compiles this file and nothing else.
#include <string>

#include "shardgate/config/cli.hpp"
#include "shardgate_version.hpp"

namespace shardgate::config {

std::string version_number() {
    return build::version;
}

std::string version_revision() {
    return build::revision;
}

std::string version_text() {
    std::string out = "shardgate ";
    out.append(build::version).append(" (").append(build::type);
    out.append(", git ").append(build::revision).append(", ").append(build::compiler).append(")");
    for (const build::library& l : build::libraries)
        out.append("\n  ").append(l.name).append(" ").append(l.version);
    return out;
}

}  // namespace shardgate::config
