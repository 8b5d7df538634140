// SPDX-License-Identifier: Apache-2.0
// One small function a contradiction. A rule whose keys are already wrong keeps quiet.
#include "config/checks.hpp"

#include <algorithm>
#include <chrono>

#include "config/rules.hpp"
#include "config/text.hpp"
#include "config/url.hpp"
#include "config/values.hpp"
#include "shardgate/config/address.hpp"

namespace shardgate::config {
namespace {

using namespace std::chrono_literals;

// Discord allows one IDENTIFY per key in 5 seconds (Gateway, Rate Limiting).
constexpr milliseconds discord_identify_interval = 5s;
// IDENTIFY beside token, presence and properties, with room for long numbers.
constexpr std::size_t identify_frame = 256;
constexpr std::size_t max_identify = 4096;
constexpr std::size_t max_message_characters = 2000;
// A resharding costs session starts, which Discord counts; a simulator does not mind.
constexpr std::uint32_t least_reshard_percentage = 10;
constexpr milliseconds least_check_interval = 1min;

void check_required(draft& d) {
    if (!d.given("discord.intents"))
        d.fault("discord.intents",
                R"(is missing, allowed: a list of intent names such as ["GUILDS"], or one number)");
    if (d.values.discord.token.empty() && !d.any_faulty({"discord.token", "discord.token_file"}))
        d.fault("discord.token",
                "is missing, allowed: discord.token_file, discord.token, SHARDGATE_TOKEN in the "
                "environment, or the credential discord-token");
}

void check_shard_range(draft& d) {
    const sharding& s = d.values.sharding;
    if (d.any_faulty({"sharding.total", "sharding.first", "sharding.last"})) return;
    if (s.last && s.first > *s.last)
        d.fault("sharding.first", "is " + std::to_string(s.first) + ", allowed: at most last, " +
                                      std::to_string(*s.last));
    if (!s.total) return;
    if (s.last && *s.last >= *s.total)
        d.fault("sharding.last", "is " + std::to_string(*s.last) +
                                     ", allowed: \"total-1\" or a number below total, " +
                                     std::to_string(*s.total));
    if (!s.last && s.first >= *s.total)
        d.fault("sharding.first", "is " + std::to_string(s.first) +
                                      ", allowed: a number below total, " +
                                      std::to_string(*s.total));
}

// The last worker takes what is left, so too small a share is fine; too large a one is not.
void check_workers(draft& d) {
    const sharding& s = d.values.sharding;
    if (d.any_faulty({"sharding.total", "sharding.first", "sharding.last", "sharding.workers",
                      "sharding.shards_per_worker"}))
        return;
    std::uint64_t end = 0;
    if (s.last)
        end = std::uint64_t{*s.last} + 1;
    else if (s.total)
        end = *s.total;
    if (end <= s.first) return;  // not known before Discord answers, or wrong and said above
    const std::uint64_t shards = end - s.first;
    if (s.workers > shards)
        d.fault("sharding.workers", "is " + std::to_string(s.workers) +
                                        ", allowed: at most one per shard, of which there are " +
                                        std::to_string(shards));
    else if (std::uint64_t{s.shards_per_worker} * (s.workers - 1) >= shards)
        d.fault("sharding.shards_per_worker",
                "is " + std::to_string(s.shards_per_worker) + ", which leaves nothing of " +
                    std::to_string(shards) + " shards for the last of " +
                    std::to_string(s.workers) + " workers, allowed: less, or 0");
}

void check_identify_interval(draft& d) {
    const discord& dc = d.values.discord;
    if (d.any_faulty({"sharding.identify_interval", "discord.api_url", "discord.gateway_url"}))
        return;
    if (d.values.sharding.identify_interval >= discord_identify_interval) return;
    // Without a gateway_url the API's answer decides: Discord's own API names Discord's gateway.
    const std::string& gateway = dc.gateway_url.empty() ? dc.api_url : dc.gateway_url;
    if (!is_discord_url(gateway)) return;
    d.fault("sharding.identify_interval",
            "is \"" + format_duration(d.values.sharding.identify_interval) +
                "\", allowed: at least \"5s\" unless discord.gateway_url (or, without one, "
                "discord.api_url) is not Discord's own");
}

void check_resharding(draft& d) {
    const resharding& r = d.values.resharding;
    if (d.faulty("discord.api_url") || !is_discord_url(d.values.discord.api_url)) return;
    if (r.percentage < least_reshard_percentage && !d.faulty("resharding.percentage"))
        d.fault("resharding.percentage", "is " + std::to_string(r.percentage) +
                                             ", allowed: at least " +
                                             std::to_string(least_reshard_percentage) +
                                             " unless discord.api_url is not Discord's own");
    if (r.check_interval < least_check_interval && !d.faulty("resharding.check_interval"))
        d.fault("resharding.check_interval", "is \"" + format_duration(r.check_interval) +
                                                 "\", allowed: at least \"" +
                                                 format_duration(least_check_interval) +
                                                 "\" unless discord.api_url is not Discord's own");
}

void check_identify_size(draft& d) {
    const discord& dc = d.values.discord;
    const std::size_t bytes =
        dc.token.reveal().size() + dc.presence.size() + dc.properties.size() + identify_frame;
    if (bytes <= max_identify || d.any_faulty({"discord.presence", "discord.properties"})) return;
    d.fault(d.given("discord.presence") ? "discord.presence" : "discord.properties",
            "makes IDENTIFY longer than the 4096 bytes Discord takes, allowed: " +
                std::to_string(max_identify - identify_frame) +
                " bytes of token, presence and properties together");
}

void check_filter(draft& d) {
    const filter& f = d.values.filter;
    if (d.any_faulty({"filter.only", "filter.drop"})) return;
    for (const std::string& name : f.drop)
        if (std::find(f.only.begin(), f.only.end(), name) != f.only.end())
            d.fault("filter.drop", "names " + in_quotes(name) +
                                       ", which filter.only names too, allowed: one of the two");
}

void check_client_certificate(draft& d) {
    const handler& h = d.values.handler;
    if (h.client_certificate_file.empty() == h.client_key_file.empty()) return;
    if (d.any_faulty({"handler.client_certificate_file", "handler.client_key_file"})) return;
    const bool key_missing = h.client_key_file.empty();
    d.fault(key_missing ? "handler.client_certificate_file" : "handler.client_key_file",
            std::string("is given without ") +
                (key_missing ? "client_key_file" : "client_certificate_file") +
                ", allowed: both or neither");
}

void check_retries(draft& d) {
    const queue& q = d.values.queue;
    if (q.retry_initial <= q.retry_max) return;
    if (d.any_faulty({"queue.retry_initial", "queue.retry_max"})) return;
    d.fault(d.given("queue.retry_initial") ? "queue.retry_initial" : "queue.retry_max",
            "retry_initial is above retry_max, allowed: at most \"" + format_duration(q.retry_max) +
                '"');
}

void check_overflow(draft& d) {
    if (d.values.queue.overflow != overflow_policy::spill || !d.values.state.directory.empty())
        return;
    if (d.any_faulty({"queue.overflow", "state.directory"})) return;
    d.fault(d.given("queue.overflow") ? "queue.overflow" : "state.directory",
            "overflow \"spill\" without a state.directory to spill to, allowed: a directory, or "
            "queue.overflow \"drop-oldest\" or \"drop-newest\"");
}

void check_interaction_message(draft& d) {
    const interactions& i = d.values.interactions;
    if (d.any_faulty({"interactions.message", "interactions.support_url"})) return;
    const std::size_t length = characters(i.message) + 1 + characters(i.support_url);
    if (i.support_url.empty() || length <= max_message_characters) return;
    d.fault("interactions.support_url", "makes the message " + std::to_string(length) +
                                            " characters long, allowed: 2000 together");
}

void check_admin_token(draft& d) {
    const admin& a = d.values.admin;
    if (is_local_listen(a.listen) || !a.token.empty()) return;
    if (d.any_faulty({"admin.listen", "admin.token", "admin.token_file"})) return;
    d.fault("admin.listen",
            "is reachable from other machines and no admin token is given, "
            "allowed: a loopback address or a unix socket, or admin.token_file");
}

void check_pem(draft& d, const surroundings& around, std::string_view key,
               const std::string& path) {
    if (path.empty() || d.faulty(key)) return;
    const result<std::string> content = around.read_file(path);
    if (!content)
        d.fault(key, "cannot read " + in_quotes(path) + ": " + content.error().detail);
    else if (content->find("-----BEGIN ") == std::string::npos)
        d.fault(key, "names a file that is not PEM (no \"-----BEGIN\" line)");
}

}  // namespace

void check_together(draft& d, const surroundings& around) {
    check_required(d);
    check_shard_range(d);
    check_workers(d);
    check_identify_interval(d);
    check_resharding(d);
    check_identify_size(d);
    check_filter(d);
    check_client_certificate(d);
    check_retries(d);
    check_overflow(d);
    check_interaction_message(d);
    check_admin_token(d);
    const handler& h = d.values.handler;
    check_pem(d, around, "discord.ca_file", d.values.discord.ca_file);
    check_pem(d, around, "handler.ca_file", h.ca_file);
    check_pem(d, around, "handler.client_certificate_file", h.client_certificate_file);
    check_pem(d, around, "handler.client_key_file", h.client_key_file);
}

}  // namespace shardgate::config
