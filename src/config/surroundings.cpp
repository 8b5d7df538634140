// SPDX-License-Identifier: Apache-2.0
// The real environment and file system.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <boost/system/system_category.hpp>
#include <cerrno>
#include <cstdlib>
#include <string>

#include "shardgate/config/load.hpp"

namespace shardgate::config {
namespace {

constexpr std::size_t max_file = 1U << 20;
constexpr int pipe_patience_ms = 2000;

class descriptor {
public:
    explicit descriptor(int fd) noexcept : fd_(fd) {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int number() const noexcept { return fd_; }

private:
    int fd_;
};

failure last_error() {
    const error_code code(errno, boost::system::system_category());
    return failure(code, code.message());
}

// Waits for a pipe's writer; a pipe that stays silent must not hold the start for ever.
bool wait_readable(int fd) {
    pollfd waiting{fd, POLLIN, 0};
    return ::poll(&waiting, 1, pipe_patience_ms) > 0;
}

result<std::string> read_bounded(const std::string& path) {
    const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.number() < 0) return last_error();
    std::string content;
    for (;;) {
        char buffer[16384];
        const ssize_t got = ::read(file.number(), buffer, sizeof buffer);
        if (got == 0) return result<std::string>(boost::system::in_place_value, std::move(content));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN && wait_readable(file.number())) continue;
        if (got < 0) return last_error();
        content.append(buffer, static_cast<std::size_t>(got));
        if (content.size() > max_file) return failure("larger than 1 MiB");
    }
}

std::optional<std::string> variable(std::string_view name) {
    const char* const value = std::getenv(std::string(name).c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
}

}  // namespace

surroundings surroundings::real() {
    surroundings around;
    around.environment = variable;
    around.read_file = read_bounded;
    return around;
}

}  // namespace shardgate::config
