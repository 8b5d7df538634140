// SPDX-License-Identifier: Apache-2.0
// The bytes of a request: every envelope, batches, headers, signature; byte for byte.
#include "sink/request_writer.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <regex>
#include <string>

#include "sample_events.hpp"

namespace shardgate::sink {
namespace {

using testing::sample_event;
using testing::sample_request;
const wall_ms wall = wall_ms(std::chrono::milliseconds(1700000000123));

struct parts {
    std::string head, body;

    [[nodiscard]] std::string header(const std::string& name) const {
        const auto at = head.find("\r\n" + name + ": ");
        if (at == std::string::npos) return "(none)";
        const auto from = at + name.size() + 4;
        return head.substr(from, head.find("\r\n", from) - from);
    }
};

parts render(const config::handler& handler, const delivery_request& request,
             const std::string& url = "http://bot:8080/events?x=1") {
    request_writer writer(handler, 1);
    rendered_requests rendered;
    const std::string constant = writer.constant_head(*parse_endpoint(url));
    writer.render(request, constant, wall, rendered);
    std::vector<std::string_view> pieces;
    rendered.pieces(pieces);
    std::string all;
    for (const auto piece : pieces)
        all += piece;
    EXPECT_EQ(all.size(), rendered.size());
    const auto end = all.find("\r\n\r\n");
    parts out{all.substr(0, end + 2), all.substr(end + 4)};
    EXPECT_EQ(out.header("Content-Length"), std::to_string(out.body.size()));
    return out;
}

constexpr auto frame = R"({"t":"MESSAGE_CREATE","s":41,"op":0,"d":{"a":1}})";

TEST(RequestWriter, TheHeadIsWhatTheInterfaceSays) {
    config::handler handler;
    handler.authorization = secret("s3cret");
    const auto p = render(handler, sample_request(1, sample_event(41)));

    const std::string trace = p.header("traceparent");
    EXPECT_EQ(p.head,
              "POST /events?x=1 HTTP/1.1\r\n"
              "Host: bot:8080\r\n"
              "User-Agent: shardgate\r\n"
              "Content-Type: application/json\r\n"
              "Authorization: s3cret\r\n"
              "Content-Length: " +
                  std::to_string(p.body.size()) +
                  "\r\n"
                  "Idempotency-Key: abc-41\r\n"
                  "X-Shardgate-Event: MESSAGE_CREATE\r\n"
                  "X-Shardgate-Shard: 3/16\r\n"
                  "X-Shardgate-Attempt: 1\r\n"
                  "traceparent: " +
                  trace + "\r\n");
    EXPECT_TRUE(std::regex_match(trace, std::regex("00-[0-9a-f]{32}-[0-9a-f]{16}-01"))) << trace;
}

TEST(RequestWriter, EveryEnvelopeByteForByte) {
    config::handler handler;
    const auto body = [&handler](config::envelope_mode mode) {
        handler.envelope = mode;
        return render(handler, sample_request(1, sample_event(41))).body;
    };
    const std::string f = frame;
    EXPECT_EQ(body(config::envelope_mode::data), R"({"shardId":3,"data":)" + f + "}");
    EXPECT_EQ(body(config::envelope_mode::payload), R"({"shardId":3,"payload":)" + f + "}");
    EXPECT_EQ(body(config::envelope_mode::message), R"({"shardId":3,"message":)" + f + "}");
    EXPECT_EQ(body(config::envelope_mode::raw), f);
}

TEST(RequestWriter, ALongFrameIsNotCopied) {
    request_writer writer(config::handler{}, 1);
    rendered_requests rendered;
    const auto event = sample_event(41, "MESSAGE_CREATE", '"' + std::string(5000, 'x') + '"');
    const auto request = sample_request(1, event);
    writer.render(request, "", wall, rendered);
    std::vector<std::string_view> pieces;
    rendered.pieces(pieces);
    ASSERT_EQ(pieces.size(), 3U);
    EXPECT_EQ(pieces[1].data(), event->frame().data());
    EXPECT_EQ(rendered.cuts(), 1U);
}

TEST(RequestWriter, RequestsOfOneWriteAreOneText) {
    const auto long_one = sample_event(3, "GUILD_CREATE", '"' + std::string(5000, 'x') + '"');
    const std::vector<delivery_request> requests = {
        sample_request(1, sample_event(1)), sample_request(2, sample_event(2)),
        sample_request(3, long_one), sample_request(4, sample_event(4))};
    const auto text_of = [](const rendered_requests& rendered) {
        std::vector<std::string_view> pieces;
        rendered.pieces(pieces);
        std::string all;
        for (const auto piece : pieces)
            all += piece;
        return all;
    };
    request_writer together(config::handler{}, 1), apart(config::handler{}, 1);
    rendered_requests all;
    std::string expected;
    for (const auto& r : requests) {
        together.render(r, "POST / HTTP/1.1\r\n", wall, all);
        rendered_requests one;
        apart.render(r, "POST / HTTP/1.1\r\n", wall, one);
        expected += text_of(one);
    }
    EXPECT_EQ(text_of(all), expected);
    EXPECT_EQ(all.size(), expected.size());
    EXPECT_EQ(all.cuts(), 1U);
    all.clear();
    EXPECT_TRUE(all.empty());
    EXPECT_EQ(text_of(all), "");
}

TEST(RequestWriter, MarksAndAttemptsHaveTheirHeaders) {
    auto request =
        sample_request(1, sample_event(41, "GUILD_CREATE", "{}", "abc", guild_mark::loaded));
    request.items[0].attempt = 7;
    request.items[0].answered = interaction_answer::deferred;
    const auto p = render({}, request);
    EXPECT_EQ(p.header("X-Shardgate-Guild"), "loaded");
    EXPECT_EQ(p.header("X-Shardgate-Attempt"), "7");
    EXPECT_EQ(p.header("X-Shardgate-Interaction"), "deferred");
    EXPECT_EQ(p.header("Authorization"), "(none)");
}

TEST(RequestWriter, ABatchIsAnArrayWithAMetaForEachEvent) {
    config::handler handler;
    handler.batch_events = 10;
    auto request = sample_request(1, sample_event(41));
    delivery_item second;
    second.event = sample_event(42, "GUILD_CREATE", "{}", "abc", guild_mark::joined);
    second.attempt = 2;
    second.answered = interaction_answer::acknowledged;
    request.items.push_back(second);

    const auto p = render(handler, request);
    EXPECT_EQ(p.body,
              R"([{"shardId":3,"data":)" + std::string(frame) +
                  R"(,"meta":{"key":"abc-41","attempt":1,"guild":null,"interaction":null}},)"
                  R"({"shardId":3,"data":{"t":"GUILD_CREATE","s":42,"op":0,"d":{}},)"
                  R"("meta":{"key":"abc-42","attempt":2,"guild":"joined",)"
                  R"("interaction":"acknowledged"}}])");
    EXPECT_EQ(p.header("X-Shardgate-Shard"), "3/16");
    EXPECT_EQ(p.header("Idempotency-Key"), "(none)");

    handler.envelope = config::envelope_mode::raw;
    const auto raw = render(handler, sample_request(1, sample_event(41)));
    EXPECT_EQ(raw.body, R"([{"meta":{"key":"abc-41","attempt":1,"guild":null,"interaction":null},)"
                        R"("t":"MESSAGE_CREATE","s":41,"op":0,"d":{"a":1}}])")
        << "one event is a batch too when batches are configured";
}

std::string hmac(const std::string& key, const std::string& text) {
    unsigned char digest[32];
    unsigned size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &size);
    std::string out;
    for (const unsigned char c : digest) {
        char hex[3];
        std::snprintf(hex, sizeof hex, "%02x", c);
        out += hex;
    }
    return out;
}

TEST(RequestWriter, EveryKeySignsTimestampAndBody) {
    config::handler handler;
    handler.signing_keys.emplace_back("one");
    handler.signing_keys.emplace_back("two");
    request_writer writer(handler, 1);
    rendered_requests rendered;
    for (const std::uint64_t seq : {41, 42}) {  // the contexts are used again
        writer.render(sample_request(1, sample_event(seq)), "", wall, rendered);
        (void)rendered;
        const auto p = render(handler, sample_request(1, sample_event(seq)));
        EXPECT_EQ(p.header("X-Shardgate-Timestamp"), "1700000000");
        const std::string text = "1700000000." + p.body;
        EXPECT_EQ(p.header("X-Shardgate-Signature"),
                  "v1=" + hmac("one", text) + ",v1=" + hmac("two", text));
    }
}

TEST(RequestWriter, ASignatureIsTheSameWhenTheWriterIsUsedAgain) {
    config::handler handler;
    handler.signing_keys.emplace_back("one");
    request_writer writer(handler, 1);
    const auto signature = [&writer] {
        rendered_requests rendered;
        const auto request = sample_request(1, sample_event(41));
        writer.render(request, "", wall, rendered);
        std::vector<std::string_view> pieces;
        rendered.pieces(pieces);
        const std::string head(pieces[0]);
        return head.substr(head.find("X-Shardgate-Signature"), 100);
    };
    const auto first = signature();
    EXPECT_EQ(first, signature());
}

TEST(RequestWriter, NothingFromOutsideGetsALineOfItsOwn) {
    const auto p =
        render({}, sample_request(1, sample_event(41, "X\r\nEvil: 1", "{}", "a\r\nEvil: 2\"\\")));
    EXPECT_EQ(p.head.find("\r\nEvil"), std::string::npos);
    EXPECT_EQ(p.header("X-Shardgate-Event"), "X%0d%0aEvil:%201");

    config::handler handler;
    handler.authorization = secret("a\r\nEvil: 3");
    EXPECT_EQ(render(handler, sample_request(1)).head.find("\r\nEvil"), std::string::npos);

    const auto endless = render({}, sample_request(1, sample_event(41, std::string(100000, 'N'))));
    EXPECT_LT(endless.head.size(), 1000U);
    EXPECT_TRUE(endless.header("X-Shardgate-Event").starts_with("sha256:"));
}

TEST(RequestWriter, UserInfoOfTheUrlBecomesBasicUnlessASecretIsSet) {
    const std::string url = "https://us%40er:pa%3ass@bot/";
    EXPECT_EQ(render({}, sample_request(1), url).header("Authorization"), "Basic dXNAZXI6cGE6c3M=");
    EXPECT_EQ(render({}, sample_request(1), url).header("Host"), "bot");
    config::handler handler;
    handler.authorization = secret("s");
    EXPECT_EQ(render(handler, sample_request(1), url).header("Authorization"), "s");
}

TEST(RequestWriter, EveryRequestHasATraceOfItsOwn) {
    request_writer writer(config::handler{}, 1);
    std::set<std::string> traces, spans;
    for (std::uint64_t i = 1; i <= 1000; ++i) {
        rendered_requests rendered;
        const auto request = sample_request(i);
        writer.render(request, "", wall, rendered);
        std::vector<std::string_view> pieces;
        rendered.pieces(pieces);
        const auto at = pieces[0].find("traceparent: 00-");
        traces.emplace(pieces[0].substr(at + 16, 32));
        spans.emplace(pieces[0].substr(at + 49, 16));
    }
    EXPECT_EQ(traces.size(), 1000U);
    EXPECT_EQ(spans.size(), 1000U);
}

}  // namespace
}  // namespace shardgate::sink
