// SPDX-License-Identifier: Apache-2.0
// URLs and addresses, hostile ones included.
#include <gtest/gtest.h>

#include "config/rules.hpp"
#include "shardgate/config/address.hpp"
#include "unit/config/fixture.hpp"

namespace shardgate::config::test {
namespace {

using rule = std::string (*)(std::string&);

std::string wrong(rule r, std::string text) {
    return r(text);
}

TEST(DiscordHosts, AreKnownByTheirDomain) {
    for (const char* host : {"discord.com", "DISCORD.com", "discord.com.", "canary.discord.com",
                             "discordapp.com", "a.b.discordapp.com", "gateway.discord.gg"})
        EXPECT_TRUE(is_discord_host(host)) << host;
    for (const char* host : {"", ".", "discord.co", "notdiscord.com", "discord.com.example.org",
                             "iscord.com", "discord.gg.", "x"})
        EXPECT_EQ(is_discord_host(host), std::string_view(host) == "discord.gg.") << host;
    EXPECT_TRUE(is_discord_url("https://discord.com:443/api"));
    EXPECT_TRUE(is_discord_url("wss://gateway.discord.gg"));
    EXPECT_FALSE(is_discord_url("discord.com"));
    EXPECT_FALSE(is_discord_url(std::string(5000, 'a')));
}

TEST(ApiUrl, IsHttpOrHttpsWithNothingExtra) {
    EXPECT_EQ(
        good("discord.api_url = \"https://proxy.example.org:8443/api/v10//\"").discord.api_url,
        "https://proxy.example.org:8443/api/v10");
    EXPECT_EQ(good("discord.api_url = \"HTTP://[::1]:8080\"").discord.api_url, "HTTP://[::1]:8080");
    EXPECT_EQ(wrong(api_url_rule, ""), "is not a URL");
    EXPECT_EQ(wrong(api_url_rule, "discord.com"), "is not a URL");
    EXPECT_EQ(wrong(api_url_rule, "https:///api"), "has no host");
    EXPECT_EQ(wrong(api_url_rule, "https:/api"), "has no host");
    EXPECT_EQ(wrong(api_url_rule, "ftp://x/"), "has the scheme \"ftp\"");
    EXPECT_EQ(wrong(api_url_rule, "https://x/?a=1"), "has a query (?)");
    EXPECT_EQ(wrong(api_url_rule, "https://x/#a"), "has a fragment (#)");
    EXPECT_EQ(wrong(api_url_rule, "https://x:0/"), "has a wrong port");
    EXPECT_EQ(wrong(api_url_rule, "https://x:70000/"), "has a wrong port");
    EXPECT_EQ(wrong(api_url_rule, "https://a%20b/"), "has a host that is no host name");
    EXPECT_EQ(wrong(api_url_rule, "https://x/" + std::string(3000, 'a')),
              "is longer than 2048 bytes");
    for (const char* text : {"https://x y/", "https://x/\n", "https://x/\x01"})
        EXPECT_EQ(wrong(api_url_rule, text), "is not a URL");
}

TEST(ApiUrl, NeverCarriesATokenToDiscordUnencrypted) {
    for (const char* url : {"http://discord.com/api/v10", "HTTP://canary.DISCORD.com/api",
                            "http://discord.com./api", "http://discordapp.com:8080/api"})
        EXPECT_EQ(wrong(api_url_rule, url), "would send the token to Discord unencrypted") << url;
}

TEST(ApiUrl, IsNotRepeatedWhenItHoldsAPassword) {
    const problem p = bad("discord.api_url = \"https://user:hunter2@proxy/\"");
    EXPECT_HAS(p.what, "has a user name or password in it");
    EXPECT_HAS_NOT(p.text(), "hunter2");
}

TEST(GatewayUrl, IsWssOrEmpty) {
    EXPECT_EQ(wrong(gateway_url_rule, ""), "");
    EXPECT_EQ(wrong(gateway_url_rule, "wss://localhost:1234/"), "");
    EXPECT_EQ(wrong(gateway_url_rule, "ws://localhost"), "has the scheme \"ws\"");
    EXPECT_EQ(wrong(gateway_url_rule, "wss://localhost/?v=9"), "has a query (?)");
}

TEST(HandlerUrl, IsHttpHttpsOrASocket) {
    for (const char* url :
         {"http://127.0.0.1:8080/", "https://bot.example.org/events?a=b", "http://[::1]/",
          "unix:/run/bot.sock:/path", "unix:/run/bot.sock", "unix:/run/with:colon.sock:/a?b=c"})
        EXPECT_EQ(wrong(handler_url_rule, url), "") << url;
}

TEST(HandlerUrl, RefusesTheRest) {
    EXPECT_EQ(wrong(handler_url_rule, ""), "is empty");
    EXPECT_EQ(wrong(handler_url_rule, "unix:"), "has no absolute socket path");
    EXPECT_EQ(wrong(handler_url_rule, "unix:run/bot.sock:/x"), "has no absolute socket path");
    EXPECT_EQ(wrong(handler_url_rule, "unix:/" + std::string(107, 'a') + ":/x"),
              "has a socket path longer than 107 bytes");
    EXPECT_EQ(wrong(handler_url_rule, "unix:/" + std::string(106, 'a') + ":/x"), "");
    EXPECT_EQ(wrong(handler_url_rule, "unix:/a\nb:/x"), "has a control character");
    for (const char* url : {"unix:/a:/x y", "unix:/a:/x#y", "unix:/a:/x\r\nHost: evil"})
        EXPECT_EQ(wrong(handler_url_rule, url), "has a path that no HTTP request can carry") << url;
    EXPECT_EQ(wrong(handler_url_rule, "unix:/a:/" + std::string(3000, 'x')),
              "is longer than 2048 bytes");
    EXPECT_EQ(wrong(handler_url_rule, "http://u@h/"), "has a user name or password in it");
    EXPECT_EQ(wrong(handler_url_rule, "file:///etc/passwd"), "has the scheme \"file\"");
}

TEST(HandlerUrls, AreSomeAndDifferent) {
    EXPECT_HAS(bad("handler.urls = []").what, "is empty, allowed: a list of 1 to 64");
    EXPECT_HAS(bad("handler.urls = \"http://x/\"").what, "is text");
    EXPECT_HAS(bad("handler.urls = [\"http://x/\", \"http://x/\"]").what,
               "element 2 is there already");
    EXPECT_HAS(bad("handler.urls = [\"http://x/\", \"x\"]").what, "element 2 is not a URL");
    std::string many;
    for (int i = 0; i < 65; ++i)
        many += "\"http://x/" + std::to_string(i) + "\",";
    EXPECT_HAS(bad("handler.urls = [" + many + "]").what, "has 65 elements");
}

TEST(SupportUrl, IsForPeople) {
    EXPECT_EQ(wrong(support_url_rule, ""), "");
    EXPECT_EQ(wrong(support_url_rule, "https://discord.gg/x?y=z"), "");
    EXPECT_EQ(wrong(support_url_rule, "javascript:alert(1)"), "has the scheme \"javascript\"");
}

TEST(NatsUrl, IsNatsOrTls) {
    EXPECT_EQ(wrong(nats_url_rule, "nats://localhost:4222"), "");
    EXPECT_EQ(wrong(nats_url_rule, "tls://localhost:4222"), "");
    EXPECT_EQ(wrong(nats_url_rule, ""), "");
    EXPECT_NE(wrong(nats_url_rule, "http://localhost"), "");
}

TEST(Listen, IsHostAndPortOrASocket) {
    for (const char* text :
         {"", "127.0.0.1:7600", "[::1]:0", "a-b.example.org:65535", "unix:/run/x.sock"})
        EXPECT_EQ(wrong(listen_rule, text), "") << text;
    for (const char* text : {"7600", ":7600", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                             "127.0.0.1:-1", "127.0.0.1:7600x", "::1:7600", "[::1]", "[]:1",
                             "[x]:1", "a b:1", "http://x:1", "unix:", "unix:x"})
        EXPECT_NE(wrong(listen_rule, text), "") << text;
    EXPECT_NE(wrong(listen_rule, std::string(300, 'a') + ":1"), "");
}

}  // namespace
}  // namespace shardgate::config::test
