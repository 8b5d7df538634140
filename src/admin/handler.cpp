// SPDX-License-Identifier: Apache-2.0
#include "admin/handler.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "admin/json_text.hpp"
#include "admin/problem.hpp"
#include "admin/strict.hpp"
#include "admin/views.hpp"
#include "shardgate/config/address.hpp"

namespace shardgate::admin {

namespace {

using boost::json::value;

http_response wrong_shape(std::string_view what) {
    return problem(422, std::string(what) +
                            R"( Allowed: {"paused": true or false, "urls": [URL, …]}, )"
                            "one of them or both.");
}

std::optional<http_response> read_urls(const value& v, std::vector<std::string>& into) {
    if (!v.is_array()) return wrong_shape("urls is not an array.");
    for (const value& one : v.get_array()) {
        if (!one.is_string()) return wrong_shape("urls has something else than strings.");
        into.emplace_back(one.get_string().data(), one.get_string().size());
    }
    if (const std::string wrong = config::check_handler_urls(into); !wrong.empty())
        return problem(422, wrong +
                                ". Each is http, https or \"unix:/socket/path:/request/path\", "
                                "as handler.urls in the configuration.");
    return std::nullopt;
}

std::optional<http_response> read_change(std::string_view body, handler_change& into) {
    if (is_blank(body)) return wrong_shape("The body is missing.");
    boost::json::error_code bad;
    const value v = boost::json::parse({body.data(), body.size()}, bad);
    if (bad) return problem(400, "The body is not JSON: " + bad.message() + ".");
    if (!v.is_object()) return wrong_shape("The body is not an object.");
    for (const auto& member : v.get_object()) {
        const std::string_view key(member.key().data(), member.key().size());
        if (key == "paused") {
            if (!member.value().is_bool()) return wrong_shape("paused is neither true nor false.");
            into.paused = member.value().get_bool();
        } else if (key == "urls") {
            std::vector<std::string> urls;
            if (auto no = read_urls(member.value(), urls)) return no;
            into.urls = std::move(urls);
        } else {
            return wrong_shape("The body has a member " + quote(key) + ".");
        }
    }
    if (!into.paused && !into.urls) return wrong_shape("Nothing is to be changed.");
    return std::nullopt;
}

}  // namespace

http_response change_handler(daemon_view& view, const target& t, std::string_view body) {
    if (auto no = refuse_others(t, {}, "none; what is wanted goes into the body")) return *no;
    handler_change change;
    if (auto no = read_change(body, change)) return *no;
    view.change_handler(change);
    http_response answer;
    answer.body = to_text(handler_json(view.status()));
    return answer;
}

}  // namespace shardgate::admin
