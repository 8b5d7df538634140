// SPDX-License-Identifier: Apache-2.0
#include "admin/reload.hpp"

#include <boost/json/object.hpp>
#include <string>
#include <utility>

#include "admin/json_text.hpp"
#include "admin/problem.hpp"
#include "admin/strict.hpp"
#include "admin/views.hpp"

namespace shardgate::admin {

namespace {

http_response answer_of(const reload_reply& reply) {
    boost::json::object out;
    if (!reply.problems.empty()) {
        const std::size_t n = reply.problems.size();
        out["problems"] = sentences(reply.problems);
        return problem(422,
                       "The configuration has " +
                           (n == 1 ? std::string("an error") : std::to_string(n) + " errors") +
                           ", so nothing has changed: " + reply.problems.front(),
                       std::move(out));
    }
    out["applied"] = sentences(reply.applied);
    out["unchanged"] = reply.unchanged;
    out["needs_restart"] = sentences(reply.needs_restart);
    http_response answer;
    answer.body = to_text(out);
    return answer;
}

}  // namespace

std::optional<http_response> reload(daemon_view& view, const target& t, std::string_view body,
                                    later_answer later) {
    if (auto no = refuse_others(t, {}, "none")) return no;
    if (!is_empty_object(body)) return problem(400, "This call takes no body.");
    view.reload([later = std::move(later)](const reload_reply& reply) { later(answer_of(reply)); });
    return std::nullopt;
}

}  // namespace shardgate::admin
