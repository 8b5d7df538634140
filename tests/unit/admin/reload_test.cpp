// SPDX-License-Identifier: Apache-2.0
// POST /v1/reload as its callers see it.
#include "admin/reload.hpp"

#include <gtest/gtest.h>

#include "unit/admin/fake_view.hpp"

namespace shardgate::admin {
namespace {

struct AdminReload : testing::Test {
    test::fake_view view;
    target at = *parse_target("/v1/reload");

    http_response ask(const target& t, std::string_view body) {
        std::optional<http_response> later;
        const int before = view.reloads;
        auto at_once =
            reload(view, t, body, [&](http_response answer) { later = std::move(answer); });
        EXPECT_NE(at_once.has_value(), later.has_value());
        EXPECT_EQ(view.reloads - before, later ? 1 : 0);
        return at_once ? *at_once : later.value_or(http_response{});
    }
};

TEST_F(AdminReload, AnswersWhatWasAppliedAndWhatWaits) {
    view.reloaded = {{}, {"filter.drop", "log.level"}, {"sharding.total"}, 77};
    const http_response r = ask(at, "");
    EXPECT_EQ(r.status, 200U);
    EXPECT_EQ(r.body,
              "{\"applied\":[\"filter.drop\",\"log.level\"],\"unchanged\":77,"
              "\"needs_restart\":[\"sharding.total\"]}\n");
    EXPECT_EQ(ask(at, " {} ").status, 200U);
    EXPECT_EQ(view.reloads, 2);
}

TEST_F(AdminReload, AFileWithErrorsIsRefusedWithEveryOneOfThem) {
    view.reloaded.problems = {"a.toml:1:1: x: is wrong", "a.toml:2:1: y: is wrong"};
    const http_response r = ask(at, "");
    EXPECT_EQ(r.status, 422U);
    EXPECT_NE(r.body.find("has 2 errors, so nothing has changed: a.toml:1:1: x"),
              std::string::npos);
    EXPECT_NE(r.body.find("a.toml:2:1: y: is wrong"), std::string::npos);
}

TEST_F(AdminReload, ABodyOrAParameterThatNobodyReadsReloadsNothing) {
    EXPECT_EQ(ask(at, "{\"dry_run\":true}").status, 400U);
    EXPECT_EQ(ask(*parse_target("/v1/reload?file=/etc/passwd"), "").status, 400U);
    EXPECT_EQ(view.reloads, 0);
}

}  // namespace
}  // namespace shardgate::admin
