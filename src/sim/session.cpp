// SPDX-License-Identifier: Apache-2.0
#include "sim/session.hpp"

namespace shardgate::sim {

resume_verdict check_resume(const session& s, std::uint64_t seq) noexcept {
    if (seq > s.written) return resume_verdict::above_sent;
    // first() - 1 is the newest seq that has left the ring.
    if (seq + 1 < s.ring.first()) return resume_verdict::out_of_range;
    return resume_verdict::ok;
}

}  // namespace shardgate::sim
