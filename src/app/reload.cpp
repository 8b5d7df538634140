// SPDX-License-Identifier: Apache-2.0
// The configuration read again while the daemon runs: what may change is handed to the parts that
// keep a copy. Which keys those are: config/reload.cpp; the reading: settings_reader. SIGHUP and
// POST /v1/reload come here.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "app/daemon.hpp"
#include "shardgate/base/log.hpp"
#include "shardgate/shard/compose.hpp"

namespace shardgate {

namespace {

std::string list_of(const std::vector<std::string>& keys) {
    std::string text;
    for (const std::string& key : keys)
        text += (text.empty() ? "" : ", ") + key;
    return text;
}

}  // namespace

void daemon::reload(std::function<void(reload_reply)> done) {
    if (!stopping_) manager_.reloading();
    reader_.read([this, done = std::move(done)](config::loaded read) {
        reload_reply reply;
        if (stopping_)
            reply.problems.emplace_back("the daemon is stopping");
        else
            reply = reload_from(std::move(read));
        // The manager waits for the last of several.
        if (!stopping_ && reader_.idle()) manager_.reloaded();
        if (done) done(std::move(reply));
    });
}

reload_reply daemon::reload_from(config::loaded read) {
    reload_reply reply;
    if (!read.settings) {
        ++reloads_refused_;
        last_reload_worked_ = false;
        for (const config::problem& p : read.problems)
            reply.problems.push_back(p.text());
        log::error("configuration not reloaded: nothing has changed",
                   {{"problems", reply.problems.size()},
                    {"first", reply.problems.empty() ? std::string_view()
                                                     : std::string_view(reply.problems.front())}});
        return reply;
    }
    config::reload_plan plan = config::take_over(settings_, std::move(*read.settings));
    take_up(plan);
    ++reloads_;
    last_reload_worked_ = true;
    restart_warning_.clear();
    if (!plan.needs_restart.empty())
        restart_warning_ = "the file has other values for " + list_of(plan.needs_restart) +
                           ", which count from the next start on";
    log::info("configuration reloaded",
              {{"applied", std::string_view(list_of(plan.applied))},
               {"needs_restart", std::string_view(list_of(plan.needs_restart))}});
    reply.applied = std::move(plan.applied);
    reply.needs_restart = std::move(plan.needs_restart);
    reply.unchanged = plan.unchanged;
    return reply;
}

void daemon::take_up(const config::reload_plan& plan) {
    if (plan.applies("log.")) log::configure(settings_.log.level, settings_.log.format);
    if (plan.applies("filter.")) stage_->set_rules(settings_.filter);
    if (plan.applies("handler.") || plan.applies("queue.") || plan.applies("interactions."))
        deliverer_->reconfigure(settings_);
    if (plan.applies("handler.urls")) deliverer_->set_urls(settings_.handler.urls);
    if (admin_ && (plan.applies("admin.token") || plan.applies("admin.metrics_token")))
        admin_->set_tokens(settings_.admin);
    if (trigger_ && plan.applies("resharding.")) {
        trigger_->set_rules(settings_.resharding, clock::now());
        trigger_timer_.arm(trigger_->deadline());
    }
    if (plan.applies("discord.presence")) take_up_presence();
    // What is left (state.stop_flush, admin.ready_grace, watchdog.silence, …) is read where it is
    // used.
}

// Shards that have IDENTIFYed are told; later ones bring it with their IDENTIFY.
void daemon::take_up_presence() {
    if (!fleet_) return;
    constexpr std::int32_t presence_update = 3;
    const std::string& wanted = settings_.discord.presence;
    constexpr std::string_view none =
        R"({"since":null,"activities":[],"status":"online","afk":false})";
    const std::string_view text = wanted.empty() ? none : std::string_view(wanted);
    result<gateway_command> command = compose_command(presence_update, text, sending_total());
    const send_reply told =
        command ? send_to_all(std::move(*command)) : send_reply{};  // a value that was checked
    if (!command || told.what != send_reply::kind::accepted)
        log::warn("the new presence cannot be sent: it counts from the next session on");
}

}  // namespace shardgate
