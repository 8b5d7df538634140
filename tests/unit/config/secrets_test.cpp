// SPDX-License-Identifier: Apache-2.0
// Where secrets come from, who wins, and that no part of one is ever shown.
#include <gtest/gtest.h>

#include "unit/config/fixture.hpp"

namespace shardgate::config::test {
namespace {

std::string token_of(const loaded& l) {
    EXPECT_TRUE(l.settings) << all_text(l);
    return l.settings ? l.settings->discord.token.reveal() : std::string();
}

world bare() {
    return {};
}

loaded load_in(const world& w, const std::string& text, const overrides& over = {}) {
    return w.load(intents_line + text, over);
}

TEST(Token, ComesFromTheFileItself) {
    EXPECT_EQ(token_of(load_in(bare(), "discord.token = \"abc.def\"")), "abc.def");
}

TEST(Token, ComesFromItsOwnFileWithoutTheLastLineBreak) {
    world w;
    w.files["/t"] = "abc.def\n";
    EXPECT_EQ(token_of(load_in(w, "discord.token_file = \"/t\"")), "abc.def");
    w.files["/t"] = "abc.def\r\n";
    EXPECT_EQ(token_of(load_in(w, "discord.token_file = \"/t\"")), "abc.def");
    w.files["/t"] = "abc.def";
    EXPECT_EQ(token_of(load_in(w, "discord.token_file = \"/t\"")), "abc.def");
}

TEST(Token, ComesFromTheEnvironment) {
    world w;
    w.variables["SHARDGATE_TOKEN"] = "abc.def\n";
    EXPECT_EQ(token_of(load_in(w, "")), "abc.def");
}

TEST(Token, ComesFromTheCredentialsDirectory) {
    world w;
    w.variables["CREDENTIALS_DIRECTORY"] = "/run/credentials/x";
    w.files["/run/credentials/x/discord-token"] = "abc.def\n";
    EXPECT_EQ(token_of(load_in(w, "")), "abc.def");
}

TEST(Token, PrecedenceIsCommandLineEnvironmentCredentialFile) {
    world w;
    w.files["/t"] = "from-file";
    const std::string text = "discord.token_file = \"/t\"";
    EXPECT_EQ(token_of(load_in(w, text)), "from-file");
    w.variables["CREDENTIALS_DIRECTORY"] = "/c";
    w.files["/c/discord-token"] = "from-credential";
    EXPECT_EQ(token_of(load_in(w, text)), "from-credential");
    w.variables["SHARDGATE_TOKEN"] = "from-environment";
    EXPECT_EQ(token_of(load_in(w, text)), "from-environment");
    const overrides over{{"discord.token", "\"from-command-line\""}};
    EXPECT_EQ(token_of(load_in(w, text, over)), "from-command-line");
    const overrides file_over{{"discord.token_file", "\"/t\""}};
    EXPECT_EQ(token_of(load_in(w, "discord.token = \"x\"", file_over)), "from-file");
}

TEST(Token, AFileThatDoesNotWinIsNotRead) {
    world w = with_token();
    EXPECT_EQ(token_of(load_in(w, "discord.token_file = \"/missing\"")), token);
}

TEST(Token, LosesItsBotPrefix) {
    EXPECT_EQ(token_of(load_in(bare(), "discord.token = \"Bot abc.def\"")), "abc.def");
}

TEST(Token, EmptyTextMeansNotGiven) {
    world w;
    w.variables["SHARDGATE_TOKEN"] = "";
    w.files["/t"] = "abc";
    EXPECT_EQ(token_of(load_in(w, "discord.token = \"\"\ndiscord.token_file = \"/t\"")), "abc");
    EXPECT_HAS(all_text(load_in(w, "discord.token = \"\"")), "discord.token: is missing");
}

TEST(Token, GivenTwiceIsAnErrorEvenWhereTheEnvironmentWins) {
    const std::string text = "discord.token = \"abc\"\ndiscord.token_file = \"/t\"";
    for (const world& w : {bare(), with_token()}) {
        const loaded l = load_in(w, text);
        EXPECT_EQ(all_text(l),
                  "bot.toml:2:17: discord.token: is given together with discord.token_file, "
                  "allowed: one of the two\n");
    }
}

TEST(Token, AnUnreadableFileIsNamed) {
    const loaded l = load_in(bare(), "discord.token_file = \"/etc/shardgate/token\"");
    EXPECT_EQ(all_text(l),
              "bot.toml:2:22: discord.token_file: cannot read \"/etc/shardgate/token\": "
              "No such file or directory\n");
}

TEST(Token, ARelativeFileIsRefused) {
    EXPECT_HAS(all_text(load_in(bare(), "discord.token_file = \"token\"")),
               "is not an absolute path, allowed: an absolute path");
}

TEST(Token, AnEmptyFileIsAnError) {
    world w;
    w.files["/t"] = "\n";
    EXPECT_EQ(all_text(load_in(w, "discord.token_file = \"/t\"")),
              "bot.toml:2:22: discord.token_file: is empty\n");
    w.files["/t"] = "Bot \n";
    EXPECT_HAS(all_text(load_in(w, "discord.token_file = \"/t\"")), "is empty");
}

TEST(Token, RefusesBlanksAndControlCharactersWithoutShowingThem) {
    world w;
    for (const char* given : {"SECRET one", "SECRET\ttwo", "SECRET\nthree\n", "SECRET\n\n",
                              "\"SECRET\"\x01", "SECRET\u00e9", " SECRET", "Bot  SECRET"}) {
        w.files["/t"] = given;
        const loaded l = load_in(w, "discord.token_file = \"/t\"");
        EXPECT_FALSE(l.settings) << given;
        EXPECT_EQ(l.problems.size(), 1U);
        EXPECT_HAS_NOT(all_text(l), "SECRET");
    }
}

TEST(Token, AWrongOneInTheEnvironmentNamesTheVariable) {
    world w;
    w.variables["SHARDGATE_TOKEN"] = "SECRET x";
    EXPECT_HAS(all_text(load_in(w, "")), "environment SHARDGATE_TOKEN: discord.token: has spaces");
}

TEST(Token, IsNeverShownByAWrongTypeOrASyntaxError) {
    for (const char* text :
         {"discord.token = 12345678901234567890123", "discord.token = [\"SECRET\"]",
          "discord.token = SECRET.part.two", "discord.token = \"SECRET",
          "discord.token = 'SECRET\n", "discord.token = 99SECRET99", "discord.token = 1234.SECRET",
          "discord.token = \"a\" SECRET", "discord.token = 0xSECRET",
          "discord.token = 1979-05-27SECRET", "discord.token = \"\\SECRET\""}) {
        const loaded l = load_in(bare(), text);
        EXPECT_FALSE(l.settings) << text;
        EXPECT_HAS_NOT(all_text(l), "SECRET");
        EXPECT_HAS_NOT(all_text(l), "34567");
    }
}

TEST(Token, ACredentialThatCannotBeReadIsAnErrorUnlessItIsNotThere) {
    world w = with_token();
    w.variables["CREDENTIALS_DIRECTORY"] = "/c";
    EXPECT_TRUE(load_in(w, "").settings);
    surroundings around = w.around();
    around.read_file = [](const std::string&) -> result<std::string> {
        return failure(boost::system::errc::make_error_code(boost::system::errc::permission_denied),
                       "Permission denied");
    };
    const loaded l = load_text(intents_line, "bot.toml", {}, around);
    EXPECT_HAS(all_text(l),
               "credential handler-secret: handler.secret: cannot read "
               "\"/c/handler-secret\": Permission denied");
    EXPECT_HAS(all_text(l), "credential admin-token: admin.token: cannot read");
}

TEST(OtherSecrets, ComeFromCredentialsToo) {
    world w = with_token();
    w.variables["CREDENTIALS_DIRECTORY"] = "/c";
    w.files["/c/handler-secret"] = "Bearer hhh\n";
    w.files["/c/admin-token"] = "aaa\n";
    const loaded l = load_in(w, "");
    ASSERT_TRUE(l.settings) << all_text(l);
    EXPECT_EQ(l.settings->handler.authorization.reveal(), "Bearer hhh");
    EXPECT_EQ(l.settings->admin.token.reveal(), "aaa");
}

TEST(OtherSecrets, EachHasAFileTwin) {
    world w = with_token();
    w.files["/a"] = "Proxy aaa\n";
    w.files["/h"] = "hhh\n";
    w.files["/d"] = "ddd\n";
    w.files["/m"] = "mmm\n";
    const loaded l = load_in(w,
                             "discord.api_authorization_file = \"/a\"\n"
                             "handler.secret_file = \"/h\"\n"
                             "admin.token_file = \"/d\"\nadmin.metrics_token_file = \"/m\"\n");
    ASSERT_TRUE(l.settings) << all_text(l);
    EXPECT_EQ(l.settings->discord.api_authorization.reveal(), "Proxy aaa");
    EXPECT_EQ(l.settings->handler.authorization.reveal(), "hhh");
    EXPECT_EQ(l.settings->admin.token.reveal(), "ddd");
    EXPECT_EQ(l.settings->admin.metrics_token.reveal(), "mmm");
}

TEST(OtherSecrets, MustFitIntoAHeader) {
    EXPECT_HAS(bad("handler.secret = \"a\\nX-Evil: 1\"").what, "has control characters");
    EXPECT_HAS(bad("handler.secret = \" a\"").what, "begins or ends with a space");
    EXPECT_HAS(bad("discord.api_authorization = \"a \"").what, "begins or ends with a space");
    EXPECT_HAS(bad("admin.token = \"a b\"").what, "has spaces");
    EXPECT_HAS(bad("admin.metrics_token = \"" + std::string(5000, 'a') + "\"").what, "is too long");
    EXPECT_HAS(bad("handler.secret = \"" + std::string(5000, 'a') + "\"").what, "is too long");
}

TEST(SigningKeys, AreOneALine) {
    world w = with_token();
    w.files["/k"] = "new key\r\n\nold-key\nlast";
    const loaded l = load_in(w, "handler.signing_key_file = \"/k\"");
    ASSERT_TRUE(l.settings) << all_text(l);
    const auto& keys = l.settings->handler.signing_keys;
    ASSERT_EQ(keys.size(), 3U);
    EXPECT_EQ(keys[0].reveal(), "new key");
    EXPECT_EQ(keys[1].reveal(), "old-key");
    EXPECT_EQ(keys[2].reveal(), "last");
}

TEST(SigningKeys, MustBeThereAndFew) {
    world w = with_token();
    w.files["/k"] = "\n\n";
    EXPECT_HAS(all_text(load_in(w, "handler.signing_key_file = \"/k\"")), "has 0 keys in its file");
    std::string many;
    for (int i = 0; i < 17; ++i)
        many += "key" + std::to_string(i) + '\n';
    w.files["/k"] = many;
    EXPECT_HAS(all_text(load_in(w, "handler.signing_key_file = \"/k\"")), "has 17 keys");
    EXPECT_HAS(all_text(load_in(w, "handler.signing_key_file = \"/x\"")), "cannot read \"/x\"");
}

TEST(SigningKeys, FileCanComeFromTheCommandLine) {
    world w = with_token();
    w.files["/k"] = "one";
    const loaded l = load_in(w, "handler.signing_key_file = \"/missing\"",
                             {{"handler.signing_key_file", "\"/k\""}});
    ASSERT_TRUE(l.settings) << all_text(l);
    EXPECT_EQ(l.settings->handler.signing_keys.size(), 1U);
}

}  // namespace
}  // namespace shardgate::config::test
