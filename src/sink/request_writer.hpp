// SPDX-License-Identifier: Apache-2.0
// A delivery request as HTTP/1.1 bytes: head, and around the events' own bytes what the envelope
// wants. The frames are not copied: a rendered request is one text with places where a frame goes.
// Pure: no clock, no socket. What its users see: docs, the handler's interface.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shardgate/base/time.hpp"
#include "shardgate/config/config.hpp"
#include "shardgate/delivery/delivery.hpp"
#include "sink/endpoint.hpp"
#include "sink/signer.hpp"

namespace shardgate::sink {

// Reused from request to request: its buffers keep their memory.
class rendered_request {
public:
    // Appends the request's bytes in order. Views into this object and into the frames.
    void pieces(std::vector<std::string_view>& out) const;
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    // Forgets the content; memory beyond what requests usually need goes back.
    void clear() noexcept;

private:
    friend class request_writer;
    struct cut {
        std::size_t at;  // in text_
        std::string_view frame;
    };
    std::string text_;
    boost::container::small_vector<cut, 1> cuts_;
    std::size_t size_ = 0;
};

class request_writer {
public:
    // `seed` starts the trace ids.
    request_writer(const config::handler& handler, std::uint64_t seed);

    // Another Authorization, other signing keys.
    void set_secrets(const config::handler& handler);

    // What every request to `to` begins with.
    [[nodiscard]] std::string constant_head(const endpoint& to) const;
    // Whether render() needs to know the time: only a signature does.
    [[nodiscard]] bool wants_time() const noexcept { return signer_.active(); }
    // `out`'s views live as long as the request's events.
    void render(const delivery_request& request, std::string_view constant_head, wall_ms now,
                rendered_request& out);

private:
    void add_single(const delivery_item& item);
    void add_batch_element(const delivery_item& item);
    void add_meta(const delivery_item& item);
    void add_prefix(const queued_event& event);
    void add_event_headers(const delivery_item& item, std::string& out);
    void add_batch_headers(const delivery_request& request, std::string& out) const;
    void add_trace(std::string& out);
    void add_signature(wall_ms now, std::string& out);
    void add_frame(std::string_view frame);
    [[nodiscard]] std::uint64_t random() noexcept;

    config::envelope_mode envelope_;
    bool batches_;
    std::string authorization_;
    signer signer_;
    std::uint64_t random_state_;

    // The body under construction.
    std::string body_;
    boost::container::small_vector<rendered_request::cut, 1> cuts_;
    std::size_t frames_size_ = 0;
    std::string key_;
};

// `text` with everything but visible ASCII, and also " and \, percent-encoded: safe in a header and
// in a JSON string. Longer than 256 bytes becomes "sha256:" and the hash. Keys come encoded from
// delivery; event names come from outside.
void append_safe(std::string& out, std::string_view text);

}  // namespace shardgate::sink
