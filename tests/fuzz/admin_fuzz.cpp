// SPDX-License-Identifier: Apache-2.0
// Bytes as an admin client sends them, through the codec and the router. With a token set that no
// input can contain, nothing behind it may be reached.
#include <boost/json/parse.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "admin/http_codec.hpp"
#include "admin/router.hpp"

namespace {

using namespace shardgate;  // NOLINT: a harness

struct sealed_view final : daemon_view {
    [[nodiscard]] status_snapshot status() const override { std::abort(); }
    [[nodiscard]] std::vector<shard_snapshot> shards() const override { std::abort(); }
    [[nodiscard]] queue_snapshot queue() const override { std::abort(); }
    [[nodiscard]] metrics_snapshot metrics() const override { return {}; }
    [[nodiscard]] storage_snapshot storage_health() const override { std::abort(); }
    [[nodiscard]] readiness ready() const override { return {false, {"\xff"}, {"\xfe"}}; }
    [[nodiscard]] std::vector<dead_letter_snapshot> dead_letters(
        const dead_letter_query&) const override {
        std::abort();
    }
    std::size_t retry_dead_letters(const std::vector<std::string>&) override { std::abort(); }
    std::size_t delete_dead_letters(const std::vector<std::string>&) override { std::abort(); }
    void reshard(const reshard_request&, std::function<void(reshard_reply)>) override {
        std::abort();
    }
    [[nodiscard]] reshard_snapshot reshard_progress() const override { std::abort(); }
    abort_reply abort_reshard() override { std::abort(); }
    [[nodiscard]] guild_list guilds(bool) const override { std::abort(); }
    void change_handler(const handler_change&) override { std::abort(); }
    void watch_events(event_watcher*) override { std::abort(); }
    void reload(std::function<void(reload_reply)>) override { std::abort(); }
    send_reply send(const send_request&) override { std::abort(); }
    send_reply members(const members_request&, std::shared_ptr<member_reader>) override {
        std::abort();
    }
    send_reply reconnect(const reconnect_request&) override { std::abort(); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    sealed_view view;
    const admin::router router({secret(std::string(70000, 't')), secret(), false}, view,
                               [] { return admin::page_extras{}; });
    admin::request_reader reader;
    const std::size_t step = input.empty() ? 1 : 1 + static_cast<unsigned char>(input[0]);
    for (std::size_t at = 1; at < input.size(); at += step) {
        reader.feed(input.substr(at, step));
        reader.continued();
        while (reader.now() == admin::request_reader::state::complete) {
            const admin::http_request request = reader.take();
            const admin::later_answer nobody = [](const admin::http_response&) { std::abort(); };
            const auto at_once = router.handle(request, nobody);
            if (!at_once) std::abort();
            const admin::http_response& answer = *at_once;
            static_cast<void>(admin::serialize(answer, request, true, {}));
            if (answer.content_type.ends_with("json"))
                static_cast<void>(boost::json::parse(answer.body));  // throws on what is not JSON
        }
    }
    return 0;
}
