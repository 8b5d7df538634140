// SPDX-License-Identifier: Apache-2.0
#include "shardgate/fleet/deliverer.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "fleet/turn_pace.hpp"

namespace shardgate {

namespace {

// JSON error codes of the callback route (Discord docs, Opcodes and Status Codes, JSON).
constexpr std::int64_t already_acknowledged = 40060;
constexpr std::int64_t unknown_interaction = 10062;

callback_result read_answer(const http_outcome& outcome) {
    if (!outcome.ok)
        return outcome.failed.maybe_sent ? callback_result::unknown : callback_result::not_sent;
    const auto& response = outcome.response;
    if (response.status >= 200 && response.status < 300) return callback_result::answered;
    if (response.status == 429)
        return callback_result::not_sent;  // refused before it was looked at
    if (response.status >= 500) return callback_result::unknown;
    error_code ec;
    const auto body = boost::json::parse(response.body, ec);
    if (!ec && body.is_object()) {
        const auto* code = body.get_object().if_contains("code");
        if (code != nullptr && code->is_int64()) {
            if (code->get_int64() == already_acknowledged) return callback_result::already_answered;
            if (code->get_int64() == unknown_interaction) return callback_result::too_late;
        }
    }
    return callback_result::refused;
}

// So many events at once are enough for any write; fewer would only make more of them.
constexpr std::uint32_t pumped_together = 64;

std::uint32_t company_of(const config::handler& h) noexcept {
    const std::uint32_t most = std::max(h.pipelining, h.batch_events);
    return most > 1 ? std::max(most, pumped_together) : 1;
}

}  // namespace

wall_ms wall_now() noexcept {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now());
}

deliverer::deliverer(boost::asio::any_io_executor loop, const config::settings& settings,
                     http_client& rest, tls_client& handler_tls, std::string_view run_id,
                     random_source& random, delivery_listener* listener)
    : loop_(loop),
      poller_(poller::of(loop)),
      settings_(settings),
      rest_(rest),
      core_(settings.handler, settings.queue, settings.interactions, run_id, random, listener),
      sink_(loop, handler_tls, settings.handler, *this),
      timer_(loop, [this] { pump(); }),
      company_(company_of(settings.handler)) {
    if (company_ > 1) poller_.set_pace([this] { return turn_pace(core_.answer_time()); });
}

deliverer::~deliverer() {
    poller_.forget(*this);
    if (company_ > 1) poller_.set_pace(nullptr);
}

void deliverer::push(const dispatch& event) {
    if (tap_ != nullptr) tap_->on_push(event);
    core_.push(event);
    // Not at the event's own time: while two shard sets run it may have been held for seconds.
    if (has_company()) pump();
}

void deliverer::push_own(event_ptr event) {
    if (tap_ != nullptr) tap_->on_push_own(*event);
    core_.push_own(std::move(event), clock::now());
    pump();
}

// Requests that share a write, and events that share a request, must be there at the same time:
// all that one turn of the loop brings, up to what one connection or one request takes.
// True: it is time.
bool deliverer::has_company() {
    if (++unpumped_ >= company_) return true;
    if (!std::exchange(pump_due_, true) && !poller_.at_turn_end(*this)) post_pump();
    return false;
}

void deliverer::post_pump() {
    boost::asio::post(loop_, [this, alive = std::weak_ptr<bool>(alive_)] {
        if (!alive.expired()) on_turn_end();
    });
}

void deliverer::on_turn_end() {
    pump_due_ = false;
    pump();
}

void deliverer::pump() {
    pump(clock::now(), wall_now());
}

void deliverer::pump(time_point now, wall_ms wall) {
    if (pumping_) return;
    pumping_ = true;
    unpumped_ = 0;
    sink_.cork();
    while (auto request = core_.next_request(now))
        sink_.post(std::move(*request), now);
    sink_.uncork();
    while (auto callback = core_.next_callback(now, wall))
        answer(std::move(*callback));
    timer_.arm(core_.deadline());
    pumping_ = false;
    if (spool_ != nullptr && core_.spool_due(now)) spool_->pump();
}

void deliverer::reconfigure(const config::settings& settings) {
    sink_.reconfigure(settings.handler);
    core_.reconfigure(settings.handler, settings.queue, settings.interactions, clock::now());
    pump();
}

std::size_t deliverer::retry_dead_letters(const std::vector<std::string>& keys) {
    const std::size_t n = core_.retry_dead_letters(keys, clock::now());
    pump();
    return n;
}

std::size_t deliverer::clear_dead_letters(const std::vector<std::string>& keys) {
    const std::size_t n = core_.clear_dead_letters(keys);
    pump();
    return n;
}

void deliverer::pause(bool paused) {
    core_.pause(paused, clock::now());
    pump();
}

void deliverer::set_urls(const std::vector<std::string>& urls) {
    core_.set_urls(urls, clock::now());
    sink_.set_urls(urls);
    pump();
}

void deliverer::on_posted(std::uint64_t request, const delivery_outcome& outcome, time_point now) {
    const wall_ms wall = wall_.at(now);
    core_.on_outcome(request, outcome, now, wall);
    if (has_company()) pump(now, wall);
}

void deliverer::answer(interaction_callback callback) {
    const time_point now = clock::now();
    const snowflake id = callback.id;
    if (!guard_.may_ask(now)) {
        log::write_limited(log::level::error, "rest-guard",
                           "interaction not answered: too many refused requests in ten minutes");
        core_.on_callback(id, callback_result::refused, now, wall_now());
        return;
    }
    http_request request("POST", settings_.discord.api_url + "/interactions/" +
                                     std::to_string(id.value) + "/" + callback.token + "/callback");
    request.headers.emplace_back("Content-Type", "application/json");
    // The token in the path is the credential; only a REST proxy wants its own (interface:
    // api_authorization).
    if (!settings_.discord.api_authorization.empty())
        request.headers.emplace_back("Authorization", settings_.discord.api_authorization.reveal());
    request.body = std::move(callback.body);
    request.timeout = callback.timeout;
    rest_.start(std::move(request),
                [this, id, alive = std::weak_ptr<bool>(alive_)](const http_outcome& outcome) {
                    if (alive.expired()) return;
                    const time_point then = clock::now();
                    if (outcome.ok) guard_.on_status(outcome.response.status, then);
                    core_.on_callback(id, read_answer(outcome), then, wall_now());
                    pump();
                });
}

}  // namespace shardgate
