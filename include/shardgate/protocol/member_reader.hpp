// SPDX-License-Identifier: Apache-2.0
// Who asked for a guild's members and takes them as they come. The seam between the admin API and
// the member requests.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "shardgate/base/time.hpp"

namespace shardgate {

enum class members_end : std::uint8_t {
    complete,      // every chunk was handed over
    timed_out,     // no chunk, or no further one, in time
    rate_limited,  // Discord wants this guild asked later
    too_slow,      // more waits to be read than is kept
};

class member_reader {
public:
    virtual ~member_reader() = default;
    // A GUILD_MEMBERS_CHUNK's d, on one line. False: nobody reads any more, call no further.
    [[nodiscard]] virtual bool on_chunk(const std::shared_ptr<const std::string>& d) = 0;
    // The last call. `wait`: of rate_limited.
    virtual void on_end(members_end how, duration wait) = 0;
};

}  // namespace shardgate
