// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 messages of the client (RFC 9112).
#include "transport/http_message.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>
#include <utility>

namespace shardgate {
namespace {

namespace http = boost::beast::http;

// What may wait for the rest of a chunk's header; Beast 1.81 has no bound of its own there.
constexpr std::size_t max_pending = 64U << 10;

bool is_token(std::string_view text) {  // RFC 9110 section 5.6.2
    constexpr std::string_view others = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               others.find(c) != std::string_view::npos;
    });
}

bool is_value(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte == '\t' || (byte >= 0x20 && byte != 0x7F);
    });
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

// Set by us alone: a second one would contradict it.
bool is_ours(std::string_view lower_name) {
    return lower_name == "host" || lower_name == "content-length" ||
           lower_name == "transfer-encoding" || lower_name == "connection";
}

failure bad_request(std::string why) {
    return {make_error_code(boost::system::errc::invalid_argument), std::move(why)};
}

bool takes_body(std::string_view method) {
    return method == "POST" || method == "PUT" || method == "PATCH";
}

}  // namespace

std::string_view http_response::header(std::string_view name) const noexcept {
    for (const auto& [key, value] : headers)
        if (key == name) return value;
    return {};
}

result<std::string> http_request_text(const http_request& request, const url_parts& url,
                                      std::string_view user_agent) {
    if (!is_token(request.method)) return bad_request("not an HTTP method");
    std::string text = request.method + " " + url.target + " HTTP/1.1\r\n";
    text += "Host: " + url.authority + "\r\n";
    bool names_agent = user_agent.empty();
    for (const auto& [name, value] : request.headers) {
        if (!is_token(name)) return bad_request("a header name that is none");
        const std::string key = lower(name);
        if (is_ours(key)) return bad_request("the header " + key + " is the client's to set");
        if (!is_value(value)) return bad_request("the header " + key + " has a control character");
        if (key == "user-agent") names_agent = true;
        text += name + ": " + value + "\r\n";
    }
    if (!names_agent) {
        if (!is_value(user_agent)) return bad_request("the user agent has a control character");
        text += "User-Agent: " + std::string(user_agent) + "\r\n";
    }
    if (!request.body.empty() || takes_body(request.method))
        text += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
    text += "\r\n";
    text += request.body;
    return {boost::system::in_place_value, std::move(text)};
}

struct http_response_reader::impl {
    using parser_type = http::response_parser<http::string_body>;

    bool bodiless;
    std::optional<parser_type> parser;
    std::string pending;
    bool started = false;
    bool done = false;
    failure why;

    explicit impl(bool no_body) : bodiless(no_body) { renew(); }

    void renew() {
        parser.emplace();
        parser->eager(true);
        parser->header_limit(max_header);
        parser->body_limit(max_body);
        parser->skip(bodiless);
    }

    step fail(const error_code& code) {
        why = failure(code, "the response cannot be used: " + code.message());
        return step::failed;
    }

    // One response may be followed by the next in the same bytes after an interim one.
    step parse() {
        for (;;) {
            error_code code;
            const std::size_t used =
                parser->put(boost::asio::buffer(pending.data(), pending.size()), code);
            pending.erase(0, used);
            if (code == http::error::need_more) code = {};
            if (code) return fail(code);
            if (parser->is_done()) {
                const unsigned status = parser->get().result_int();
                if (status / 100 != 1) {
                    done = true;
                    return step::done;
                }
                // A switch of protocols that nobody asked for is no interim response.
                if (status == 101) return fail(http::error::bad_status);
                renew();
                if (pending.empty()) return step::more;
                continue;
            }
            if (used == 0 || pending.empty()) break;
        }
        if (pending.size() > max_pending) return fail(http::error::buffer_overflow);
        return step::more;
    }
};

http_response_reader::http_response_reader(bool bodiless)
    : impl_(std::make_unique<impl>(bodiless)) {}
http_response_reader::~http_response_reader() = default;

http_response_reader::step http_response_reader::feed(std::string_view bytes) {
    if (bytes.empty()) return step::more;
    impl_->started = true;
    impl_->pending.append(bytes);
    if (impl_->done) return step::done;  // more than the response: not reusable
    return impl_->parse();
}

http_response_reader::step http_response_reader::end_of_stream() {
    if (!impl_->parser->got_some()) return impl_->fail(http::error::end_of_stream);
    error_code code;
    impl_->parser->put_eof(code);
    if (code) return impl_->fail(code);
    if (!impl_->parser->is_done()) return impl_->fail(http::error::partial_message);
    impl_->done = true;
    return step::done;
}

bool http_response_reader::started() const noexcept {
    return impl_->started;
}

bool http_response_reader::reusable() const {
    return impl_->done && impl_->pending.empty() && impl_->parser->get().keep_alive() &&
           !impl_->parser->get().need_eof();
}

http_response http_response_reader::take() {
    http_response out;
    auto& message = impl_->parser->get();
    out.status = message.result_int();
    for (const auto& field : message)
        out.headers.emplace_back(lower(std::string_view(field.name_string())),
                                 std::string(field.value()));
    out.body = std::move(message.body());
    return out;
}

const failure& http_response_reader::fault() const noexcept {
    return impl_->why;
}

}  // namespace shardgate
