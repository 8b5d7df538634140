// SPDX-License-Identifier: Apache-2.0
// Which number, then whether Discord takes it, then what it costs; each step may refuse.
#include "shardgate/reshard/plan.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <numeric>
#include <utility>

#include "reshard/fill.hpp"
#include "reshard/words.hpp"

namespace shardgate {

namespace {

using std::to_string;

bool is_partial(const reshard_question& q) {
    return q.first > 0 || q.last + 1 < q.current;
}

std::uint32_t held(const reshard_question& q) {
    return q.last - q.first + 1;
}

// What a large bot's number of shards must be a multiple of (Discord docs, Gateway, Sharding for
// Very Large Bots); 1 for other bots. A part of the shards tells of the whole bot.
std::uint32_t large_bot_step(const reshard_question& q, const config::resharding& rules) {
    const std::uint64_t guilds = q.guilds * q.current / held(q);
    if (!rules.large_bot_sharding || guilds < rules.large_bot_guilds) return 1;
    return q.max_concurrency > 1 ? q.max_concurrency : 16;
}

// What a number by hand must be a multiple of, and why, for the refusal.
struct granularity {
    std::uint64_t step = 1;
    std::string why;
};

granularity granularity_of(const reshard_question& q, const config::resharding& rules) {
    granularity g;
    const std::uint32_t large = large_bot_step(q, rules);
    if (large > 1) {
        g.step = large;
        g.why =
            "a bot of " + to_string(q.guilds) + " guilds needs a multiple of " + to_string(large);
    }
    if (!is_partial(q)) return g;
    g.step = std::lcm(g.step, std::uint64_t{q.current});
    if (!g.why.empty()) g.why += ", and ";
    g.why += "this daemon holds shards " + to_string(q.first) + " to " + to_string(q.last) +
             " only, whose guilds stay with it only with a multiple of " + to_string(q.current);
    return g;
}

fill_of_shards fill_of(const reshard_question& q) {
    // The fullest holds the average at least, should the two numbers be of different moments.
    const std::uint64_t average = (q.guilds + held(q) - 1) / held(q);
    return {q.current, held(q), q.guilds, std::max(q.fullest, average)};
}

// "48 or 64": the nearest numbers that are a multiple and hold every guild; empty when none is.
std::string nearest(const reshard_question& q, std::uint64_t step) {
    const fill_of_shards fill = fill_of(q);
    const std::uint64_t below = *q.wanted / step * step;
    std::string out;
    for (const std::uint64_t n : {below, below + step}) {
        if (n == 0 || n > most_shards) continue;
        if (fill.at(static_cast<std::uint32_t>(n)) > guilds_per_shard) continue;
        out += (out.empty() ? "" : " or ") + to_string(n);
    }
    return out;
}

result<std::uint32_t> number_by_hand(const reshard_question& q, const config::resharding& rules) {
    const std::uint32_t n = *q.wanted;
    if (n == 0 || n > most_shards)
        return failure(to_string(n) + " shards cannot be; allowed: 1 to " + to_string(most_shards) +
                       ", or \"auto\".");
    const granularity g = granularity_of(q, rules);
    if (n % g.step == 0) return n;
    const std::string allowed = nearest(q, g.step);
    return failure(to_string(n) + " shards cannot be: " + g.why +
                   (allowed.empty() ? "." : "; the nearest: " + allowed + "."));
}

// Discord's number, or more when the shards would be too full with it. When they are too full now,
// more than now, whatever Discord says.
result<std::uint32_t> number_by_itself(const reshard_question& q, const config::resharding& rules) {
    if (is_partial(q))
        return failure(
            "This daemon holds a part of the shards, and all daemons need the same number: say "
            "which, a multiple of " +
            to_string(q.current) + '.');
    const std::uint32_t trigger = guilds_at(rules.percentage);
    const fill_of_shards fill = fill_of(q);
    std::uint64_t n = fill.least(trigger, fill.fullest >= trigger ? q.current + 1 : 1);
    n = std::max<std::uint64_t>(n, q.recommended);
    const std::uint64_t step = large_bot_step(q, rules);
    n = (n + step - 1) / step * step;
    if (n > most_shards)
        return failure(to_string(n) + " shards would be needed (Discord recommends " +
                       to_string(q.recommended) + "), more than the " + to_string(most_shards) +
                       " there can be.");
    if (n == q.current && q.by_hand)
        return failure("There are " + to_string(n) + " already, and Discord recommends " +
                       to_string(q.recommended) +
                       ": nothing to do. To have new sessions all the same, ask for " +
                       to_string(n) + " by number.");
    if (n <= q.current && !q.by_hand)
        return failure("More shards are not needed: Discord recommends " +
                       to_string(q.recommended) + " and there are " + to_string(q.current) + '.');
    return static_cast<std::uint32_t>(n);
}

// Empty, or why Discord would not let the fullest of `to` shards identify (close code 4011).
std::string too_full(const reshard_question& q, const config::resharding& rules, std::uint32_t to) {
    const fill_of_shards fill = fill_of(q);
    const std::uint64_t guilds = fill.at(to);
    if (guilds <= guilds_per_shard) return {};
    const std::uint64_t step = granularity_of(q, rules).step;
    std::uint64_t least = fill.least(guilds_per_shard + 1, to);
    least = (least + step - 1) / step * step;
    return "With " + shards_text(to) + " the fullest would hold about " + to_string(guilds) +
           " guilds, and Discord allows " + to_string(guilds_per_shard) + "; at least " +
           to_string(least) + " shards are needed.";
}

// Empty, or why the budget forbids it.
std::string too_dear(const reshard_question& q, const config::resharding& rules,
                     std::uint32_t starts) {
    // Only a person may go into sharding.identify_reserve.
    const bool other = !q.by_hand && q.identify_reserve > rules.identify_reserve;
    const std::uint32_t reserve = other ? q.identify_reserve : rules.identify_reserve;
    const std::uint64_t needed = std::uint64_t{starts} + reserve;
    if (needed <= q.remaining) return {};
    const std::string key = other ? "sharding.identify_reserve" : "resharding.identify_reserve";
    std::string out = to_string(starts) + " session starts are needed and " + to_string(reserve) +
                      " must remain (" + key + "), but only " + to_string(q.remaining) + " of " +
                      to_string(q.limit_total) + " are left";
    if (needed > q.limit_total)
        return out + ", and Discord never grants more than " + to_string(q.limit_total) +
               (starts <= q.limit_total ? ": lower " + key + '.' : std::string("."));
    if (q.reset_after > duration{0}) out += "; Discord renews them in " + span_text(q.reset_after);
    return out + '.';
}

std::uint32_t concurrency_of(const reshard_question& q) {
    const std::uint32_t granted = std::max(q.max_concurrency, 1U);
    return q.max_concurrency_cap ? std::clamp(*q.max_concurrency_cap, 1U, granted) : granted;
}

// Shards of one rate-limit key identify one after the other; all keys side by side.
std::uint32_t rounds(const std::vector<std::uint32_t>& shards, std::uint32_t concurrency) {
    std::map<std::uint32_t, std::uint32_t> by_key;
    std::uint32_t most = 0;
    for (const std::uint32_t shard : shards)
        most = std::max(most, ++by_key[shard % concurrency]);
    return most;
}

std::vector<std::uint32_t> shards_of(const reshard_question& q, std::uint32_t to) {
    std::vector<std::uint32_t> all;
    if (!is_partial(q)) {
        all.resize(to);
        std::iota(all.begin(), all.end(), 0U);
        return all;
    }
    for (std::uint32_t base = 0; base < to; base += q.current)
        for (std::uint32_t i = q.first; i <= q.last; ++i)
            all.push_back(base + i);
    return all;
}

std::vector<std::string> warnings_of(const reshard_question& q, const config::resharding& rules,
                                     const reshard_plan& p) {
    std::vector<std::string> out;
    const std::uint64_t guilds = fill_of(q).at(p.to);
    if (guilds >= guilds_at(nearly_full))
        out.push_back("The fullest shard will hold about " + to_string(guilds) +
                      " guilds, near the " + to_string(guilds_per_shard) + " Discord allows.");
    else if (guilds >= guilds_at(rules.percentage) && rules.enabled && !is_partial(q))
        out.push_back("The fullest shard will hold about " + to_string(guilds) +
                      " guilds, enough to reshard again (resharding.percentage).");
    if (p.to < q.recommended)
        out.push_back("Discord recommends " + shards_text(q.recommended) + '.');
    if (p.to == p.from)
        out.emplace_back("The number of shards stays the same: this only gives new sessions.");
    if (is_partial(q))
        out.push_back("Every daemon of this bot has to go to " + shards_text(p.to) +
                      ": this one holds a part of them.");
    if (q.remaining - p.session_starts < q.identify_reserve)
        out.emplace_back(
            "Fewer session starts than sharding.identify_reserve remain: a shard that loses its "
            "session has to wait until Discord renews them.");
    return out;
}

}  // namespace

result<reshard_plan> make_plan(const reshard_question& q, const config::resharding& rules) {
    if (q.current == 0 || q.first > q.last || q.last >= q.current)
        return failure("There are no shards yet.");
    const result<std::uint32_t> to =
        q.wanted ? number_by_hand(q, rules) : number_by_itself(q, rules);
    if (!to) return to.error();
    if (std::string no = too_full(q, rules, *to); !no.empty()) return failure(std::move(no));
    reshard_plan p;
    p.from = q.current;
    p.to = *to;
    std::vector<std::uint32_t> shards = shards_of(q, *to);
    p.session_starts = static_cast<std::uint32_t>(shards.size());
    if (std::string no = too_dear(q, rules, p.session_starts); !no.empty())
        return failure(std::move(no));
    p.first = shards.front();
    p.last = shards.back();
    p.remaining = q.remaining;
    p.identifying = (rounds(shards, concurrency_of(q)) - 1) * q.identify_interval;
    p.estimated = p.identifying + 3 * duration(rules.overlap);
    if (p.last - p.first + 1 != p.session_starts) p.ids = std::move(shards);
    p.warnings = warnings_of(q, rules, p);
    return p;
}

reshard_plan_snapshot snapshot_of(const reshard_plan& plan, std::vector<std::string> voice_guilds) {
    reshard_plan_snapshot s;
    s.from = plan.from;
    s.to = plan.to;
    s.session_starts = plan.session_starts;
    s.remaining = plan.remaining;
    s.estimated_s = std::chrono::duration<double>(plan.estimated).count();
    s.voice_guilds = std::move(voice_guilds);
    s.warnings = plan.warnings;
    return s;
}

}  // namespace shardgate
