// SPDX-License-Identifier: Apache-2.0
// Reads a handler's answers off a connection: the head says what became of the request, the body is
// skipped. Bounded whatever the peer sends, and strict where two readings of one stream could
// differ (RFC 9112 section 11.2). Pure; one per connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shardgate/base/time.hpp"

namespace shardgate::sink {

struct http_answer {
    unsigned status = 0;
    bool keep_alive = true;    // the connection may carry the next request
    bool peer_closes = false;  // the peer said so: it handles no request behind this one
    std::optional<duration> keep_alive_timeout;  // Keep-Alive: timeout=…
    std::optional<duration> retry_after;         // given as seconds
    std::optional<wall_ms> retry_at;             // given as a date
};

class response_reader {
public:
    static constexpr std::size_t head_max = 16384;
    static constexpr std::size_t body_max = 65536;

    enum class event : std::uint8_t {
        need_more,
        head,  // answer() is there; go on reading for the body
        done,  // the response is over; when answer().keep_alive is false, so is the connection
        bad,   // not HTTP, or beyond the bounds; problem() says what
    };

    // Takes what it can from `data` and says how much in `used`; the rest must come again, with
    // what follows it.
    [[nodiscard]] event read(std::string_view data, std::size_t& used);
    [[nodiscard]] const http_answer& answer() const noexcept { return answer_; }
    [[nodiscard]] std::string_view problem() const noexcept { return problem_; }
    // No byte of the response that is due has been taken yet.
    [[nodiscard]] bool untouched() const noexcept { return state_ == state::head && skipped_ == 0; }

private:
    enum class state : std::uint8_t { head, body, chunk_size, chunk_data, chunk_end, trailer };

    [[nodiscard]] event read_head(std::string_view data, std::size_t& used);
    [[nodiscard]] event parse_head(std::string_view head);
    [[nodiscard]] bool parse_status_line(std::string_view line);
    [[nodiscard]] bool parse_header(std::string_view name, std::string_view value);
    void parse_connection(std::string_view value);
    [[nodiscard]] event choose_body();
    void keep_head(std::string_view head);
    [[nodiscard]] bool is_known(std::string_view data) const noexcept;
    [[nodiscard]] event read_body(std::string_view data, std::size_t& used);
    [[nodiscard]] bool read_chunk_line(std::string_view data, std::size_t& used, event& out);
    [[nodiscard]] event bad(std::string_view why);
    [[nodiscard]] event abandon();
    [[nodiscard]] event finish();

    // The last head, if it was short, and what it said: a handler's answers are alike.
    std::string known_;
    http_answer known_answer_;
    state known_state_ = state::body;
    std::uint64_t known_left_ = 0;

    state state_ = state::head;
    http_answer answer_;
    std::string_view problem_;  // a literal
    std::size_t skipped_ = 0;   // bytes of interim responses before this one
    std::optional<std::uint64_t> length_;
    bool old_version_ = false, chunked_ = false, other_coding_ = false;
    bool says_close_ = false, says_keep_ = false;
    std::uint64_t left_ = 0;     // of the body or the chunk
    std::size_t discarded_ = 0;  // of the body so far, framing included
};

// Retry-After's date: RFC 9110's IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT".
[[nodiscard]] std::optional<wall_ms> parse_http_date(std::string_view text);

}  // namespace shardgate::sink
