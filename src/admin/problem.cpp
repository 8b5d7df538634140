// SPDX-License-Identifier: Apache-2.0
#include "admin/problem.hpp"

#include "admin/json_text.hpp"
#include "shardgate/base/utf8.hpp"

namespace shardgate::admin {

std::string_view reason_phrase(unsigned status) noexcept {
    switch (status) {
    case 200: return "OK";
    case 202: return "Accepted";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Unknown";
    }
}

std::string quote(std::string_view text) {
    constexpr std::size_t longest = 64;
    if (text.size() <= longest) return '"' + std::string(text) + '"';
    return '"' + std::string(text.substr(0, longest)) + "...\"";
}

http_response problem(unsigned status, std::string_view detail, boost::json::object more) {
    boost::json::object body;
    body["type"] = "about:blank";
    body["title"] = reason_phrase(status);
    body["status"] = status;
    body["detail"] = to_valid_utf8(detail);
    for (auto& member : more)
        body[member.key()] = std::move(member.value());
    http_response answer;
    answer.status = status;
    answer.content_type = "application/problem+json";
    answer.body = to_text(body);
    return answer;
}

}  // namespace shardgate::admin
