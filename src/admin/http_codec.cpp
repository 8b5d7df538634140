// SPDX-License-Identifier: Apache-2.0
#include "admin/http_codec.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <charconv>
#include <iterator>
#include <optional>
#include <utility>

#include "admin/problem.hpp"
#include "shardgate/base/result.hpp"
#include "shardgate/base/time_text.hpp"

namespace shardgate::admin {

namespace {

namespace http = boost::beast::http;
using parser = http::request_parser<http::string_body>;

// Chunk sizes, extensions and trailers count neither as header nor as body for the parser; this
// bounds a whole request with everything around it.
constexpr std::size_t request_limit = header_limit + 4 * body_limit;

http_response from_error(const error_code& ec) {
    if (ec == http::error::header_limit)
        return problem(431, "The header section is longer than 8 KiB.");
    if (ec == http::error::body_limit) return problem(413, "The body is longer than 64 KiB.");
    return problem(400, "This is not HTTP/1.1: " + ec.message() + ".");
}

std::size_t count(const parser& p, http::field name) {
    const auto range = p.get().equal_range(name);
    return static_cast<std::size_t>(std::distance(range.first, range.second));
}

// What RFC 9112 wants refused beyond what the parser refuses. Where two readers of one request
// could see two different requests there is only one safe answer (sections 3.2, 6.1, 6.3).
std::optional<http_response> check_header(const parser& p) {
    const std::size_t lengths = count(p, http::field::content_length);
    const std::size_t encodings = count(p, http::field::transfer_encoding);
    if (lengths > 0 && encodings > 0)
        return problem(400, "Content-Length and Transfer-Encoding exclude each other.");
    if (lengths > 1) return problem(400, "More than one Content-Length.");
    if (encodings > 1 || (encodings == 1 && !p.chunked()))
        return problem(501, "The only Transfer-Encoding understood is \"chunked\".");
    if (encodings > 0 && p.get().version() == 10)
        return problem(400, "HTTP/1.0 has no Transfer-Encoding.");
    const std::size_t hosts = count(p, http::field::host);
    if (hosts > 1 || (hosts == 0 && p.get().version() == 11))
        return problem(400, "A request has one Host header.");
    if (count(p, http::field::expect) > 0 &&
        !equals_ignoring_case(p.get()[http::field::expect], "100-continue"))
        return problem(417, "The only expectation understood is \"100-continue\".");
    return std::nullopt;
}

}  // namespace

struct request_reader::impl {
    std::string buffer;
    std::optional<parser> reading;
    std::size_t taken = 0;  // bytes of this request
    bool checked = false;   // its header section
    bool skipped_line = false;
    state at = state::empty;
    http_response no;

    impl() { restart(); }

    void restart() {
        reading.emplace();
        reading->header_limit(static_cast<std::uint32_t>(header_limit));
        reading->body_limit(body_limit);
        reading->eager(true);
        taken = 0;
        checked = false;
        skipped_line = false;
        at = state::empty;
    }

    void refuse(http_response answer) {
        no = std::move(answer);
        at = state::refused;
        buffer.clear();
        buffer.shrink_to_fit();
    }

    void advance() {
        // Some clients end a request with one line too many (RFC 9112 section 2.2).
        if (taken == 0 && !skipped_line && buffer.starts_with("\r\n")) {
            buffer.erase(0, 2);
            skipped_line = true;
        }
        if (buffer.empty() && taken == 0) return;
        error_code ec;
        const std::size_t n = reading->put(boost::asio::buffer(buffer), ec);
        buffer.erase(0, n);
        taken += n;
        const bool wants_more = ec == http::error::need_more;
        if (ec && !wants_more) return refuse(from_error(ec));
        if (reading->is_header_done() && !checked) {
            if (std::optional<http_response> bad = check_header(*reading))
                return refuse(std::move(*bad));
            checked = true;
        }
        if (reading->is_done()) return finish();
        if (taken + buffer.size() > request_limit || buffer.size() > 2 * header_limit)
            return refuse(problem(413, "The request is too long."));
        wait();
    }

    void finish() {
        // Trailers became fields: what they could have smuggled in is looked for again.
        if (std::optional<http_response> bad = check_header(*reading))
            return refuse(std::move(*bad));
        at = state::complete;
    }

    void wait() {
        if (!reading->is_header_done()) {
            at = state::headers;
            return;
        }
        const bool first = at != state::body && at != state::wants_continue;
        const bool expects = reading->get().find(http::field::expect) != reading->get().end() &&
                             reading->get().version() == 11;
        if (first) at = expects ? state::wants_continue : state::body;
    }
};

request_reader::request_reader() : impl_(std::make_unique<impl>()) {}
request_reader::~request_reader() = default;

request_reader::state request_reader::feed(std::string_view bytes) {
    if (impl_->at == state::refused) return impl_->at;
    impl_->buffer.append(bytes);
    if (impl_->at != state::complete) impl_->advance();
    return impl_->at;
}

request_reader::state request_reader::now() const noexcept {
    return impl_->at;
}

void request_reader::continued() noexcept {
    if (impl_->at == state::wants_continue) impl_->at = state::body;
}

http_request request_reader::take() {
    auto message = impl_->reading->release();
    http_request out;
    out.method = std::string(message.method_string());
    out.target = std::string(message.target());
    out.http_1_0 = message.version() == 10;
    out.keep_alive = message.keep_alive();
    for (const auto& field : message)
        out.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    out.body = std::move(message.body());
    impl_->restart();
    impl_->advance();
    return out;
}

const http_response& request_reader::refusal() const noexcept {
    return impl_->no;
}

std::string serialize(const http_response& answer, const http_request& request, bool keep_alive,
                      wall_ms date) {
    std::string out = "HTTP/1.1 " + std::to_string(answer.status) + ' ';
    out += reason_phrase(answer.status);
    out += "\r\nDate: " + http_date(date);
    out += "\r\nContent-Type: " + answer.content_type;
    if (answer.stream == nullptr)
        out += "\r\nContent-Length: " + std::to_string(answer.body.size());
    else if (!request.http_1_0)
        out += "\r\nTransfer-Encoding: chunked";
    // Answers change from one second to the next and are nobody else's business.
    out += "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";
    for (const auto& [name, value] : answer.headers)
        out += name + ": " + value + "\r\n";
    if (!keep_alive)
        out += "Connection: close\r\n";
    else if (request.http_1_0)
        out += "Connection: keep-alive\r\n";
    out += "\r\n";
    if (request.method != "HEAD" && answer.stream == nullptr) out += answer.body;
    return out;
}

void append_chunk(std::string& out, std::string_view piece) {
    if (piece.empty()) return;  // an empty one would be the last
    std::array<char, 16> size{};
    const auto end = std::to_chars(size.data(), size.data() + size.size(), piece.size(), 16).ptr;
    out.append(size.data(), end);
    out += "\r\n";
    out += piece;
    out += "\r\n";
}

}  // namespace shardgate::admin
