// SPDX-License-Identifier: Apache-2.0
// src/admin/page/openapi.json against the router, both ways: what is answered is described, and
// what is described is answered.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cctype>
#include <set>
#include <string>
#include <string_view>

#include "admin/assets.hpp"
#include "admin/router.hpp"

namespace shardgate::admin {
namespace {

using boost::json::object;
using boost::json::value;

class OpenApi : public testing::Test {
protected:
    value document = boost::json::parse(show_asset("openapi.json").body);

    // "GET /v1/shards/*"
    static std::string call_of(std::string_view method, std::string_view path) {
        std::string out(method);
        std::transform(out.begin(), out.end(), out.begin(),
                       [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
        out += ' ';
        bool inside = false;
        for (const char c : path) {
            if (c == '{') out += '*';
            inside = (inside || c == '{') && c != '}';
            if (!inside && c != '}') out += c;
        }
        return out;
    }
    // Calls `each` with every operation.
    template <class Each>
    void for_each_operation(Each each) const {
        for (const auto& path : document.at("paths").as_object())
            for (const auto& op : path.value().as_object())
                each(std::string(op.key()), std::string(path.key()), op.value().as_object());
    }
    // Calls `each` with every "$ref".
    template <class Each>
    static void for_each_reference(const value& v, Each each) {
        if (v.is_array())
            for (const value& one : v.get_array())
                for_each_reference(one, each);
        if (!v.is_object()) return;
        for (const auto& member : v.get_object()) {
            if (member.key() == "$ref") each(std::string(member.value().as_string()));
            for_each_reference(member.value(), each);
        }
    }
};

TEST_F(OpenApi, DescribesEveryCallAndNoOther) {
    std::set<std::string> described, answered;
    for_each_operation([&](const std::string& method, const std::string& path, const object&) {
        described.insert(call_of(method, path));
    });
    for (const auto& [method, path] : router::calls())
        answered.insert(method + ' ' + path);
    for (const std::string& call : answered)
        EXPECT_TRUE(described.contains(call))
            << call << " belongs into src/admin/page/openapi.json";
    for (const std::string& call : described)
        EXPECT_TRUE(answered.contains(call))
            << call << " is described, but the router has no route";
}

TEST_F(OpenApi, IsWhole) {
    EXPECT_TRUE(document.at("openapi").as_string().starts_with("3.1."));
    std::set<std::string> names;
    for_each_operation([&](const std::string& method, const std::string& path, const object& op) {
        const std::string call = call_of(method, path);
        ASSERT_TRUE(op.contains("operationId")) << call;
        EXPECT_TRUE(names.insert(std::string(op.at("operationId").as_string())).second) << call;
        EXPECT_FALSE(op.at("summary").as_string().empty()) << call;
        EXPECT_FALSE(op.at("responses").as_object().empty()) << call;
        // A path's variables are its parameters.
        std::set<std::string> variables, parameters;
        for (std::size_t at = 0; (at = path.find('{', at)) != std::string::npos; ++at)
            variables.insert(path.substr(at + 1, path.find('}', at) - at - 1));
        if (const value* const all = op.if_contains("parameters"))
            for (const value& p : all->as_array())
                if (p.at("in") == "path") parameters.insert(std::string(p.at("name").as_string()));
        EXPECT_EQ(variables, parameters) << call;
    });
    for_each_reference(document, [this](const std::string& to) {
        boost::json::error_code missing;
        EXPECT_TRUE(to.starts_with("#/"));
        EXPECT_NE(document.find_pointer(to.substr(1), missing), nullptr) << to;
    });
}

TEST_F(OpenApi, SaysWhichCallsWantNoToken) {
    std::set<std::string> open;
    for_each_operation([&](const std::string& method, const std::string& path, const object& op) {
        const value* const security = op.if_contains("security");
        if (security != nullptr && security->as_array().empty()) open.insert(call_of(method, path));
    });
    EXPECT_EQ(open, (std::set<std::string>{"GET /", "GET /dashboard/*", "GET /healthz",
                                           "GET /readyz", "GET /v1/openapi.json"}));
}

TEST(Assets, ThePageBringsItsPolicyAndNothingFromOutside) {
    const http_response page = show_asset("index.html");
    ASSERT_EQ(page.status, 200U);
    EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
    bool strict = false;
    for (const auto& [name, text] : page.headers)
        strict = strict ||
                 (name == "Content-Security-Policy" && text.starts_with("default-src 'none'") &&
                  text.find("unsafe") == std::string::npos);
    EXPECT_TRUE(strict);
    for (const asset& a : assets()) {
        const http_response part = show_asset(a.name);
        EXPECT_NE(part.content_type, "application/octet-stream") << a.name;
        EXPECT_FALSE(part.body.empty()) << a.name;
        if (a.name == "openapi.json") continue;
        for (const char* const outside : {"src=\"http", "href=\"http", "url(http", "import \"http"})
            EXPECT_EQ(part.body.find(outside), std::string::npos) << a.name;
        for (const char* const inlined :
             {"<script>", "<style>", " style=\"", " onclick=", "innerHTML"})
            EXPECT_EQ(part.body.find(inlined), std::string::npos) << a.name << ": " << inlined;
    }
    EXPECT_EQ(show_asset("../openapi.json").status, 404U);
    EXPECT_EQ(show_asset("").status, 404U);
}

}  // namespace
}  // namespace shardgate::admin
