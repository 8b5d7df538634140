// SPDX-License-Identifier: Apache-2.0
#include "app/bot_answers.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <chrono>
#include <optional>
#include <utility>

#include "shardgate/base/log.hpp"
#include "shardgate/shard/compose.hpp"

namespace shardgate {

namespace {

// RATE_LIMITED is small; anything larger is not read.
constexpr std::size_t most_rate_limited_bytes = 4096;
// Where our nonce can be seen before anything is parsed: the handler's own chunks pass at once.
constexpr std::string_view mark = "\"shardgate:";

struct rate_limit {
    std::string nonce;
    duration wait{};
};

std::optional<rate_limit> read_rate_limit(std::string_view d) {
    if (d.size() > most_rate_limited_bytes) return std::nullopt;
    error_code bad;
    const boost::json::value v = boost::json::parse({d.data(), d.size()}, bad);
    if (bad || !v.is_object()) return std::nullopt;
    const boost::json::value* const meta = v.get_object().if_contains("meta");
    if (meta == nullptr || !meta->is_object()) return std::nullopt;
    const boost::json::value* const nonce = meta->get_object().if_contains("nonce");
    if (nonce == nullptr || !nonce->is_string()) return std::nullopt;
    rate_limit r;
    r.nonce = nonce->get_string();
    const boost::json::value* const wait = v.get_object().if_contains("retry_after");
    const double seconds = wait != nullptr && wait->is_number() ? wait->to_number<double>(bad) : 0;
    if (!bad && seconds > 0)
        r.wait = std::chrono::duration_cast<duration>(
            std::chrono::duration<double>(std::min(seconds, 3600.0)));
    return r;
}

}  // namespace

bot_answers::bot_answers(boost::asio::any_io_executor loop, std::string_view run, send_command send)
    : send_(std::move(send)), book_(run), timer_(std::move(loop), [this] {
          book_.on_timer(clock::now());
          arm();
      }) {}

send_reply bot_answers::ask(const members_request& wanted, std::shared_ptr<member_reader> reader) {
    send_reply reply;
    const snowflake guild{wanted.guild};
    const auto plain = compose_member_request(guild, wanted.d, "");
    if (!plain) {
        reply.detail = plain.error().detail + ".";
        return reply;
    }
    const auto place = book_.add(plain->text, std::move(reader), clock::now());
    if (place.joined) {
        reply.what = send_reply::kind::accepted;
        return reply;
    }
    if (place.nonce.empty()) {
        reply.what = send_reply::kind::full;
        reply.retry_after_s = 1;
        reply.detail = "Too many member requests are under way.";
        return reply;
    }
    auto command = compose_member_request(guild, wanted.d, place.nonce);
    if (!command) {
        book_.withdraw(place.nonce);
        reply.detail = command.error().detail + ".";
        return reply;
    }
    reply = send_(*command);
    if (reply.what != send_reply::kind::accepted) {
        book_.withdraw(place.nonce);
        return reply;
    }
    std::erase_if(asked_, [&](const auto& a) { return !book_.has(a.first); });
    asked_.emplace(place.nonce, std::move(*command));
    arm();
    return reply;
}

bool bot_answers::take(const dispatch& event) {
    if (event.d.find(mark) == std::string_view::npos) return false;
    if (event.event == event_id::guild_members_chunk) {
        const member_chunk chunk = scanner_.member_chunk_of(event.d);
        if (!member_requests::is_ours(chunk.nonce)) return false;
        book_.on_chunk(chunk, event.d, event.received);
    } else {
        const auto limit = read_rate_limit(event.d);
        if (!limit || !member_requests::is_ours(limit->nonce)) return false;
        if (book_.on_rate_limited(limit->nonce, limit->wait, event.received)) again(limit->nonce);
    }
    arm();
    return true;
}

// The session's limiter has heard of the wait and holds it until then.
void bot_answers::again(const std::string& nonce) {
    const auto at = asked_.find(nonce);
    if (at == asked_.end()) return;
    log::info("Discord wants a member request later: it waits",
              {{"guild", at->second.guild.value}});
    (void)send_(at->second);  // what is refused now ends with its time
}

}  // namespace shardgate
