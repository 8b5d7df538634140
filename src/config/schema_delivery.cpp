// SPDX-License-Identifier: Apache-2.0
// [filter], [handler] and [queue]: what goes to the handler, how, and what waits for it.
#include "config/rules.hpp"
#include "config/schema.hpp"
#include "shardgate/config/address.hpp"

namespace shardgate::config {
namespace {

using namespace std::chrono_literals;

template <auto Field>
constexpr auto filter_field = at<&settings::filter, Field>;
template <auto Field>
constexpr auto handler_field = at<&settings::handler, Field>;
template <auto Field>
constexpr auto queue_field = at<&settings::queue, Field>;

constexpr byte_count kib = 1ULL << 10, mib = 1ULL << 20, tib = 1ULL << 40;
constexpr std::size_t max_event_names = 256;

constexpr const char* event_names = "a list of at most 256 different event names in capitals";
constexpr const char* optional_path = "empty, or an absolute path";

}  // namespace

schema_part filter_schema() {
    using create = guild_create_mode;
    using edits = edited_messages_mode;
    const names<create> creates{{"auto", create::automatic},
                                {"mark", create::mark},
                                {"pass", create::pass},
                                {"drop-loaded", create::drop_loaded}};
    const names<edits> edit_words{
        {"unchanged", edits::unchanged}, {"content", edits::content}, {"off", edits::off}};
    return {
        choice("filter.guild_create", filter_field<&filter::guild_create>, creates,
               "what becomes of the GUILD_CREATE of a guild that is only loading"),
        choice("filter.edited_messages", filter_field<&filter::edited_messages>, edit_words,
               "which MESSAGE_UPDATEs are dropped"),
        number("filter.edited_messages_capacity", filter_field<&filter::edited_messages_capacity>,
               1, 10'000'000, "messages remembered for that"),
        text_list("filter.only", filter_field<&filter::only>, event_names, 0, max_event_names,
                  event_name_rule, "forward nothing but these; empty = all"),
        text_list("filter.drop", filter_field<&filter::drop>, event_names, 0, max_event_names,
                  event_name_rule, "do not forward these"),
    };
}

schema_part handler_schema() {
    const names<balance_mode> balances{{"shard", balance_mode::shard},
                                       {"guild", balance_mode::guild},
                                       {"failover", balance_mode::failover}};
    const names<envelope_mode> envelopes{{"data", envelope_mode::data},
                                         {"payload", envelope_mode::payload},
                                         {"message", envelope_mode::message},
                                         {"raw", envelope_mode::raw}};
    const names<ordering_mode> orderings{{"guild", ordering_mode::guild},
                                         {"shard", ordering_mode::shard},
                                         {"none", ordering_mode::none}};
    return {
        text_list("handler.urls", handler_field<&handler::urls>,
                  "a list of 1 to 64 different URLs, each http, https or "
                  "\"unix:/socket/path:/request/path\"",
                  1, max_handler_urls, handler_url_rule, "where events are posted to"),
        choice("handler.balance", handler_field<&handler::balance>, balances,
               "which URL gets which event"),
        secret_text("handler.secret", "the value of an HTTP header",
                    "sent as the Authorization header"),
        secret_text("handler.secret_file", "an absolute path", "file with secret"),
        secret_text("handler.signing_key_file", "an absolute path",
                    "file with HMAC-SHA256 keys, one a line"),
        choice("handler.envelope", handler_field<&handler::envelope>, envelopes,
               "shape of a request's body"),
        choice("handler.ordering", handler_field<&handler::ordering>, orderings,
               "what is kept in order"),
        number("handler.connections", handler_field<&handler::connections>, 1, 10'000,
               "connections per URL"),
        duration("handler.timeout", handler_field<&handler::timeout>, 10ms, 10min,
                 "how long the handler may take to answer"),
        number("handler.pipelining", handler_field<&handler::pipelining>, 1, 64,
               "requests in flight on one connection"),
        number("handler.batch_events", handler_field<&handler::batch_events>, 1, 1000,
               "events in one request, at most"),
        duration("handler.batch_linger", handler_field<&handler::batch_linger>, 0ms, 10s,
                 "how long a batch waits to fill"),
        text("handler.ca_file", handler_field<&handler::ca_file>, optional_path, path_rule,
             "PEM certificates trusted beside the system's store"),
        text("handler.client_certificate_file", handler_field<&handler::client_certificate_file>,
             optional_path, path_rule, "PEM certificate shown to the handler"),
        text("handler.client_key_file", handler_field<&handler::client_key_file>, optional_path,
             path_rule, "PEM key of that certificate"),
    };
}

schema_part queue_schema() {
    const names<overflow_policy> policies{{"spill", overflow_policy::spill},
                                          {"drop-oldest", overflow_policy::drop_oldest},
                                          {"drop-newest", overflow_policy::drop_newest}};
    return {
        number("queue.max_events", queue_field<&queue::max_events>, std::uint64_t{1},
               std::uint64_t{100'000'000}, "events held in memory, at most"),
        size("queue.max_bytes", queue_field<&queue::max_bytes>, 64 * kib, tib,
             "bytes held in memory, at most"),
        choice("queue.overflow", queue_field<&queue::overflow>, policies,
               "what happens at these bounds"),
        size("queue.spill_max_bytes", queue_field<&queue::spill_max_bytes>, mib, 1024 * tib,
             "bytes held on disk, at most"),
        duration("queue.spill_max_age", queue_field<&queue::spill_max_age>, 1min, 720h,
                 "age of an event held on disk, at most"),
        duration("queue.retry_initial", queue_field<&queue::retry_initial>, 10ms, 5min,
                 "first wait before a failed delivery is tried again"),
        duration("queue.retry_max", queue_field<&queue::retry_max>, 10ms, 1h,
                 "longest wait between two tries"),
        number("queue.dead_letters_max", queue_field<&queue::dead_letters_max>, 0, 10'000'000,
               "refused events kept for inspection, at most"),
    };
}

}  // namespace shardgate::config
