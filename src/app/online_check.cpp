// SPDX-License-Identifier: Apache-2.0
#include "shardgate/app/online_check.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "app/online_judge.hpp"
#include "shardgate/app/run.hpp"
#include "shardgate/app/stored_plan.hpp"
#include "shardgate/config/cli.hpp"
#include "shardgate/runtime/task_group.hpp"
#include "shardgate/sink/http_sink.hpp"
#include "shardgate/transport/http_client.hpp"
#include "shardgate/transport/tls_client.hpp"

namespace shardgate {

namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds patience{30};

// Without user name, password and query, any of which may be a secret.
std::string shown(std::string_view url) {
    url = url.substr(0, url.find_first_of("?#"));
    const auto scheme = url.find("://");
    if (scheme == std::string_view::npos) return std::string(url);
    const auto host = scheme + 3;
    const auto at = url.substr(0, url.find('/', host)).rfind('@');
    if (at == std::string_view::npos || at < host) return std::string(url);
    return std::string(url.substr(0, host)) + std::string(url.substr(at + 1));
}

std::uint64_t descriptors_allowed() {
    rlimit limit{};
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_max : 0;
}

struct online_check final : post_listener {
    online_check(const config::settings& s, std::unique_ptr<tls_client> discord,
                 std::unique_ptr<tls_client> handler)
        : settings(s),
          discord_tls(std::move(discord)),
          handler_tls(std::move(handler)),
          rest(loop.get_executor(), *discord_tls,
               "DiscordBot (https://github.com/shardgate/shardgate, " + config::version_number() +
                   ")"),
          sink(loop.get_executor(), *handler_tls, s.handler, *this) {}

    void post_to_handlers() {
        const auto now = std::chrono::system_clock::now();
        const std::string key = "shardgate-check-" + std::to_string(::getpid()) + "-" +
                                std::to_string(now.time_since_epoch().count());
        for (std::size_t url = 0; url < settings.handler.urls.size(); ++url) {
            delivery_item item;
            item.event = queued_event::own(
                "SHARDGATE_CHECK", "{}", key + "-" + std::to_string(url), shard_id{0},
                shard_count{settings.sharding.total.value_or(1)}, generation{1}, clock::now(),
                std::chrono::time_point_cast<std::chrono::milliseconds>(now));
            delivery_request request;
            request.id = url;
            request.url = url;
            request.items.push_back(std::move(item));
            ++pending;
            sink.post(std::move(request), clock::now());
        }
    }

    void on_posted(std::uint64_t request, const delivery_outcome& outcome, time_point) override {
        handlers.push_back(judge_handler(shown(settings.handler.urls[request]), outcome));
        done_one();
    }

    void done_one() {
        if (--pending == 0) loop.stop();
    }

    // Of `self` nothing goes away before the loop.
    static asio::awaitable<void> ask_discord(online_check* self) {
        const config::discord& d = self->settings.discord;
        bot_gateway_answer gateway = co_await fetch_bot_gateway(self->rest, d);
        self->gateway = std::move(gateway);
        if (self->gateway.what == bot_gateway_answer::kind::ok) {
            http_request request("GET", d.api_url + "/applications/@me");
            std::string authorization = "Bot " + d.token.reveal();
            if (!d.api_authorization.empty()) authorization = d.api_authorization.reveal();
            request.headers.emplace_back("Authorization", std::move(authorization));
            http_outcome outcome = co_await self->rest.request(std::move(request));
            self->application = std::move(outcome);
        }
        self->asked = true;
        self->done_one();
    }

    [[nodiscard]] std::vector<finding> findings() {
        if (!asked) gateway.detail = "no answer in time";
        std::vector<finding> all = judge_gateway(gateway, settings);
        const bool reached = gateway.what == bot_gateway_answer::kind::ok;
        if (reached) all.push_back(judge_intents(application, settings.discord.intents));
        for (finding& f : handlers)
            all.push_back(std::move(f));
        if (handlers.size() < settings.handler.urls.size())
            all.push_back({"handler", finding::grade::bad, "not every URL answered in time"});
        const config::sharding& s = settings.sharding;
        const std::uint32_t total = s.total.value_or(reached ? gateway.gateway.shards : 1);
        all.push_back(judge_descriptors(descriptors_allowed(), total, settings));
        return all;
    }

    const config::settings& settings;
    asio::io_context loop{1};
    std::unique_ptr<tls_client> discord_tls, handler_tls;
    http_client rest;
    http_sink sink;
    std::size_t pending = 1;  // Discord
    bool asked = false;
    bot_gateway_answer gateway;
    http_outcome application;
    std::vector<finding> handlers;
    // Its two requests end by their own time-outs, before the loop is left.
    task_group tasks{loop.get_executor()};
};

}  // namespace

int run_online_check(const config::settings& settings, bool json, std::ostream& out) {
    tls_client_options to_discord, to_handler;
    to_discord.ca_file = settings.discord.ca_file;
    to_handler.ca_file = settings.handler.ca_file;
    to_handler.client_certificate_file = settings.handler.client_certificate_file;
    to_handler.client_key_file = settings.handler.client_key_file;
    auto discord = tls_client::make(to_discord);
    auto handler = tls_client::make(to_handler);
    std::vector<finding> all;
    if (!discord || !handler) {
        const std::string why = !discord ? discord.error().detail : handler.error().detail;
        all.push_back({"tls", finding::grade::bad, why});
    } else {
        online_check check(settings, std::move(*discord), std::move(*handler));
        check.post_to_handlers();
        check.tasks.spawn("ask Discord", online_check::ask_discord(&check));
        check.loop.run_for(patience);
        all = check.findings();
    }
    if (json)  // a text has it already, from the file's own check
        for (std::string& text : stored_warnings(settings))
            all.push_back({"plan", finding::grade::doubtful, std::move(text)});
    out << (json ? findings_json(all) : findings_text(all)) << std::flush;
    return none_bad(all) ? exit_stopped : exit_refused;
}

}  // namespace shardgate
