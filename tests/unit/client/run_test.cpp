// SPDX-License-Identifier: Apache-2.0
// The whole client against a real admin server, and against peers that are none.
#include "shardgate/client/run.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <utility>

#include "client/exchange.hpp"
#include "shardgate/admin/server.hpp"
#include "shardgate/base/log.hpp"
#include "unit/admin/fake_view.hpp"

namespace shardgate::client {
namespace {

using config::command;
using std::chrono::milliseconds;
namespace asio = boost::asio;

class AdminClient : public testing::Test {
protected:
    void SetUp() override {
        log::capture([](log::level, std::string_view) {});
    }
    void TearDown() override {
        if (server_) {
            std::promise<void> stopped;
            asio::post(io_, [&] {
                server_->stop();
                stopped.set_value();
            });
            stopped.get_future().wait();
        }
        guard_.reset();
        if (thread_.joinable()) thread_.join();
        log::capture({});
    }

    void serve(const std::string& listen, const std::string& token = {}) {
        config::admin settings;
        settings.listen = listen;
        settings.token = secret(token);
        auto opened = admin_server::listen(io_.get_executor(), settings, view_);
        ASSERT_TRUE(opened) << opened.error().detail;
        server_ = std::move(*opened);
        const std::string where = server_->address();
        variables_["SHARDGATE_ADMIN_URL"] = where.starts_with("unix:") ? where : "http://" + where;
        thread_ = std::thread([this] { io_.run(); });
    }

    int run(command what, config::admin_options options = {}) {
        config::command_line line;
        line.what = what;
        line.admin = std::move(options);
        config::surroundings around;
        around.environment = [this](std::string_view name) -> std::optional<std::string> {
            const auto at = variables_.find(std::string(name));
            if (at == variables_.end()) return std::nullopt;
            return at->second;
        };
        around.read_file = [this](const std::string& path) -> result<std::string> {
            const auto at = files_.find(path);
            if (at == files_.end()) return failure("No such file or directory");
            return result<std::string>(boost::system::in_place_value, at->second);
        };
        std::istringstream in;
        std::ostringstream out, err;
        const int code = run_admin_call(line, around, {in, out, err, false});
        out_ = out.str();
        err_ = err.str();
        return code;
    }
    static config::admin_options with_token(std::string file) {
        config::admin_options o;
        o.token_file = std::move(file);
        return o;
    }

    test::fake_view view_;
    std::map<std::string, std::string> variables_, files_;
    std::string out_, err_;

private:
    asio::io_context io_{1};
    asio::executor_work_guard<asio::io_context::executor_type> guard_{io_.get_executor()};
    std::unique_ptr<admin_server> server_;
    std::thread thread_;
};

TEST_F(AdminClient, ShowsAndChangesOverTcp) {
    serve("127.0.0.1:0");

    EXPECT_EQ(run(command::status), 0) << err_;
    EXPECT_NE(out_.find("shardgate 1.2.3"), std::string::npos);
    EXPECT_NE(out_.find("resuming"), std::string::npos);
    EXPECT_EQ(run(command::queue), 0) << err_;
    EXPECT_NE(out_.find("handler_down 5"), std::string::npos);
    config::admin_options payload;
    payload.payload = true;
    EXPECT_EQ(run(command::list_dead_letters, payload), 0) << err_;
    EXPECT_NE(out_.find("s1-7"), std::string::npos);
    EXPECT_NE(out_.find("\"op\":0"), std::string::npos);
    config::admin_options one;
    one.keys = {"s1-9"};
    EXPECT_EQ(run(command::retry_dead_letters, one), 0) << err_;
    config::admin_options all;
    all.yes = true;
    EXPECT_EQ(run(command::delete_dead_letters, all), 0) << err_;
    EXPECT_EQ(out_, "1 deleted\n");
    EXPECT_EQ(view_.changes, (std::vector<std::string>{"retry s1-9", "delete"}));
    EXPECT_EQ(run(command::list_dead_letters), 0);
    EXPECT_EQ(out_, "no dead letters\n");
}

TEST_F(AdminClient, TakesAUnixSocketToo) {
    const std::string path = testing::TempDir() + "client-" + std::to_string(::getpid()) + ".sock";
    serve("unix:" + path);
    EXPECT_EQ(run(command::queue), 0) << err_;
    EXPECT_EQ(run(command::retry_dead_letters), 0) << err_;
    EXPECT_EQ(out_, "2 retried\n");
}

TEST_F(AdminClient, TheTokenComesFromItsFileAndIsNeverSaid) {
    serve("127.0.0.1:0", "right");
    files_ = {{"/right", "right\n"},
              {"/wrong", "hunter2\r\n"},
              {"/bad", "hunter2 hunter2"},
              {"/empty", "\n"}};

    EXPECT_EQ(run(command::queue, with_token("/right")), 0) << err_;
    EXPECT_EQ(run(command::queue), 69);
    EXPECT_NE(err_.find("401"), std::string::npos);
    EXPECT_EQ(run(command::queue, with_token("/wrong")), 69);
    EXPECT_EQ(err_.find("hunter2"), std::string::npos);
    for (const char* const unusable : {"/bad", "/empty", "/missing"}) {
        EXPECT_EQ(run(command::queue, with_token(unusable)), 64);
        EXPECT_NE(err_.find(unusable), std::string::npos);
        EXPECT_EQ(err_.find("hunter2"), std::string::npos);
    }
}

TEST_F(AdminClient, AnAddressThatIsNoneIsWrongUsage) {
    variables_["SHARDGATE_ADMIN_URL"] = "nowhere";
    EXPECT_EQ(run(command::queue), 64);
    EXPECT_NE(err_.find("allowed: http://HOST:PORT"), std::string::npos);
}

TEST_F(AdminClient, NobodyThereIs69AndNamesTheAddress) {
    const std::string path = testing::TempDir() + "nobody-" + std::to_string(::getpid());
    config::admin_options o;
    o.url = "unix:" + path;
    EXPECT_EQ(run(command::queue, o), 69);
    EXPECT_NE(err_.find(path + ": No such file"), std::string::npos) << err_;

    asio::io_context io;
    asio::ip::tcp::acceptor held(io, {asio::ip::address_v4::loopback(), 0});
    const auto port = held.local_endpoint().port();
    held.close();
    o.url = "http://127.0.0.1:" + std::to_string(port);
    EXPECT_EQ(run(command::queue, o), 69);
    EXPECT_NE(err_.find(o.url), std::string::npos) << err_;
    EXPECT_NE(err_.find("admin.listen"), std::string::npos) << err_;
}

// A peer that says `bytes` to whoever connects, and then closes or stays.
class Exchange : public testing::Test {
protected:
    result<admin_answer> ask(const std::string& bytes, bool closes,
                             duration patience = std::chrono::seconds(10)) {
        asio::io_context io;
        asio::ip::tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
        const auto to =
            parse_endpoint("http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()));
        std::thread peer([&] {
            asio::ip::tcp::socket s(io);
            acceptor.accept(s);
            error_code ignored;
            asio::write(s, asio::buffer(bytes), ignored);
            if (closes) s.shutdown(asio::socket_base::shutdown_send, ignored);
            std::array<char, 4096> rest{};  // until the client goes
            while (!ignored)
                s.read_some(asio::buffer(rest), ignored);
        });
        auto answer = exchange(*to, secret(), {"GET", "/", "", patience});
        peer.join();
        return answer;
    }
};

TEST_F(Exchange, ReadsEveryFramingOfABody) {
    for (const char* const text :
         {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
          "HTTP/1.0 200 OK\r\n\r\n{}"}) {
        const auto answer = ask(text, true);
        ASSERT_TRUE(answer) << answer.error().detail << " after " << text;
        EXPECT_EQ(answer->status, 200U);
        EXPECT_EQ(answer->body, "{}");
    }
}

TEST_F(Exchange, ReadsALongBody) {
    const std::string body(5U << 20, 'x');
    const auto answer =
        ask("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body,
            false);
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->body, body);
}

TEST_F(Exchange, NonsenseIsRefused) {
    for (const std::string& text :
         {std::string("SSH-2.0-x\r\n"), std::string("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
          "HTTP/1.1 200 OK\r\nX: " + std::string(100000, 'x'),
          std::string("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")}) {
        const auto answer = ask(text, true);
        ASSERT_FALSE(answer) << text.substr(0, 80);
        EXPECT_FALSE(answer.error().detail.empty());
    }
}

TEST_F(Exchange, HalfAnAnswerIsNone) {
    for (const char* const text :
         {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}"}) {
        const auto answer = ask(text, true);
        ASSERT_FALSE(answer);
        EXPECT_NE(answer.error().detail.find("before the answer was whole"), std::string::npos);
    }
}

TEST_F(Exchange, AnAnswerThatDoesNotComeEndsAtTheDeadline) {
    const auto begun = clock::now();
    const auto answer = ask("HTTP/1.1 200 OK\r\n", false, milliseconds(50));
    ASSERT_FALSE(answer);
    EXPECT_NE(answer.error().detail.find("in time"), std::string::npos);
    EXPECT_LT(clock::now() - begun, std::chrono::seconds(5));
}

}  // namespace
}  // namespace shardgate::client
