// SPDX-License-Identifier: Apache-2.0
// A stream of gateway frames in the mix and the sizes a large bot sees, the same in every run.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shardgate/delivery/event.hpp"
#include "shardgate/protocol/dispatch.hpp"
#include "shardgate/protocol/envelope.hpp"

namespace shardgate::bench {

class event_stream {
public:
    static constexpr std::size_t count = 1024;

    event_stream();

    [[nodiscard]] std::string_view frame(std::size_t i) const noexcept {
        const place& p = places_[i % count];
        return std::string_view(text_).substr(p.at, p.size);
    }
    [[nodiscard]] std::size_t mean_size() const noexcept;
    // The frame as the session hands it on. The views live as long as the stream; `scan` is used.
    [[nodiscard]] dispatch at(std::size_t i, scanner& scan) const;
    // All of them, copied as delivery keeps them.
    [[nodiscard]] std::vector<event_ptr> events() const;

private:
    struct place {
        std::size_t at, size;
    };
    std::string text_;  // with the scanner's padding behind
    std::vector<place> places_;
    session_handle session_ =
        std::make_shared<const std::string>("0123456789abcdef0123456789abcdef");
};

[[nodiscard]] const event_stream& shared_stream();

}  // namespace shardgate::bench
