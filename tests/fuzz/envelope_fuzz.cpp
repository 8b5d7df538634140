// SPDX-License-Identifier: Apache-2.0
// Any bytes as a frame. The buffer ends where the frame ends: stricter than the scanner asks for.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "shardgate/protocol/envelope.hpp"

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

bool lies_in(std::string_view part, std::string_view whole) {
    return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    static shardgate::scanner scanner;
    const auto bytes = std::make_unique<char[]>(size);
    std::copy(data, data + size, bytes.get());
    const std::string_view text(bytes.get(), size);
    const auto e = scanner.scan(text);
    static_cast<void>(scanner.hello_interval_ms(text));
    static_cast<void>(scanner.ready(text));
    if (!e) return 0;
    require(e->op >= 0 && lies_in(e->frame, text) && e->frame.front() == '{');
    require(e->d.empty() || lies_in(e->d, e->frame));
    const auto again = scanner.scan(e->frame);
    require(again && again->d == e->d && again->fields.guild == e->fields.guild &&
            again->fields.edit_fingerprint == e->fields.edit_fingerprint);
    if (e->op == 0) require(e->s && !e->t.empty() && !e->d.empty());
    static_cast<void>(scanner.ready(again->d));
    return 0;
}
