// SPDX-License-Identifier: Apache-2.0
// What does and what does not change a message's fingerprints.
#include "protocol/fingerprint.hpp"

#include <gtest/gtest.h>

#include <string>

#include "shardgate/protocol/envelope.hpp"

namespace shardgate {
namespace {

class Fingerprint : public testing::Test {
protected:
    dispatch_fields fields(std::string_view d, std::string_view name = "MESSAGE_UPDATE") {
        text_ = R"({"op":0,"s":1,"t":")";
        text_.append(name).append("\",\"d\":{").append(d).append("}}");
        const auto e = scanner_.scan(text_);
        EXPECT_TRUE(e) << text_;
        return e ? e->fields : dispatch_fields{};
    }
    std::uint64_t edits(std::string_view d) { return fields(d).edit_fingerprint; }

    scanner scanner_;
    std::string text_;
};

TEST_F(Fingerprint, EachMemberAPersonOrBotCanChangeCounts) {
    const std::uint64_t base = edits(R"("content":"a")");
    for (const char* d : {R"("content":"b")", R"("content":"a","attachments":[{"id":"1"}])",
                          R"("content":"a","pinned":true)", R"("content":"a","flags":4)",
                          R"("content":"a","components":[{"type":1}])",
                          R"("content":"a","poll":{"question":{"text":"?"}})",
                          R"("content":"a","sticker_items":[{"id":"1"}])",
                          R"("content":"a","edited_timestamp":"2026-01-01T00:00:00+00:00")"})
        EXPECT_NE(edits(d), base) << d;
}

TEST_F(Fingerprint, EmbedsAndEverythingElseDoNotCount) {
    const std::uint64_t base = edits(R"("content":"a")");
    for (const char* d :
         {R"("content":"a","embeds":[{"title":"x","content":"y"}])", R"("content":"a","tts":true)",
          R"("embeds":[{"poll":1,"flags":2}],"content":"a","reactions":[1])",
          R"("content":"a","author":{"id":"1","flags":64},"mentions":[{"id":"2"}])",
          R"("content":"a","referenced_message":{"content":"b","edited_timestamp":"x"})"})
        EXPECT_EQ(edits(d), base) << d;
}

TEST_F(Fingerprint, KeyOrderDoesNotCountAtAnyDepth) {
    EXPECT_EQ(edits(R"("content":"a","flags":4,"poll":{"question":{"a":1,"b":[2]},"expiry":"x"})"),
              edits(R"("poll":{"expiry":"x","question":{"b":[2],"a":1}},"flags":4,"content":"a")"));
    EXPECT_EQ(edits(R"("components":[{"type":1,"components":[{"type":2,"label":"x"}]}])"),
              edits(R"("components":[{"components":[{"label":"x","type":2}],"type":1}])"));
}

TEST_F(Fingerprint, WhiteSpaceDoesNotCount) {
    EXPECT_EQ(
        edits(R"("content":"a","components":[{"type":1,"x":[1,2]}])"),
        edits("\"components\" : [ { \"type\" :\n1 , \"x\":[ 1 , 2 ] } ] ,\t\"content\" : \"a\""));
}

TEST_F(Fingerprint, ElementOrderCounts) {
    EXPECT_NE(edits(R"("components":[{"id":1},{"id":2}])"),
              edits(R"("components":[{"id":2},{"id":1}])"));
    EXPECT_NE(edits(R"("sticker_items":[{"id":1}])"), edits(R"("sticker_items":[{"id":1},{}])"));
}

TEST_F(Fingerprint, MissingNullAndEmptyAreAlike) {
    const std::uint64_t base = edits(R"("content":"a")");
    for (const char* d :
         {R"("content":"a","edited_timestamp":null,"attachments":[],"components":[],"flags":0)",
          R"("content":"a","pinned":false,"poll":null,"sticker_items":[],"poll":{})",
          R"("content":"a","poll":{"results":{"is_finalized":false,"answer_counts":[]}})"})
        EXPECT_EQ(edits(d), base) << d;
    EXPECT_EQ(edits(R"("content":"")"), edits(R"("pinned":false)"));
    EXPECT_EQ(edits(R"("attachments":[{"id":"1","description":null}])"),
              edits(R"("attachments":[{"id":"1"}])"));
}

TEST_F(Fingerprint, ARenewedSignatureOfAnAttachmentDoesNotCount) {
    EXPECT_EQ(
        edits(R"("attachments":[{"id":"1","filename":"a.png","size":3,"url":"https://c/a?ex=1",)"
              R"("proxy_url":"https://m/a?ex=1"}])"),
        edits(R"("attachments":[{"id":"1","filename":"a.png","size":3,"url":"https://c/a?ex=2",)"
              R"("proxy_url":"https://m/a?ex=2","width":5,"height":6,"placeholder":"x"}])"));
    for (const char* changed :
         {R"("attachments":[{"id":"2","filename":"a.png"}])",
          R"("attachments":[{"id":"1","filename":"SPOILER_a.png"}])",
          R"("attachments":[{"id":"1","filename":"a.png","description":"alt"}])",
          R"("attachments":[{"id":"1","filename":"a.png","title":"t"}])",
          R"("attachments":[{"id":"1","filename":"a.png","flags":4}])",
          R"("attachments":[{"id":"1","filename":"a.png"},{"id":"3"}])"})
        EXPECT_NE(edits(changed), edits(R"("attachments":[{"id":"1","filename":"a.png"}])"));
}

TEST_F(Fingerprint, MediaOfComponentsKeepTheirFingerprintWhenDiscordFillsThemIn) {
    const auto gallery = [this](std::string_view media) {
        std::string d = R"("components":[{"type":12,"items":[{"media":{)";
        return edits(d.append(media).append(R"(},"description":"x"}]}])"));
    };
    const std::uint64_t base =
        gallery(R"("url":"https://cdn.discordapp.com/a.png?ex=1&is=2&hm=3")");
    EXPECT_EQ(gallery(R"("url":"https://cdn.discordapp.com/a.png?ex=9&is=8&hm=7","width":4,)"
                      R"("height":5,"proxy_url":"https://media.discordapp.net/a.png",)"
                      R"("loading_state":2,"placeholder":"p","placeholder_version":1)"),
              base);
    EXPECT_NE(gallery(R"("url":"https://cdn.discordapp.com/b.png?ex=1&is=2&hm=3")"), base);
}

TEST_F(Fingerprint, AForeignLinksQueryCounts) {
    EXPECT_NE(edits(R"("components":[{"type":2,"url":"https://x/?page=1"}])"),
              edits(R"("components":[{"type":2,"url":"https://x/?page=2"}])"));
    EXPECT_EQ(edits(R"("components":[{"type":2,"url":""}])"),
              edits(R"("components":[{"type":2}])"));
    EXPECT_NE(edits(R"("components":[{"type":2,"url":[1]}])"),
              edits(R"("components":[{"type":2}])"));
}

TEST_F(Fingerprint, TheSameValueInAnotherMemberIsAnotherMessage) {
    EXPECT_NE(edits(R"("content":"x")"), edits(R"("edited_timestamp":"x")"));
    EXPECT_NE(edits(R"("content":"x","edited_timestamp":"y")"),
              edits(R"("content":"y","edited_timestamp":"x")"));
    EXPECT_NE(edits(R"("attachments":[{"id":1}])"), edits(R"("sticker_items":[{"id":1}])"));
    EXPECT_NE(edits(R"("flags":4,"pinned":4)"), edits(R"("flags":4)"));
    EXPECT_NE(edits(R"("flags":4)"), edits(R"("flags":"4")"));
}

TEST_F(Fingerprint, OfEqualMembersTheLastOneCounts) {
    for (const char* last : {"0", "null", "false", "\"\"", "[]", "{}", "[ ]", "4", "[4]"}) {
        const std::string member = std::string(R"(,"flags":)") + last;
        EXPECT_EQ(edits(R"("content":"a","flags":[{"x":9}])" + member),
                  edits(R"("content":"a")" + member))
            << last;
    }
}

TEST_F(Fingerprint, VotesDoNotCountButThePollsEndDoes) {
    const auto poll = [this](std::string_view results) {
        std::string d =
            R"("poll":{"question":{"text":"?"},"answers":[{"answer_id":1}],"expiry":"x",)";
        return edits(d.append("\"results\":").append(results).append("}"));
    };
    const std::uint64_t open = poll(R"({"is_finalized":false,"answer_counts":[]})");
    EXPECT_EQ(poll(R"({"answer_counts":[{"id":1,"count":3}],"is_finalized":false})"), open);
    EXPECT_EQ(poll("null"), open);
    EXPECT_NE(poll(R"({"is_finalized":true,"answer_counts":[]})"), open);
    EXPECT_NE(edits(R"("poll":{"question":{"text":"!"},"answers":[{"answer_id":1}],"expiry":"x"})"),
              open);
}

TEST_F(Fingerprint, ContentHasOneOfItsOwn) {
    const dispatch_fields a = fields(R"("content":"hello","pinned":true)");
    const dispatch_fields b = fields(R"("content":"hello","embeds":[1])", "MESSAGE_CREATE");
    EXPECT_EQ(a.content_fingerprint, b.content_fingerprint);
    EXPECT_NE(a.edit_fingerprint, b.edit_fingerprint);
    EXPECT_NE(fields(R"("content":"hello!")").content_fingerprint, a.content_fingerprint);
    EXPECT_NE(fields(R"("content":"")").content_fingerprint, 0u);
    EXPECT_TRUE(a.has_content);
}

TEST_F(Fingerprint, APartialUpdateSaysWhatItHas) {
    const dispatch_fields unfurl = fields(R"("id":"1","channel_id":"2","embeds":[{"x":1}])");
    EXPECT_FALSE(unfurl.has_content);
    EXPECT_FALSE(unfurl.has_editable);
    EXPECT_EQ(unfurl.content_fingerprint, 0u);
    const dispatch_fields suppressed = fields(R"("id":"1","embeds":[],"flags":4)");
    EXPECT_FALSE(suppressed.has_content);
    EXPECT_TRUE(suppressed.has_editable);
}

TEST_F(Fingerprint, OtherEventsAndScannersThatWereNotAskedHaveNone) {
    EXPECT_EQ(fields(R"("content":"a")", "TYPING_START").edit_fingerprint, 0u);
    scanner plain(scan_options{.fingerprints = false, .seed = 1});
    const auto e = plain.scan(R"({"op":0,"s":1,"t":"MESSAGE_CREATE","d":{"content":"a"}})");
    ASSERT_TRUE(e);
    EXPECT_EQ(e->fields.edit_fingerprint, 0u);
    EXPECT_FALSE(e->fields.has_content);
}

TEST_F(Fingerprint, ScannersOfOneProcessAgreeAndOtherSeedsDiffer) {
    const std::string frame = R"({"op":0,"s":1,"t":"MESSAGE_CREATE","d":{"content":"a"}})";
    scanner twin;
    scanner other(scan_options{.fingerprints = true, .seed = process_hash_seed() + 1});
    const std::uint64_t here = scanner_.scan(frame)->fields.edit_fingerprint;
    EXPECT_EQ(twin.scan(frame)->fields.edit_fingerprint, here);
    EXPECT_NE(other.scan(frame)->fields.edit_fingerprint, here);
}

TEST_F(Fingerprint, TextsOfEachLengthAndEachByteDiffer) {
    const value_hasher hasher(7);
    std::string text(70, 'x');
    for (std::size_t n = 0; n < text.size(); ++n) {
        const std::uint64_t h = hasher.text(std::string_view(text).substr(0, n));
        EXPECT_NE(h, hasher.text(std::string_view(text).substr(0, n + 1)));
        if (n == 0) continue;
        for (std::size_t i = 0; i < n; ++i) {
            std::string near = text.substr(0, n);
            near[i] = 'y';
            EXPECT_NE(hasher.text(near), h) << n << ' ' << i;
        }
    }
    EXPECT_NE(hasher.text(std::string("\0", 1)), hasher.text(std::string("\0\0", 2)));
}

}  // namespace
}  // namespace shardgate
