// SPDX-License-Identifier: Apache-2.0
#include "shardgate/fleet/bot_gateway.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>

namespace shardgate {

namespace json = boost::json;

namespace {

// A member that must be a whole number within bounds.
std::optional<std::uint64_t> whole(const json::object& o, std::string_view key, std::uint64_t low,
                                   std::uint64_t high) {
    const auto* v = o.if_contains(key);
    if (v == nullptr) return std::nullopt;
    error_code ec;
    const auto n = v->to_number<std::uint64_t>(ec);
    if (ec || n < low || n > high) return std::nullopt;
    return n;
}

duration seconds_in(std::string_view text) {
    double s = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), s);
    if (ec != std::errc{} || !std::isfinite(s) || s <= 0) return duration{0};
    return std::chrono::duration_cast<duration>(std::chrono::duration<double>(std::min(s, 3600.0)));
}

// 429: the header is rounded up, the body finer; wait for the larger (Discord docs, Rate Limits).
duration wait_asked_for(const http_response& response) {
    duration wait = seconds_in(response.header("retry-after"));
    error_code ec;
    const auto body = json::parse(response.body, ec);
    if (!ec && body.is_object()) {
        if (const auto* v = body.get_object().if_contains("retry_after");
            v != nullptr && v->is_number()) {
            const double s = std::clamp(v->to_number<double>(), 0.0, 3600.0);
            wait = std::max(wait,
                            std::chrono::duration_cast<duration>(std::chrono::duration<double>(s)));
        }
    }
    return wait;
}

bot_gateway_answer explain(const http_outcome& outcome) {
    bot_gateway_answer answer;
    if (!outcome.ok) {
        answer.detail = outcome.failed.detail;
        return answer;
    }
    const auto& response = outcome.response;
    if (response.status == 401) {
        answer.what = bot_gateway_answer::kind::unauthorized;
        answer.detail = "Discord answered 401: the token is wrong or was reset";
        return answer;
    }
    if (response.status != 200) {
        answer.detail = "answered " + std::to_string(response.status);
        answer.retry_after = wait_asked_for(response);
        return answer;
    }
    auto parsed = parse_bot_gateway(response.body);
    if (!parsed) {
        answer.detail = parsed.error().detail;
        return answer;
    }
    answer.what = bot_gateway_answer::kind::ok;
    answer.gateway = std::move(*parsed);
    return answer;
}

}  // namespace

result<bot_gateway> parse_bot_gateway(std::string_view body) {
    error_code ec;
    const auto value = json::parse(body, ec);
    if (ec || !value.is_object()) return failure("the answer of /gateway/bot is not a JSON object");
    const auto& o = value.get_object();
    bot_gateway g;
    if (const auto* url = o.if_contains("url"); url != nullptr && url->is_string())
        g.url = std::string(url->get_string());
    if (!g.url.starts_with("wss://")) return failure("/gateway/bot answered no wss:// url");
    const auto shards = whole(o, "shards", 1, 65536);
    if (!shards) return failure("/gateway/bot answered no usable shards (1 to 65536)");
    g.shards = static_cast<std::uint32_t>(*shards);
    const auto* limit = o.if_contains("session_start_limit");
    if (limit == nullptr || !limit->is_object())
        return failure("/gateway/bot answered no session_start_limit");
    const auto& l = limit->get_object();
    const auto total = whole(l, "total", 0, 10'000'000);
    const auto remaining = whole(l, "remaining", 0, 10'000'000);
    const auto reset = whole(l, "reset_after", 0, 7ULL * 24 * 3600 * 1000);
    const auto concurrency = whole(l, "max_concurrency", 1, 4096);
    if (!total || !remaining || !reset || !concurrency)
        return failure(
            "/gateway/bot answered a session_start_limit with missing or absurd numbers");
    g.limit.total = static_cast<std::uint32_t>(*total);
    g.limit.remaining = static_cast<std::uint32_t>(*remaining);
    g.limit.reset_after = std::chrono::milliseconds(*reset);  // a duration in ms, not a time stamp
    g.limit.max_concurrency = static_cast<std::uint32_t>(*concurrency);
    return g;
}

boost::asio::awaitable<bot_gateway_answer> fetch_bot_gateway(http_client& rest,
                                                             const config::discord& discord) {
    http_request request("GET", discord.api_url + "/gateway/bot");
    const std::string authorization = discord.api_authorization.empty()
                                          ? "Bot " + discord.token.reveal()
                                          : discord.api_authorization.reveal();
    request.headers.emplace_back("Authorization", authorization);
    const http_outcome outcome = co_await rest.request(std::move(request));
    bot_gateway_answer answer = explain(outcome);
    co_return answer;
}

}  // namespace shardgate
