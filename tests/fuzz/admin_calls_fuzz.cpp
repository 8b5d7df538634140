// SPDX-License-Identifier: Apache-2.0
// Whatever stands in a call's path, query and body, with nobody to be kept out: each call answers
// what is its own or a problem, in JSON, and never what a URL hides. The first line of the input is
// the method and the target, the rest the body.
#include <boost/json/parse.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "../unit/admin/fake_view.hpp"
#include "admin/http_codec.hpp"
#include "admin/router.hpp"

namespace {

using namespace shardgate;  // NOLINT: a harness

void check(const admin::http_request& request, const admin::http_response& answer) {
    if (answer.status < 200 || answer.status > 599) std::abort();
    std::string text = admin::serialize(answer, request, true, {});
    if (answer.stream) {
        static_cast<void>(answer.stream->read(text, {}));
    } else if (answer.content_type.ends_with("json")) {
        static_cast<void>(boost::json::parse(answer.body));  // throws on what is not JSON
    }
    if (text.find("hunter2") != std::string::npos) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const std::size_t line = input.find('\n');
    const std::size_t blank = input.substr(0, line).find(' ');
    if (line == std::string_view::npos || blank == std::string_view::npos) return 0;
    admin::http_request request;
    request.method = input.substr(0, blank);
    request.target = input.substr(blank + 1, line - blank - 1);
    request.headers = {{"Host", "localhost"}, {"Content-Type", "application/json"}};
    request.body = input.substr(line + 1);
    if (input.find("hunter2") != std::string_view::npos) return 0;  // what was sent may come back
    test::fake_view view;
    admin::live_feeds feeds(view);
    const admin::router router(
        {}, view, [] { return admin::page_extras{}; }, &feeds);
    const admin::later_answer later = [&](const admin::http_response& answer) {
        check(request, answer);
    };
    if (const auto at_once = router.handle(request, later)) check(request, *at_once);
    for (auto& done : std::exchange(view.waiting, {}))
        done({});
    feeds.close();
    return 0;
}
