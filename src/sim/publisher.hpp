// SPDX-License-Identifier: Apache-2.0
// Gives an event of the world to every session that is entitled to it, numbers it, and tells the
// truth book. Pure: a session's connection is only woken.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "shardgate/base/time.hpp"
#include "sim/options.hpp"
#include "sim/payloads.hpp"
#include "sim/session_store.hpp"
#include "sim/truth.hpp"

namespace shardgate::sim {

// An event before it has a number.
struct occurrence {
    std::string_view t;
    std::uint64_t guild = 0;  // 0 = shard 0
    std::uint64_t lane = 0;   // guild, else channel
    int intent = -1;          // bit a session needs; -1 = none
    expectation expected = expectation::arrives;
    bool unfurl = false;
    std::uint64_t about = 0;  // unfurl: the number of its MESSAGE_CREATE
    bool may_repeat = true;   // the duplicates switch may deliver it twice
    snowflake interaction{};
    std::string_view guild_mark;  // X-Shardgate-Guild
};

// What the test expects the daemon to do with the events it gets (control API, /expect).
struct expectations {
    std::set<std::string, std::less<>> drop;
    std::set<std::string, std::less<>> only;  // empty = all
    expectation loading_guilds = expectation::may_arrive;
    std::optional<expectation> resharding;        // loading guilds of a second set
    std::map<std::uint32_t, expectation> totals;  // loading guilds by shard total; comes first
    expectation unfurls = expectation::filtered;

    [[nodiscard]] expectation loading(const session& s) const;
};

class publisher {
public:
    // References outlive this.
    publisher(const options& o, session_store& sessions, truth& book, std::uint64_t seed);

    // Writes d (left open) into the string it is given.
    using writer = std::function<void(std::string&)>;
    // Answers the event's number; 0 when no session wants it, in which case it did not happen.
    // `bare` writes d as sessions without the MESSAGE_CONTENT intent are told; none = the same.
    std::uint64_t publish(const occurrence& what, const writer& write, time_point now,
                          const writer& bare = {});
    // What the newest event's d was, whole.
    [[nodiscard]] const std::string& text() const noexcept { return d_; }
    // The very same once more, `times` after event n. False when no session wants it.
    bool repeat(const occurrence& what, std::uint64_t n, std::uint32_t times, std::string_view d,
                time_point now);
    // A dispatch for one session only, without a number: READY, RESUMED.
    void direct(session& to, std::string_view t, std::string_view d, time_point now);
    // One session's loading guild: numbered, but written when it is sent.
    void load_guild(session& to, std::uint32_t index, std::uint64_t guild, time_point now);
    // One session's loading guild that is away: GUILD_DELETE, or a GUILD_CREATE stub.
    void load_unavailable(session& to, std::uint64_t guild, bool as_create, time_point now);

    // The guild's GUILD_CREATE goes out to everybody: none needs it as a loading guild any more.
    void answer_loading(std::uint32_t index, std::uint64_t guild);

    // The session is gone: what it did not deliver is lost unless another one has it.
    void abandon(const session& s, std::string_view why);

    // Writes the frame of an entry that is not kept as text.
    void render(const ring_entry& e, const guild& g, payloads& texts, std::string& out);

    [[nodiscard]] expectations& expected() noexcept { return expected_; }
    [[nodiscard]] std::uint64_t events() const noexcept { return events_; }
    [[nodiscard]] std::uint64_t copies() const noexcept { return copies_; }
    // Of these copies: messages whose content the session was not told.
    [[nodiscard]] std::uint64_t copies_without_content() const noexcept { return bare_copies_; }
    // One more than the last number given out.
    [[nodiscard]] std::uint64_t next_number() const noexcept { return next_n_; }
    // The place in the world's history of the next event that happens.
    [[nodiscard]] std::uint64_t next_event() const noexcept { return history_ + 1; }
    [[nodiscard]] boost::json::object counts_by_name() const;
    void clear();

private:
    // One event on its way into rings.
    struct given {
        std::uint64_t n = 0, event = 0, guild = 0;
        std::uint32_t repetition = 0;
    };
    ring_entry& push(session& to, const given& g, time_point now);
    void frame(session& to, ring_entry& slot, std::string_view t, std::string_view d);
    void find_targets(const occurrence& what);
    // `bare` empty = d is for everybody.
    void give(const occurrence& what, const given& g, std::string_view d, std::string_view bare,
              bool twice, time_point now);
    void count(std::string_view t);
    static void wake(session& to);
    [[nodiscard]] expectation expect(const occurrence& what) const;
    void note_lost(const session& s, const ring_entry& e, std::string_view why);
    void tell(const occurrence& what, expectation expected, std::uint64_t n, time_point now);

    const options& options_;
    session_store& sessions_;
    truth& truth_;
    rng random_;
    expectations expected_;
    std::uint64_t next_n_ = 1;
    std::uint64_t history_ = 0;  // events that happened, equal ones each
    std::uint64_t events_ = 0;   // distinct events
    std::uint64_t copies_ = 0;   // frames put into rings
    std::uint64_t bare_copies_ = 0;
    std::map<std::string, std::uint64_t, std::less<>> by_name_;
    std::vector<session*> targets_;
    std::string d_, bare_;
};

}  // namespace shardgate::sim
