// SPDX-License-Identifier: Apache-2.0
// [interactions], [state], [admin], [watchdog] and [log]: the daemon itself.
#include "config/rules.hpp"
#include "config/schema.hpp"

namespace shardgate::config {
namespace {

using namespace std::chrono_literals;

template <auto Field>
constexpr auto interactions_field = at<&settings::interactions, Field>;
template <auto Field>
constexpr auto admin_field = at<&settings::admin, Field>;

}  // namespace

schema_part interactions_schema() {
    const names<modal_submit_mode> modes{{"defer", modal_submit_mode::defer},
                                         {"message", modal_submit_mode::message}};
    return {
        flag("interactions.auto_defer", interactions_field<&interactions::auto_defer>,
             "answer Discord when the handler has not taken an interaction"),
        // Discord takes answers for 3 seconds (Receiving and Responding to Interactions).
        duration("interactions.deadline", interactions_field<&interactions::deadline>, 100ms,
                 2999ms, "when to do so, after the interaction was created"),
        flag("interactions.ephemeral", interactions_field<&interactions::ephemeral>,
             "whether deferred answers are seen by the user alone"),
        choice("interactions.modal_submit", interactions_field<&interactions::modal_submit>, modes,
               "how a submitted modal is answered"),
        text("interactions.message", interactions_field<&interactions::message>,
             "1 to 2000 characters", message_rule, "the message for modal_submit = \"message\""),
        text("interactions.support_url", interactions_field<&interactions::support_url>,
             "empty, or an http or https URL without user name or fragment", support_url_rule,
             "appended to the message"),
    };
}

schema_part state_schema() {
    return {
        text("state.directory", at<&settings::state, &state::directory>,
             "empty (memory only), or an absolute path", path_rule,
             "where sessions, marks and the spool are kept"),
        duration("state.stop_flush", at<&settings::state, &state::stop_flush>, 0ms, 5min,
                 "how long an orderly stop waits for the handler"),
    };
}

schema_part admin_schema() {
    return {
        text("admin.listen", admin_field<&admin::listen>,
             "empty (off), \"host:port\", \"[IPv6 address]:port\" or \"unix:/socket/path\"",
             listen_rule, "where the admin API listens"),
        secret_text("admin.token", "visible ASCII characters without spaces",
                    "bearer token of the admin API"),
        secret_text("admin.token_file", "an absolute path", "file with token"),
        secret_text("admin.metrics_token", "visible ASCII characters without spaces",
                    "bearer token of /metrics; empty = open"),
        secret_text("admin.metrics_token_file", "an absolute path", "file with metrics_token"),
        duration("admin.ready_grace", admin_field<&admin::ready_grace>, 0ms, 1h,
                 "how long a resuming shard still counts as ready"),
    };
}

schema_part watchdog_schema() {
    return {flag("watchdog.silence", at<&settings::watchdog, &watchdog::silence>,
                 "resume a shard that falls silent against its habit")};
}

schema_part log_schema() {
    const names<log::level> levels{{"trace", log::level::trace}, {"debug", log::level::debug},
                                   {"info", log::level::info},   {"warn", log::level::warn},
                                   {"error", log::level::error}, {"off", log::level::off}};
    const names<log::format> formats{{"text", log::format::text}, {"json", log::format::json}};
    return {
        choice("log.level", at<&settings::log, &logging::level>, levels,
               "least important line that is written"),
        choice("log.format", at<&settings::log, &logging::format>, formats, "shape of a line"),
    };
}

}  // namespace shardgate::config
