// SPDX-License-Identifier: Apache-2.0
// What each kind of interaction is answered with, and which tokens may go into a path.
#include "delivery/interaction_reply.hpp"

#include <gtest/gtest.h>

namespace shardgate {
namespace {

using kind = interaction_reply::kind;

TEST(InteractionReply, ACommandIsDeferred) {
    const interaction_replies replies{config::interactions{}};
    const interaction_reply* r = replies.find(2);
    ASSERT_NE(r, nullptr);
    EXPECT_EQ(r->what, kind::deferral);
    EXPECT_EQ(r->body, R"({"type":5})");
    EXPECT_EQ(r->mark, interaction_answer::deferred);
    EXPECT_FALSE(r->drops_event);
}

TEST(InteractionReply, AnEphemeralDeferralSaysSo) {
    config::interactions settings;
    settings.ephemeral = true;
    const interaction_replies replies(settings);
    EXPECT_EQ(replies.find(2)->body, R"({"type":5,"data":{"flags":64}})");
    EXPECT_EQ(replies.find(5)->body, R"({"type":5,"data":{"flags":64}})");
    EXPECT_EQ(replies.find(3)->body, R"({"type":6})") << "takes no data";
}

TEST(InteractionReply, AComponentGetsADeferredUpdate) {
    const interaction_replies replies{config::interactions{}};
    const interaction_reply* r = replies.find(3);
    ASSERT_NE(r, nullptr);
    EXPECT_EQ(r->body, R"({"type":6})");
    EXPECT_EQ(r->mark, interaction_answer::deferred_update);
    EXPECT_FALSE(r->drops_event);
}

TEST(InteractionReply, AutocompleteGetsNoChoices) {
    const interaction_replies replies{config::interactions{}};
    const interaction_reply* r = replies.find(4);
    ASSERT_NE(r, nullptr);
    EXPECT_EQ(r->what, kind::no_choices);
    EXPECT_EQ(r->body, R"({"type":8,"data":{"choices":[]}})");
    EXPECT_TRUE(r->drops_event);
}

TEST(InteractionReply, AModalSubmitIsDeferred) {
    const interaction_replies replies{config::interactions{}};
    EXPECT_EQ(replies.find(5)->body, R"({"type":5})");
    EXPECT_EQ(replies.find(5)->mark, interaction_answer::deferred);
    EXPECT_FALSE(replies.find(5)->drops_event);
}

TEST(InteractionReply, OrAnsweredWithAMessageThatIsTextWhateverItHolds) {
    config::interactions settings;
    settings.modal_submit = config::modal_submit_mode::message;
    settings.message = "Try \"later\"\n";
    const interaction_replies plain(settings);
    EXPECT_EQ(plain.find(5)->what, kind::message);
    EXPECT_EQ(plain.find(5)->body, R"({"type":4,"data":{"content":"Try \"later\"\n"}})");
    EXPECT_EQ(plain.find(5)->mark, interaction_answer::acknowledged);
    EXPECT_TRUE(plain.find(5)->drops_event);
    EXPECT_EQ(plain.find(2)->what, kind::deferral);

    settings.message = "Sorry.";
    settings.support_url = "https://example.org/help";
    settings.ephemeral = true;
    const interaction_replies hidden(settings);
    EXPECT_EQ(hidden.find(5)->body,
              R"({"type":4,"data":{"content":"Sorry. https://example.org/help","flags":64}})");
}

TEST(InteractionReply, OtherKindsHaveNone) {
    const interaction_replies replies{config::interactions{}};
    for (const std::uint32_t type : {0u, 1u, 6u, 7u, 4294967295u})
        EXPECT_EQ(replies.find(type), nullptr);
}

TEST(InteractionReply, ATokenMustStayOneSegmentOfThePath) {
    EXPECT_TRUE(is_usable_token("aW50ZXJhY3Rpb246MTIz_-.~=+"));
    EXPECT_TRUE(is_usable_token(std::string(152'133, 'a')));
    EXPECT_FALSE(is_usable_token(std::string(152'134, 'a')));
    for (const std::string_view hostile :
         {"", ".", "..", "a/b", "a?b", "a#b", "a b", "a\r\nHost: x", "a%2fb", "\xc3\xa4", "a\\b"})
        EXPECT_FALSE(is_usable_token(hostile)) << hostile;
}

}  // namespace
}  // namespace shardgate
