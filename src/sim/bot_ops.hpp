// SPDX-License-Identifier: Apache-2.0
// What a bot's gateway commands are answered with: ops 4, 8, 31 and 43 (Discord fact sheet 7, S26).
// An answer is an ordinary dispatch of the session that asked. Pure. Owner: gateway.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/command_log.hpp"
#include "sim/options.hpp"
#include "sim/publisher.hpp"
#include "sim/session.hpp"
#include "sim/world.hpp"

namespace shardgate::sim {

class bot_ops {
public:
    // References outlive this.
    bot_ops(const options& o, world& w, publisher& out) : options_(o), world_(w), out_(out) {}

    // `d` is what the client sent with this op, checked for nothing.
    void on_command(session& from, std::int64_t op, const boost::json::value* d, time_point now);

    // How many members a guild has for op 8.
    [[nodiscard]] std::uint32_t members_of(const guild& g) const noexcept;
    [[nodiscard]] boost::json::object report() const;
    [[nodiscard]] const command_log& heard() const noexcept { return heard_; }
    void clear();

private:
    struct member_request;

    void voice(session& to, const boost::json::object& d, time_point now);
    void members(session& to, const boost::json::object& d, time_point now);
    void sounds(session& to, const boost::json::object& d, time_point now);
    void channel_info(session& to, const boost::json::object& d, time_point now);
    void send_chunks(session& to, const member_request& r, time_point now);
    [[nodiscard]] bool too_soon(session& to, const member_request& r, time_point now);
    // The guild, when this session has it: Discord does not answer for others.
    [[nodiscard]] const guild* guild_for(const session& s, const boost::json::value* id) const;

    const options& options_;
    world& world_;
    publisher& out_;
    std::map<std::uint64_t, time_point> listed_;  // by guild: its whole list was last asked for
    command_log heard_;
    std::uint64_t chunks_ = 0, rate_limited_ = 0, unanswered_ = 0;
};

}  // namespace shardgate::sim
