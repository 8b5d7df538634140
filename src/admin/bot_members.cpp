// SPDX-License-Identifier: Apache-2.0
#include "admin/bot_members.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "admin/bot_send.hpp"
#include "admin/problem.hpp"
#include "admin/strict.hpp"
#include "shardgate/protocol/member_reader.hpp"

namespace shardgate::admin {

namespace {

using chunk_text = std::shared_ptr<const std::string>;

std::string_view sentence_of(members_end how) {
    switch (how) {
    case members_end::complete: break;
    case members_end::timed_out: return "Discord did not send the next chunk in time.";
    case members_end::rate_limited: return "Discord wants this guild's members asked for later.";
    case members_end::too_slow: return "The chunks came faster than they were read.";
    }
    return "";
}

// The answer's body. Its bytes are the request's, bounded there.
class chunk_lines final : public body_stream {
public:
    void add(chunk_text chunk) {
        chunks_.push_back(std::move(chunk));
        if (wake) wake();
    }
    void end(members_end how) {
        over_ = true;
        if (how != members_end::complete)
            last_ = "{\"error\":\"" + std::string(sentence_of(how)) + "\"}\n";
        if (wake) wake();
    }
    [[nodiscard]] next read(std::string& into, time_point) override {
        if (!chunks_.empty()) {
            into += *chunks_.front();
            into += '\n';
            chunks_.pop_front();
        }
        if (!chunks_.empty()) return next::more;
        if (!over_) return next::wait;
        into += last_;
        return next::end;
    }

private:
    std::deque<chunk_text> chunks_;
    std::string last_;
    bool over_ = false;
};

// Answers with the first chunk, or with a status when there is none.
class answering_reader final : public member_reader {
public:
    explicit answering_reader(later_answer later) : later_(std::move(later)) {}

    [[nodiscard]] bool on_chunk(const chunk_text& d) override {
        if (later_) {
            auto lines = std::make_shared<chunk_lines>();
            lines->add(d);
            lines_ = lines;
            http_response answer;
            answer.content_type = "application/x-ndjson";
            answer.stream = std::move(lines);
            std::exchange(later_, nullptr)(std::move(answer));
            return true;
        }
        const auto lines = lines_.lock();
        if (!lines) return false;
        lines->add(d);
        return true;
    }

    void on_end(members_end how, duration wait) override {
        if (const auto lines = lines_.lock()) return lines->end(how);
        if (!later_) return;
        const unsigned status = how == members_end::rate_limited ? 429 : 504;
        http_response answer = problem(status, sentence_of(how));
        if (status == 429)
            answer.headers.emplace_back("Retry-After",
                                        retry_after(std::chrono::duration<double>(wait).count()));
        std::exchange(later_, nullptr)(std::move(answer));
    }

private:
    later_answer later_;                // until the first chunk
    std::weak_ptr<chunk_lines> lines_;  // the server's, as long as somebody reads
};

}  // namespace

std::optional<http_response> members(daemon_view& view, const target& t, std::string_view body,
                                     later_answer later) {
    if (auto no = refuse_others(t, {}, "none; what is wanted goes into the body")) return no;
    members_request wanted;
    const std::string& id = t.segments[2];
    const auto read = std::from_chars(id.data(), id.data() + id.size(), wanted.guild);
    if (read.ec != std::errc{} || read.ptr != id.data() + id.size() || wanted.guild == 0)
        return problem(404, quote(id) + " is not a guild's id.");
    boost::json::error_code bad;
    const boost::json::value v = is_blank(body)
                                     ? boost::json::value(boost::json::object())
                                     : boost::json::parse({body.data(), body.size()}, bad);
    if (bad) return problem(400, "The body is not JSON: " + bad.message() + ".");
    wanted.d = boost::json::serialize(v);
    const send_reply reply =
        view.members(wanted, std::make_shared<answering_reader>(std::move(later)));
    if (reply.what == send_reply::kind::accepted) return std::nullopt;
    return refusal(reply);
}

}  // namespace shardgate::admin
