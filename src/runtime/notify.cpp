// SPDX-License-Identifier: Apache-2.0
#include "shardgate/runtime/notify.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <utility>

namespace shardgate {

namespace {

std::optional<std::int64_t> number(const std::optional<std::string>& text) {
    if (!text) return std::nullopt;
    std::int64_t n = 0;
    const char* const end = text->data() + text->size();
    const auto read = std::from_chars(text->data(), end, n);
    if (read.ec != std::errc{} || read.ptr != end || n <= 0) return std::nullopt;
    return n;
}

bool is_usable(const std::string& address) {
    return address.size() > 1 && address.size() < sizeof(sockaddr_un::sun_path) &&
           (address.front() == '/' || address.front() == '@');
}

}  // namespace

service_notifier::service_notifier(const std::string& address) {
    if (!is_usable(address)) return;
    address_ = address;
    if (address_.front() == '@') address_.front() = '\0';
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

service_notifier service_notifier::from(const environment_lookup& environment) {
    return service_notifier(environment("NOTIFY_SOCKET").value_or(std::string()));
}

service_notifier::service_notifier(service_notifier&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), address_(std::move(other.address_)) {}

service_notifier::~service_notifier() {
    if (socket_ >= 0) ::close(socket_);
}

bool service_notifier::send(std::string_view lines) const noexcept {
    if (socket_ < 0) return false;
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, address_.data(), address_.size());
    // An abstract name ends where the length says; a path's NUL may be counted or not.
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
    const auto sent = ::sendto(socket_, lines.data(), lines.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                               reinterpret_cast<const sockaddr*>(&to), length);
    return sent >= 0 && static_cast<std::size_t>(sent) == lines.size();
}

std::optional<duration> watchdog_interval(const environment_lookup& environment,
                                          std::int64_t our_pid) {
    const auto wanted = number(environment("WATCHDOG_USEC"));
    if (!wanted) return std::nullopt;
    if (const auto whose = environment("WATCHDOG_PID"); whose && number(whose) != our_pid)
        return std::nullopt;
    constexpr std::int64_t a_day = 86'400'000'000;
    return std::chrono::microseconds(std::clamp<std::int64_t>(*wanted, 1000, a_day));
}

std::string status_line(std::string_view text) {
    std::string line = "STATUS=" + std::string(text);
    std::replace_if(
        line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    return line;
}

std::string reloading_lines() {
    timespec now{};
    (void)::clock_gettime(CLOCK_MONOTONIC, &now);
    const auto us = static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
    return "RELOADING=1\nMONOTONIC_USEC=" + std::to_string(us);
}

}  // namespace shardgate
