// SPDX-License-Identifier: Apache-2.0
// What the bot sends through its shards, and what an operator asks of one shard. Which shard set
// sends while two run: command_route.
#include <chrono>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "app/daemon.hpp"
#include "shardgate/base/log.hpp"
#include "shardgate/shard/compose.hpp"

namespace shardgate {

namespace {

using kind = send_reply::kind;

send_reply refuse(kind what, std::string detail) {
    send_reply no;
    no.what = what;
    no.detail = std::move(detail);
    return no;
}

std::string name_of_shard(shard_id shard, const shard_range& range) {
    return "shard " + std::to_string(shard.value) + " of " + std::to_string(range.total.value);
}

bool can_send(const shard_runner& shard) noexcept {
    return shard.state() != shard_state::idle && shard.state() != shard_state::parked;
}

send_reply not_started() {
    return refuse(kind::down, "The shards have not been started yet, or are stopping.");
}

}  // namespace

struct daemon::sender {
    fleet& set;
    shard_runner& shard;
};

fleet* daemon::set_of(std::optional<std::uint32_t> gen) const noexcept {
    if (!gen || *gen == fleet_->range().gen.value) return fleet_.get();
    if (resharder_ && *gen == resharder_->next().range().gen.value) return &resharder_->next();
    return nullptr;
}

// Of the set that leads.
shard_count daemon::sending_total() const noexcept {
    const bool next = resharder_ && resharder_->new_leads();
    return next ? resharder_->next().range().total : fleet_->range().total;
}

std::optional<daemon::sender> daemon::sender_for(const gateway_command& command) {
    const auto in = [&](fleet& set) -> std::optional<sender> {
        shard_runner* const shard = set.find(shard_of(command.guild, set.range().total));
        if (shard == nullptr) return std::nullopt;
        return sender{set, *shard};
    };
    const auto old = in(*fleet_);
    if (!resharder_) return old;
    const bool there = old && can_send(old->shard);
    const bool in_voice = stage_->voices().has(command.guild);
    const shard_set which =
        command_route_.choose(command.op, command.guild, resharder_->new_leads(), in_voice, there);
    if (which == shard_set::old_set) return old;
    const auto next = in(resharder_->next());
    return next && can_send(next->shard) ? next : old;
}

send_reply daemon::send(const send_request& wanted) {
    if (!fleet_ || stopping_) return not_started();
    if (wanted.shard) return send_by_shard(wanted);
    const auto op = static_cast<std::int32_t>(wanted.op);
    result<gateway_command> command = compose_command(op, wanted.d, sending_total());
    if (!command) return refuse(kind::wrong, command.error().detail + ".");
    if (command->guild == snowflake{}) return send_to_all(std::move(*command));
    return send_by_guild(std::move(*command));
}

send_reply daemon::send_by_shard(const send_request& wanted) {
    fleet* const set = set_of(wanted.generation);
    const shard_id id{*wanted.shard};
    shard_runner* const shard = set == nullptr ? nullptr : set->find(id);
    if (shard == nullptr)
        return refuse(
            kind::not_here,
            "Shard " + std::to_string(id.value) +
                (wanted.generation ? " of generation " + std::to_string(*wanted.generation)
                                   : std::string()) +
                " does not run here.");
    const shard_range& range = set->range();
    const auto op = static_cast<std::int32_t>(wanted.op);
    result<gateway_command> command = compose_command(op, wanted.d, range.total);
    if (!command) return refuse(kind::wrong, command.error().detail + ".");
    const bool for_guild = command->guild != snowflake{};
    if (for_guild && shard_of(command->guild, range.total) != id)
        return refuse(kind::wrong, "Guild " + std::to_string(command->guild.value) + " is on " +
                                       name_of_shard(shard_of(command->guild, range.total), range) +
                                       ": send it there, or to /v1/send.");
    // A shard of the set that is being retired: its guilds have another by now.
    if (for_guild && !wanted.generation && resharder_ && !can_send(*shard))
        return send_by_guild(std::move(*command));
    return hand_over({*set, *shard}, *command);
}

send_reply daemon::send_by_guild(gateway_command command) {
    const auto to = sender_for(command);
    if (!to)
        return refuse(
            kind::not_here,
            "Guild " + std::to_string(command.guild.value) + " is on " +
                name_of_shard(shard_of(command.guild, fleet_->range().total), fleet_->range()) +
                ", which does not run here.");
    return hand_over(*to, command);
}

send_reply daemon::hand_over(const sender& to, const gateway_command& command) {
    const shard_range& range = to.set.range();
    const shard_id id = to.shard.id();
    const shard_guilds& guilds = to.shard.guilds();
    if (command.guild != snowflake{} && guilds.loaded() && !guilds.has(command.guild))
        return refuse(kind::not_here,
                      "The bot is not in guild " + std::to_string(command.guild.value) + ".");
    result<gateway_command> mine = command.presence.empty()
                                       ? result<gateway_command>(command)
                                       : presence_for(command, id, range.total);
    if (!mine) return refuse(kind::wrong, mine.error().detail + ".");
    send_reply reply;
    reply.shard = id.value;
    reply.generation = range.gen.value;
    switch (to.shard.submit(std::move(*mine))) {
    case submitted::queued: reply.what = kind::accepted; break;
    case submitted::full:
        reply.what = kind::full;
        reply.retry_after_s =
            std::chrono::duration<double>(to.shard.session().until_place(clock::now())).count();
        reply.detail = "Commands wait for " + name_of_shard(id, range) +
                       " already, as many as it keeps: Discord takes 120 a minute.";
        break;
    case submitted::down:
        reply.what = kind::down;
        reply.detail =
            name_of_shard(id, range) + " is " + std::string(name_of(to.shard.state())) + ".";
        reply.detail.front() = 'S';
        break;
    }
    reply.waiting = to.shard.session().commands().size();
    return reply;
}

// ---- to every shard --------------------------------------------------------------------------

std::size_t daemon::all_shards() const noexcept {
    return fleet_->shards().size() + (resharder_ ? resharder_->next().shards().size() : 0);
}

send_reply daemon::send_to_all(gateway_command presence) {
    const shard_range& range = fleet_->range();
    // The longest number makes it longest.
    const auto longest = presence_for(presence, range.last, range.total);
    if (!longest) return refuse(kind::wrong, longest.error().detail + ".");
    send_reply reply;
    reply.what = kind::accepted;
    reply.generation = range.gen.value;
    reply.to_all = true;
    reply.shards = static_cast<std::uint32_t>(all_shards());
    presence_round_.begin(std::move(presence), all_shards(), clock::now());
    go_round();
    return reply;
}

void daemon::go_round() {
    const time_point now = clock::now();
    while (!stopping_ && fleet_) {
        std::optional<std::size_t> at = presence_round_.take(now);
        if (!at) break;
        fleet* set = fleet_.get();
        if (*at >= set->shards().size()) {
            *at -= set->shards().size();
            set = resharder_ ? &resharder_->next() : nullptr;
        }
        if (set == nullptr || *at >= set->shards().size()) continue;
        // One that is full has newer things to do; one that is down takes it when it identifies.
        (void)hand_over({*set, *set->shards()[*at]}, *presence_round_.presence());
    }
    presence_timer_.arm(presence_round_.deadline());
}

// ---- members ---------------------------------------------------------------------------------

send_reply daemon::members(const members_request& wanted, std::shared_ptr<member_reader> reader) {
    if (!fleet_ || stopping_) return not_started();
    return answers_.ask(wanted, std::move(reader));
}

// ---- one shard -------------------------------------------------------------------------------

send_reply daemon::reconnect(const reconnect_request& wanted) {
    if (!fleet_ || stopping_) return not_started();
    fleet* const set = set_of(wanted.generation);
    shard_runner* const shard = set == nullptr ? nullptr : set->find(shard_id{wanted.shard});
    if (shard == nullptr)
        return refuse(kind::not_here,
                      "Shard " + std::to_string(wanted.shard) + " does not run here.");
    if (shard->state() == shard_state::idle)
        return refuse(kind::down, "Shard " + std::to_string(wanted.shard) + " is being retired.");
    if (wanted.identify && gate_->state().remaining(clock::now()) == 0)
        return refuse(kind::wrong,
                      "No session start is left in Discord's budget: a shard that gave its "
                      "session up now would stay away until it is renewed.");
    log::info("reconnect on request", {{"shard", wanted.shard}, {"new_session", wanted.identify}});
    shard->reconnect(wanted.identify);
    send_reply reply;
    reply.what = kind::accepted;
    reply.shard = wanted.shard;
    reply.generation = set->range().gen.value;
    return reply;
}

}  // namespace shardgate
