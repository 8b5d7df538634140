// SPDX-License-Identifier: Apache-2.0
#include "admin/listener.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "fake_view.hpp"
#include "raw_client.hpp"
#include "shardgate/admin/server.hpp"

namespace shardgate::admin {
namespace {

class Listener : public testing::Test {
protected:
    void SetUp() override {
        std::string made = testing::TempDir() + "sgXXXXXX";
        ASSERT_NE(::mkdtemp(made.data()), nullptr);
        directory_ = made;
        path_ = made + "/admin.sock";
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    result<listener> open(const std::string& text) {
        return listener::open(io_.get_executor(), *parse_address(text));
    }
    result<listener> open_unix() { return open("unix:" + path_); }
    [[nodiscard]] bool exists() const { return std::filesystem::exists(path_); }
    result<std::unique_ptr<admin_server>> serve(const config::admin& settings) {
        return admin_server::listen(io_.get_executor(), settings, view_);
    }

    boost::asio::io_context io_;
    test::fake_view view_;
    std::filesystem::path directory_;
    std::string path_;
};

TEST_F(Listener, PortZeroBecomesARealPort) {
    const auto one = open("127.0.0.1:0");
    const auto other = open("localhost:0");

    ASSERT_TRUE(one.has_value() && other.has_value());
    EXPECT_EQ(one->text().rfind("127.0.0.1:", 0), 0U);
    EXPECT_EQ(other->text().rfind("127.0.0.1:", 0), 0U);
    EXPECT_NE(one->text(), other->text());
    EXPECT_NE(one->text(), "127.0.0.1:0");
}

TEST_F(Listener, APortInUseIsSaidWithItsAddress) {
    const auto one = open("127.0.0.1:0");
    const auto again = open(one->text());

    ASSERT_FALSE(again.has_value());
    EXPECT_NE(again.error().detail.find(one->text()), std::string::npos);
}

TEST_F(Listener, AUnixSocketIsForUserAndGroupAndGoesAway) {
    {
        const auto made = open_unix();
        ASSERT_TRUE(made.has_value()) << made.error().detail;
        struct stat found {};
        ASSERT_EQ(::stat(path_.c_str(), &found), 0);
        EXPECT_EQ(found.st_mode & 0777U, 0660U);
        EXPECT_EQ(made->text(), "unix:" + path_);
    }
    EXPECT_FALSE(exists());
}

TEST_F(Listener, AStaleSocketIsReplaced) {
    {
        // What a crash leaves behind: the name of a socket that nobody listens on.
        auto crashed = open_unix();
        ASSERT_TRUE(crashed.has_value());
        ASSERT_EQ(::link(path_.c_str(), (path_ + ".kept").c_str()), 0);
        crashed->close();
        ASSERT_EQ(::rename((path_ + ".kept").c_str(), path_.c_str()), 0);
    }
    ASSERT_TRUE(exists());
    EXPECT_TRUE(open_unix().has_value());
}

TEST_F(Listener, ASocketInUseIsLeftAlone) {
    const auto first = open_unix();
    const auto second = open_unix();

    ASSERT_FALSE(second.has_value());
    EXPECT_NE(second.error().detail.find("another process listens there"), std::string::npos);
    EXPECT_TRUE(exists());
}

TEST_F(Listener, AFileIsNeverRemoved) {
    std::ofstream(path_) << "precious";
    const auto refused = open_unix();

    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().detail.find(path_), std::string::npos);
    std::ifstream file(path_);
    std::string content;
    file >> content;
    EXPECT_EQ(content, "precious");
}

TEST_F(Listener, ASocketThatSomebodyElsePutThereStays) {
    auto first = open_unix();
    ASSERT_TRUE(first.has_value());
    ASSERT_EQ(::unlink(path_.c_str()), 0);
    const auto second = open_unix();
    ASSERT_TRUE(second.has_value());

    first->close();

    EXPECT_TRUE(exists());
}

TEST_F(Listener, ADirectoryThatIsNotThereIsSaid) {
    const auto refused = open("unix:" + directory_.string() + "/none/admin.sock");
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().detail.find("cannot listen on unix:"), std::string::npos);
}

TEST_F(Listener, AnOpenAddressWithoutATokenIsRefused) {
    config::admin settings;
    settings.listen = "0.0.0.0:0";
    const auto refused = serve(settings);
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().detail.find("admin.token_file"), std::string::npos);

    settings.token = secret("t");
    EXPECT_TRUE(serve(settings).has_value());
}

TEST_F(Listener, AnAddressThatCannotBeReadIsSaid) {
    config::admin settings;
    settings.listen = "nowhere";
    const auto refused = serve(settings);
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(refused.error().detail.find("nowhere"), std::string::npos);
}

TEST_F(Listener, TheServerAnswersOnAUnixSocketWhateverTheHost) {
    config::admin settings;
    settings.listen = "unix:" + path_;
    auto server = serve(settings);
    ASSERT_TRUE(server.has_value());
    EXPECT_EQ((*server)->address(), "unix:" + path_);
    const test::raw_client client((*server)->address());
    client.send("GET /v1/status HTTP/1.1\r\nHost: whatever\r\nConnection: close\r\n\r\n");
    client.shutdown_write();

    // Until the connection has ended; then stop, and the loop runs out of work.
    for (int i = 0; i < 1000 && view_.asked == 0; ++i)
        io_.run_one_for(std::chrono::seconds(1));
    EXPECT_EQ(view_.asked, 1);
    for (int i = 0; i < 10; ++i)
        io_.poll();
    (*server)->stop();
    io_.run_for(std::chrono::seconds(10));
    EXPECT_TRUE(io_.stopped());
    std::array<char, 64> head{};
    ASSERT_GT(::recv(client.descriptor(), head.data(), head.size() - 1, 0), 0);
    EXPECT_EQ(std::string(head.data()).rfind("HTTP/1.1 200 OK", 0), 0U);
    EXPECT_FALSE(exists());
}

}  // namespace
}  // namespace shardgate::admin
