// SPDX-License-Identifier: Apache-2.0
#include "app/online_judge.hpp"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "shardgate/base/utf8.hpp"

namespace shardgate {

namespace {

using grade = finding::grade;

// Intents and the application flags that allow them, for verified bots and for small ones (Discord
// docs, Application, Application Flags).
struct privilege {
    std::uint64_t intent, flags;
    const char* name;
};
constexpr std::array<privilege, 3> privileges{{
    {1ULL << 1, (1ULL << 14) | (1ULL << 15), "GUILD_MEMBERS"},
    {1ULL << 8, (1ULL << 12) | (1ULL << 13), "GUILD_PRESENCES"},
    {1ULL << 15, (1ULL << 18) | (1ULL << 19), "MESSAGE_CONTENT"},
}};

std::string seconds_text(duration d) {
    const auto s = std::chrono::ceil<std::chrono::seconds>(d).count();
    return s < 120 ? std::to_string(s) + " s" : std::to_string((s + 59) / 60) + " min";
}

std::uint32_t shards_here(const config::sharding& s, std::uint32_t total) {
    const std::uint32_t last = std::min(s.last.value_or(total - 1), total - 1);
    return s.first > last ? 0 : last - s.first + 1;
}

finding judge_budget(const session_start_limit& limit, std::uint32_t needed,
                     const config::sharding& s) {
    std::string text = std::to_string(limit.remaining) + " of " + std::to_string(limit.total) +
                       " session starts are left, " + std::to_string(needed) + " are needed";
    if (limit.remaining < needed)
        return {"budget", grade::bad,
                text + "; Discord refills them in " + seconds_text(limit.reset_after)};
    if (limit.remaining - needed < s.identify_reserve)
        return {"budget", grade::doubtful,
                text + ", which goes into sharding.identify_reserve: some shards wait"};
    return {"budget", grade::good, std::move(text)};
}

finding judge_start(const session_start_limit& limit, std::uint32_t shards,
                    const config::sharding& s) {
    const std::uint32_t keys =
        std::max(1U, std::min(limit.max_concurrency, s.max_concurrency.value_or(~0U)));
    // Each round waits one interval; the first one too, as a process before may have identified.
    const std::uint32_t rounds = (shards + keys - 1) / keys;
    return {"start", grade::good,
            "the last shard identifies about " +
                seconds_text(duration(s.identify_interval) * rounds) +
                " after a start with new "
                "sessions (max_concurrency " +
                std::to_string(limit.max_concurrency) + "); stored sessions resume at once"};
}

}  // namespace

std::vector<finding> judge_gateway(const bot_gateway_answer& answer,
                                   const config::settings& settings) {
    using kind = bot_gateway_answer::kind;
    if (answer.what == kind::unauthorized)
        return {{"token", grade::bad,
                 "the API refuses it (401): check discord.token, or reset it in the developer "
                 "portal"}};
    if (answer.what == kind::failed)
        return {{"token", grade::bad, "the API cannot be asked: " + to_valid_utf8(answer.detail)}};
    std::vector<finding> all{{"token", grade::good, "the API accepts it"}};
    const bot_gateway& g = answer.gateway;
    const std::uint32_t total = settings.sharding.total.value_or(g.shards);
    const std::uint32_t here = shards_here(settings.sharding, total);
    std::string shards = std::to_string(here) + " of " + std::to_string(total) +
                         " run here; Discord recommends " + std::to_string(g.shards);
    if (here == 0)
        all.push_back(
            {"shards", grade::bad,
             "sharding.first lies beyond the " + std::to_string(total) + " shards there are"});
    else if (total < g.shards)
        all.push_back({"shards", grade::doubtful, shards + ": they will be fuller than it likes"});
    else
        all.push_back({"shards", grade::good, std::move(shards)});
    all.push_back(judge_budget(g.limit, here, settings.sharding));
    if (here > 0) all.push_back(judge_start(g.limit, here, settings.sharding));
    return all;
}

finding judge_intents(const http_outcome& answer, std::uint64_t intents) {
    std::string asked, missing;
    for (const privilege& p : privileges)
        if ((intents & p.intent) != 0) asked += (asked.empty() ? "" : ", ") + std::string(p.name);
    if (asked.empty()) return {"intents", grade::good, "none of them is privileged"};
    if (!answer.ok || answer.response.status != 200)
        return {"intents", grade::doubtful,
                "whether " + asked + " is switched on cannot be asked (" +
                    (answer.ok ? "status " + std::to_string(answer.response.status)
                               : to_valid_utf8(answer.failed.detail)) +
                    ")"};
    boost::json::error_code bad;
    const boost::json::value v = boost::json::parse(answer.response.body, bad);
    const boost::json::value* const flags =
        !bad && v.is_object() ? v.get_object().if_contains("flags") : nullptr;
    const auto mask = flags != nullptr && (flags->is_int64() || flags->is_uint64())
                          ? flags->to_number<std::uint64_t>(bad)
                          : 0;
    for (const privilege& p : privileges)
        if ((intents & p.intent) != 0 && (mask & p.flags) == 0)
            missing += (missing.empty() ? "" : ", ") + std::string(p.name);
    if (missing.empty()) return {"intents", grade::good, asked + ": switched on"};
    return {"intents", grade::bad,
            missing +
                ": not switched on in the developer portal; Discord would close every shard "
                "with 4014"};
}

finding judge_handler(std::string_view url, const delivery_outcome& o) {
    const std::string where(url);
    const std::string status = std::to_string(o.status);
    if (o.status >= 200 && o.status < 300)
        return {"handler", grade::good, where + " takes the test event (" + status + ")"};
    if (o.status == 401 || o.status == 403)
        return {"handler", grade::bad,
                where + " answers " + status + ": it refuses handler.secret or the signature"};
    if (o.status == 400 || o.status == 409 || o.status == 413 || o.status == 415 || o.status == 422)
        return {"handler", grade::doubtful,
                where + " answers " + status +
                    " to an event it does not know; others of the kind would become dead letters"};
    if (o.status != 0)
        return {"handler", grade::bad,
                where + " answers " + status + ": no event would get through"};
    return {"handler", grade::bad,
            where + " cannot be reached: " +
                (o.timed_out ? "no answer in time" : to_valid_utf8(o.detail))};
}

finding judge_descriptors(std::uint64_t most, std::uint64_t shards,
                          const config::settings& settings) {
    constexpr std::uint64_t of_its_own = 128;  // files, admin connections, timers
    const std::uint64_t needed =
        shards + settings.handler.urls.size() * settings.handler.connections + of_its_own;
    const std::string text = "about " + std::to_string(needed) + " file descriptors are needed, " +
                             std::to_string(most) + " are allowed";
    if (most < needed)
        return {"descriptors", grade::bad, text + ": raise LimitNOFILE, or ulimit -Hn"};
    return {"descriptors", grade::good, text};
}

std::string_view name_of(finding::grade g) noexcept {
    switch (g) {
    case grade::good: return "ok";
    case grade::doubtful: return "warn";
    case grade::bad: break;
    }
    return "bad";
}

std::string findings_text(const std::vector<finding>& all) {
    std::string out;
    for (const finding& f : all) {
        std::string state(name_of(f.how));
        state.resize(4, ' ');
        out += "  " + state + "  " + f.name + ": " + f.detail + '\n';
    }
    return out;
}

std::string findings_json(const std::vector<finding>& all) {
    boost::json::array checks;
    for (const finding& f : all) {
        boost::json::object one;
        one["name"] = f.name;
        one["state"] = std::string(name_of(f.how));
        one["detail"] = f.detail;
        checks.push_back(std::move(one));
    }
    boost::json::object o;
    o["ok"] = none_bad(all);
    o["checks"] = std::move(checks);
    return boost::json::serialize(o) + '\n';
}

bool none_bad(const std::vector<finding>& all) noexcept {
    return std::none_of(all.begin(), all.end(),
                        [](const finding& f) { return f.how == grade::bad; });
}

}  // namespace shardgate
