// SPDX-License-Identifier: Apache-2.0
// The receipts of one number that may or must come more than once: equal events that happened again
// (each has to arrive, under a key of its own), and copies given on purpose. Pure; owner: truth.
#pragma once

#include <cstdint>
#include <vector>

namespace shardgate::sim {

struct copies {
    std::uint32_t must = 0;           // repetitions that happened, beside the first
    std::uint32_t may = 0;            // copies that were given on purpose (duplicates switch)
    std::uint32_t lost = 0;           // repetitions nobody can deliver any more
    std::uint32_t receipts = 0;       // with the first
    std::vector<std::uint32_t> keys;  // hashes of the keys seen, each once
    std::vector<std::uint16_t> why;   // of each lost one, as the owner numbers its reasons
};

struct copies_tally {
    std::uint64_t received = 0;       // repetitions that came
    std::uint64_t missing = 0;        // must come and have not
    std::uint64_t lost_received = 0;  // called lost, came all the same
    // Repetitions that came under a key another one had: a handler that looks at keys loses them.
    std::uint64_t same_key = 0;
    std::uint64_t extra_same_key = 0, extra_other_key = 0;  // more than what was sent
};

// What the receipts so far have come to. A repetition under a used key and an old event's copy look
// alike until everything has come; then the count decides.
[[nodiscard]] copies_tally tally_of(const copies& c) noexcept;

}  // namespace shardgate::sim
