// SPDX-License-Identifier: Apache-2.0
// The notification socket, with a manager that the test plays.
#include "shardgate/runtime/notify.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>

namespace shardgate {
namespace {

class manager {
public:
    explicit manager(const std::string& name) : fd_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
        sockaddr_un at{};
        at.sun_family = AF_UNIX;
        std::memcpy(at.sun_path, name.data(), name.size());
        const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
        bound_ = ::bind(fd_, reinterpret_cast<const sockaddr*>(&at), length) == 0;
    }
    ~manager() { ::close(fd_); }
    manager(const manager&) = delete;
    manager& operator=(const manager&) = delete;

    [[nodiscard]] bool bound() const { return bound_; }
    std::string take() {
        std::array<char, 512> text{};
        const auto n = ::recv(fd_, text.data(), text.size(), MSG_DONTWAIT);
        return n < 0 ? "(nothing)" : std::string(text.data(), static_cast<std::size_t>(n));
    }

private:
    int fd_;
    bool bound_ = false;
};

environment_lookup given(std::map<std::string, std::string, std::less<>> all) {
    return [all = std::move(all)](std::string_view name) -> std::optional<std::string> {
        const auto it = all.find(name);
        return it == all.end() ? std::nullopt : std::optional(it->second);
    };
}

TEST(Notify, ReachesASocketByItsPath) {
    const auto path = std::filesystem::temp_directory_path() /
                      ("sg-notify-" + std::to_string(::getpid()) + ".sock");
    std::filesystem::remove(path);
    {
        manager m(path.string());
        ASSERT_TRUE(m.bound());
        const auto n = service_notifier::from(given({{"NOTIFY_SOCKET", path.string()}}));
        EXPECT_TRUE(n.active());
        EXPECT_TRUE(n.send("READY=1"));
        EXPECT_EQ(m.take(), "READY=1");
    }
    const service_notifier n(path.string());
    EXPECT_FALSE(n.send("READY=1"));  // the manager is gone: no harm
    std::filesystem::remove(path);
}

TEST(Notify, ReachesAnAbstractSocket) {
    const std::string name = "sg-notify-test-" + std::to_string(::getpid());
    manager m(std::string(1, '\0') + name);
    ASSERT_TRUE(m.bound());
    service_notifier first("@" + name);
    const service_notifier n(std::move(first));
    EXPECT_TRUE(n.send("WATCHDOG=1"));
    EXPECT_EQ(m.take(), "WATCHDOG=1");
}

TEST(Notify, WithoutASocketItDoesNothing) {
    EXPECT_FALSE(service_notifier::from(given({})).active());
    for (const std::string& address :
         {std::string(), std::string("@"), std::string("/"), std::string("vsock:2:1"),
          std::string("relative"), "/" + std::string(200, 'x')}) {
        const service_notifier n(address);
        EXPECT_FALSE(n.active()) << address;
        EXPECT_FALSE(n.send("READY=1"));
    }
}

TEST(Notify, TheWatchdogIsOursOnlyWithOurPid) {
    using namespace std::chrono_literals;
    EXPECT_EQ(watchdog_interval(given({}), 7), std::nullopt);
    EXPECT_EQ(watchdog_interval(given({{"WATCHDOG_USEC", "30000000"}}), 7), duration(30s));
    EXPECT_EQ(watchdog_interval(given({{"WATCHDOG_USEC", "1"}, {"WATCHDOG_PID", "7"}}), 7),
              duration(1ms));
    EXPECT_EQ(watchdog_interval(given({{"WATCHDOG_USEC", "1000"}, {"WATCHDOG_PID", "8"}}), 7),
              std::nullopt);
    for (const char* wrong : {"", "-1", "0", "x", "5s", "99999999999999999999999"})
        EXPECT_EQ(watchdog_interval(given({{"WATCHDOG_USEC", wrong}}), 7), std::nullopt) << wrong;
}

TEST(Notify, AStatusIsOneLine) {
    EXPECT_EQ(status_line("a\nREADY=1\r"), "STATUS=a READY=1 ");
    EXPECT_TRUE(reloading_lines().starts_with("RELOADING=1\nMONOTONIC_USEC="));
}

}  // namespace
}  // namespace shardgate
