// SPDX-License-Identifier: Apache-2.0
#include "client/exchange.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "shardgate/config/cli.hpp"
#include "shardgate/transport/dial.hpp"

namespace shardgate::client {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr std::chrono::seconds longest_silence{60};

// Steps one after the other, each run to its end or to the common deadline. Handlers write to
// members only, and the loop, destroyed last, drops those that never ran.
class one_exchange {
public:
    explicit one_exchange(duration patience, const taker* take = nullptr)
        : until_(later(clock::now(), patience)), take_(take) {
        parser_.header_limit(16U << 10);
        if (take_ == nullptr)
            parser_.body_limit(answer_limit);
        else
            parser_.body_limit(boost::none);
        parser_.eager(true);
    }

    [[nodiscard]] result<admin_answer> run(const address& where, std::string text) {
        const bool local = where.type == address::kind::unix_socket;
        if (auto bad = local ? connect_unix(where.path) : connect_tcp(where)) return *bad;
        text_ = std::move(text);
        // A server that refuses early may close before it has read everything; what it says counts.
        const std::optional<failure> unsent = send();
        if (auto bad = receive()) return unsent ? *unsent : *bad;
        admin_answer answer{parser_.get().result_int(), std::move(parser_.get().body())};
        return result<admin_answer>(boost::system::in_place_value, std::move(answer));
    }

private:
    using socket = asio::generic::stream_protocol::socket;
    using verdict = std::optional<failure>;

    // False: the deadline came first.
    bool wait() {
        while (!done_ && clock::now() < until_)
            if (io_.run_one_until(until_) == 0) io_.restart();
        return done_;
    }

    verdict outcome(std::string_view late) {
        if (!wait()) return failure(asio::error::timed_out, std::string(late));
        if (code_) return failure(code_, code_.message());
        return std::nullopt;
    }

    verdict connect_unix(const std::string& path) {
        asio::local::stream_protocol::socket s(io_);
        error_code bad;
        s.connect(asio::local::stream_protocol::endpoint(path), bad);  // at once, or not at all
        if (bad) return failure(bad, bad.message());
        socket_.emplace(std::move(s));
        return std::nullopt;
    }

    verdict connect_tcp(const address& where) {
        done_ = false;
        const std::unique_ptr<dial> dialling =
            dial::start(io_.get_executor(), where.host, where.port, [this](dialled d) {
                done_ = true;
                code_ = d.code;
                detail_ = std::move(d.detail);
                if (!d.code) socket_.emplace(std::move(d.socket));
            });
        verdict bad = outcome("no connection in time");
        if (bad && !detail_.empty()) bad->detail = detail_;
        return bad;
    }

    verdict send() {
        done_ = false;
        asio::async_write(*socket_, asio::buffer(text_),
                          [this](const error_code& code, std::size_t) {
                              done_ = true;
                              code_ = code;
                          });
        return outcome("the request was not read in time");
    }

    verdict receive() {
        std::size_t filled = 0;  // of chunk_: what the parser did not take
        while (!parser_.is_done()) {
            if (filled == chunk_.size()) return failure("the answer cannot be read");
            done_ = false;
            socket_->async_read_some(asio::buffer(chunk_) + filled,
                                     [this](const error_code& code, std::size_t n) {
                                         done_ = true;
                                         code_ = code;
                                         read_ = n;
                                     });
            if (!wait()) return failure(asio::error::timed_out, "no whole answer in time");
            if (code_ == asio::error::eof) return end();
            if (code_) return failure(code_, code_.message());
            filled += read_;
            error_code bad;
            const std::size_t taken = parser_.put(asio::buffer(chunk_.data(), filled), bad);
            if (bad && bad != http::error::need_more) return not_http(bad);
            std::copy(chunk_.begin() + taken, chunk_.begin() + filled, chunk_.begin());
            filled -= taken;
            if (!hand_on()) return std::nullopt;
        }
        return std::nullopt;
    }

    // What came of a body that goes on and on; false: no more of it is wanted.
    bool hand_on() {
        if (take_ == nullptr || !parser_.is_header_done()) return true;
        std::string& body = parser_.get().body();
        if (parser_.get().result_int() != 200) return body.size() <= answer_limit;
        until_ = later(clock::now(), longest_silence);
        const bool more = body.empty() || (*take_)(body);
        body.clear();
        return more;
    }

    verdict end() {
        error_code bad;
        if (parser_.got_some()) parser_.put_eof(bad);
        if (parser_.is_done() && !bad) return std::nullopt;
        // A stream ends when the daemon stops, without a word.
        const bool streamed = take_ != nullptr && parser_.is_header_done();
        if (streamed && parser_.get().result_int() == 200) return std::nullopt;
        return failure("the connection was closed before the answer was whole");
    }

    static failure not_http(const error_code& bad) {
        if (bad == http::error::body_limit) return failure("the answer is longer than 64 MiB");
        return failure(bad, "what answers does not speak HTTP: " + bad.message());
    }

    asio::io_context io_{1};
    time_point until_;
    const taker* take_;  // null: the whole answer at its end
    std::optional<socket> socket_;
    http::response_parser<http::string_body> parser_;
    std::string text_;
    std::array<char, 64U << 10> chunk_{};
    bool done_ = false;
    error_code code_;
    std::string detail_;
    std::size_t read_ = 0;
};

}  // namespace

std::string request_text(const endpoint& to, const secret& token, const admin_call& call) {
    std::string text = call.method + ' ' + to.base + call.target + " HTTP/1.1\r\nHost: " + to.host +
                       "\r\nUser-Agent: shardgate/" + config::version_number() +
                       "\r\nAccept: application/json\r\nConnection: close\r\n";
    if (!token.empty()) text += "Authorization: Bearer " + token.reveal() + "\r\n";
    if (call.method != "GET")
        text += "Content-Type: application/json\r\nContent-Length: " +
                std::to_string(call.body.size()) + "\r\n";
    return text + "\r\n" + call.body;
}

result<admin_answer> exchange(const endpoint& to, const secret& token, const admin_call& call) {
    const auto step = std::make_unique<one_exchange>(call.patience);
    return step->run(to.where, request_text(to, token, call));
}

result<admin_answer> follow(const endpoint& to, const secret& token, const admin_call& call,
                            const taker& take) {
    const auto step = std::make_unique<one_exchange>(call.patience, &take);
    return step->run(to.where, request_text(to, token, call));
}

}  // namespace shardgate::client
