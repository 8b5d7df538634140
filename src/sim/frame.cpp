// SPDX-License-Identifier: Apache-2.0
#include "sim/frame.hpp"

#include <algorithm>
#include <array>

#include "sim/json_text.hpp"

namespace shardgate::sim {

void write_dispatch(std::string& out, std::string_view t, std::uint64_t s, std::string_view d) {
    out.reserve(out.size() + d.size() + t.size() + 48);
    json_text w(out);
    w(R"({"t":")")(t)(R"(","s":)").number(s)(R"(,"op":0,"d":)")(d)("}");
}

void write_dispatch_shuffled(std::string& out, std::string_view t, std::uint64_t s,
                             std::string_view d, rng& random) {
    std::array<int, 6> order{0, 1, 2, 3, 4, 5};
    for (std::size_t i = order.size() - 1; i > 0; --i)
        std::swap(order[i], order[random.below(i + 1)]);
    json_text w(out);
    w("{");
    bool first = true;
    for (const int part : order) {
        if (!first) w(random.below(4) == 0 ? " , " : ",");
        first = false;
        switch (part) {
        case 0: w(R"("t":")")(t)("\""); break;
        case 1: w(R"("s" : )").number(s); break;
        case 2: w(R"("op":0)"); break;
        case 3: w(R"("d":)")(d); break;
        case 4: w(R"("_trace":[{"op":9,"t":"NOT_THIS","s":0,"d":{"guild_id":"3"}}])"); break;
        default: w(R"("novelty":"\"d\":{\"op\":7}")"); break;
        }
    }
    w("}");
}

std::string control_frame(int op, std::string_view d) {
    std::string out;
    json_text w(out);
    w(R"({"t":null,"s":null,"op":)").number(static_cast<std::uint64_t>(op))(R"(,"d":)")(d)("}");
    return out;
}

}  // namespace shardgate::sim
