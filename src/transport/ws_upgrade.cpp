// SPDX-License-Identifier: Apache-2.0
// The HTTP exchange that opens a WebSocket; the answer is read by Beast's parser.
#include "transport/ws_upgrade.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>

namespace shardgate::ws {
namespace {

namespace http = boost::beast::http;

std::string base64(const unsigned char* bytes, std::size_t count) {
    std::string text(4 * ((count + 2) / 3) + 1, '\0');  // and the NUL that OpenSSL adds
    const int size = ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes,
                                       static_cast<int>(count));
    text.resize(static_cast<std::size_t>(size));
    return text;
}

upgrade_answer refused(std::string_view why, unsigned status = 0) {
    upgrade_answer answer;
    answer.what = upgrade_answer::kind::refused;
    answer.status = status;
    answer.detail = std::string(why);
    return answer;
}

// Section 4.1, what a client must check of a 101.
std::string_view fault_of(const http::response_header<>& header, std::string_view key) {
    if (!http::token_list{header[http::field::upgrade]}.exists("websocket"))
        return "the answer does not upgrade to websocket";
    if (!http::token_list{header[http::field::connection]}.exists("upgrade"))
        return "the answer does not upgrade the connection";
    if (std::string_view(header[http::field::sec_websocket_accept]) != accept_of(key))
        return "the answer's Sec-WebSocket-Accept is wrong";
    if (header.find(http::field::sec_websocket_extensions) != header.end() ||
        header.find(http::field::sec_websocket_protocol) != header.end())
        return "the answer names an extension or subprotocol that was not offered";
    return {};
}

}  // namespace

std::string key_of(const std::array<unsigned char, 16>& nonce) {
    return base64(nonce.data(), nonce.size());
}

std::string accept_of(std::string_view key) {
    std::string text(key);
    text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // section 1.3
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    ::EVP_Digest(text.data(), text.size(), digest.data(), &size, ::EVP_sha1(), nullptr);
    return base64(digest.data(), size);
}

std::string upgrade_request(const url_parts& url, std::string_view user_agent,
                            std::string_view key) {
    std::string text = "GET " + url.target + " HTTP/1.1\r\nHost: " + url.authority + "\r\n";
    text += "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";
    text += "Sec-WebSocket-Key: " + std::string(key) + "\r\n";
    if (!user_agent.empty()) text += "User-Agent: " + std::string(user_agent) + "\r\n";
    text += "\r\n";
    return text;
}

upgrade_answer read_upgrade(std::string_view bytes, std::string_view key) {
    constexpr std::string_view start = "HTTP/1.1 ";
    const std::size_t compared = std::min(bytes.size(), start.size());
    if (bytes.substr(0, compared) != start.substr(0, compared))
        return refused("the answer is not HTTP/1.1");
    const std::size_t end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) {
        if (bytes.size() >= max_upgrade_bytes) return refused("the answer's header is too long");
        return {};
    }
    const std::size_t used = end + 4;
    if (used > max_upgrade_bytes) return refused("the answer's header is too long");
    http::response_parser<http::empty_body> parser;
    parser.header_limit(max_upgrade_bytes);
    parser.skip(true);
    boost::system::error_code code;
    parser.put(boost::asio::buffer(bytes.data(), used), code);
    if (code || !parser.is_header_done()) return refused("the answer's header is malformed");
    const unsigned status = parser.get().result_int();
    if (status != 101) return refused("the answer was HTTP " + std::to_string(status), status);
    const std::string_view fault = fault_of(parser.get().base(), key);
    if (!fault.empty()) return refused(fault, status);
    upgrade_answer answer;
    answer.what = upgrade_answer::kind::accepted;
    answer.used = used;
    return answer;
}

}  // namespace shardgate::ws
