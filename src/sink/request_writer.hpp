// SPDX-License-Identifier: Apache-2.0
// Delivery requests as HTTP/1.1 bytes: head, and around the events' own bytes what the envelope
// wants. The requests of one write are one text. Short frames are copied into it: the kernel takes
// one long piece in less time than many short ones. Long frames stay where they are.
// Pure: no clock, no socket. What its users see: docs, the handler's interface.
#pragma once

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
#include "sink/text_buffer.hpp"

namespace shardgate::sink {

// The bytes of the requests that go out in one write, one behind the other. Reused from write to
// write: its buffers keep their memory.
class rendered_requests {
public:
    // Appends the bytes in order. Views into this object and into the long frames.
    void pieces(std::vector<std::string_view>& out) const;
    [[nodiscard]] std::size_t size() const noexcept { return text_.size() + cut_bytes_; }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    // Frames that were not copied: their events must live as long as the pieces.
    [[nodiscard]] std::size_t cuts() const noexcept { return cuts_.size(); }
    [[nodiscard]] std::size_t capacity() const noexcept { return text_.capacity(); }
    // Forgets the content; memory beyond what a write usually needs goes back.
    void clear() noexcept;

private:
    friend class request_writer;
    struct cut {
        std::size_t at;  // in text_
        std::string_view frame;
    };
    text_buffer text_;
    std::vector<cut> cuts_;
    std::size_t cut_bytes_ = 0;
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
    // Appends to `out`, whose views live as long as the events of its requests.
    void render(const delivery_request& request, std::string_view constant_head, wall_ms now,
                rendered_requests& out);

private:
    void add_single(const delivery_item& item);
    void add_batch_element(const delivery_item& item);
    void add_meta(const delivery_item& item);
    void add_prefix(const queued_event& event);
    void add_event_headers(const delivery_item& item, text_buffer& out);
    void add_batch_headers(const delivery_request& request, text_buffer& out) const;
    void add_trace(text_buffer& out);
    void add_signature(wall_ms now, text_buffer& out);
    void add_frame(std::string_view frame);
    void add_body(rendered_requests& out);
    void add_key(const queued_event& event, text_buffer& out);
    [[nodiscard]] std::uint64_t random() noexcept;

    config::envelope_mode envelope_;
    bool batches_;
    std::string authorization_;
    signer signer_;
    std::uint64_t random_state_;
    std::string trace_begins_;

    // The body under construction: what is around the frames, and where they go.
    text_buffer body_;
    std::vector<rendered_requests::cut> frames_;
    std::size_t frames_size_ = 0;
    std::string key_;
    // The last event's session and how its id stands in a key: the next one's is mostly the same.
    session_handle session_;
    std::string session_id_;
};

// `text` with everything but visible ASCII, and also " and \, percent-encoded: safe in a header and
// in a JSON string. Longer than 256 bytes becomes "sha256:" and the hash. Keys come encoded from
// delivery; event names come from outside.
void append_safe(text_buffer& out, std::string_view text);

}  // namespace shardgate::sink
