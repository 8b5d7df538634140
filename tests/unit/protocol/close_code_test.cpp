// SPDX-License-Identifier: Apache-2.0
#include "shardgate/protocol/close_code.hpp"

#include <gtest/gtest.h>

#include <array>

namespace shardgate {
namespace {

TEST(CloseCode, EveryCodeOfDiscordsTableHasItsStep) {
    struct expectation {
        close_code code;
        close_action action;
    };
    constexpr std::array table = {
        expectation{0, close_action::resume},        expectation{1000, close_action::resume},
        expectation{1001, close_action::resume},     expectation{1005, close_action::resume},
        expectation{1006, close_action::resume},     expectation{4000, close_action::resume},
        expectation{4001, close_action::resume},     expectation{4002, close_action::resume},
        expectation{4003, close_action::resume},     expectation{4004, close_action::stop_bot},
        expectation{4005, close_action::resume},     expectation{4007, close_action::identify},
        expectation{4008, close_action::resume},     expectation{4009, close_action::identify},
        expectation{4010, close_action::park_shard}, expectation{4011, close_action::park_shard},
        expectation{4012, close_action::stop_bot},   expectation{4013, close_action::stop_bot},
        expectation{4014, close_action::stop_bot},
    };
    for (const expectation& e : table) {
        EXPECT_EQ(rule_for(e.code).action, e.action) << e.code;
        EXPECT_EQ(rule_for(e.code).code, e.code);
        EXPECT_FALSE(rule_for(e.code).name.empty()) << e.code;
    }
}

TEST(CloseCode, UnlistedCodesResume) {
    for (const int number : {999, 1002, 1014, 3000, 4006, 4015, 4022, 4999, 65535}) {
        const auto code = static_cast<close_code>(number);
        EXPECT_EQ(rule_for(code).action, close_action::resume) << code;
        EXPECT_EQ(rule_for(code).name, "unlisted close code");
    }
}

TEST(CloseCode, GuidanceStandsExactlyWhereAnOperatorHasToAct) {
    for (unsigned code = 0; code < 5000; ++code) {
        const close_rule& rule = rule_for(static_cast<close_code>(code));
        const bool fatal =
            rule.action == close_action::stop_bot || rule.action == close_action::park_shard;
        EXPECT_EQ(!rule.guidance.empty(), fatal) << code;
    }
}

TEST(CloseCode, OurOwnCodeForResumingDoesNotEndTheSession) {
    EXPECT_NE(close_to_resume, 1000);
    EXPECT_NE(close_to_resume, 1001);
    EXPECT_GE(close_to_resume, 4000);
    EXPECT_LE(close_to_resume, 4999);
}

}  // namespace
}  // namespace shardgate
