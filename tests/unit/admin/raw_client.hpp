// SPDX-License-Identifier: Apache-2.0
// A blocking client of plain bytes for the server tests, run beside the loop on a thread of its
// own. Every wait ends after ten seconds.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace shardgate::test {

class raw_client {
public:
    // `address` as admin_server::address() gives it.
    explicit raw_client(const std::string& address) {
        const bool local = address.starts_with("unix:");
        socket_ = ::socket(local ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (local)
            connect_unix(address.substr(5));
        else
            connect_tcp(address);
    }
    ~raw_client() { close(); }
    raw_client(const raw_client&) = delete;
    raw_client& operator=(const raw_client&) = delete;
    raw_client(raw_client&& other) noexcept : socket_(other.socket_) { other.socket_ = -1; }

    void close() {
        if (socket_ >= 0) ::close(socket_);
        socket_ = -1;
    }
    // Closes with a reset, as a client that crashes does.
    void abort() {
        const linger now{1, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
        close();
    }
    void shutdown_write() const { ::shutdown(socket_, SHUT_WR); }

    // False when the peer is gone.
    bool send(std::string_view bytes) const {
        while (!bytes.empty()) {
            if (!wait(POLLOUT)) return false;
            const ssize_t n =
                ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
            if (n < 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(n));
        }
        return true;
    }

    // What comes until the peer closes (or the ten seconds are over, which fails the test).
    [[nodiscard]] std::string read_to_end() {
        std::string out;
        while (read_more(out)) {
        }
        return out;
    }
    // Whatever is there, behind what was kept; false at the end.
    bool read_some(std::string& out) {
        out += std::exchange(kept_, {});
        return read_more(out);
    }
    // One answer, by its Content-Length.
    [[nodiscard]] std::string read_answer() {
        std::size_t end = std::string::npos;
        while ((end = kept_.find("\r\n\r\n")) == std::string::npos)
            if (!read_more(kept_)) return std::exchange(kept_, {});
        constexpr std::string_view key = "Content-Length: ";
        const std::size_t at = kept_.find(key);
        const std::size_t length =
            at < end ? std::stoul(kept_.substr(at + key.size(), 20)) : std::size_t{0};
        const std::size_t whole = end + 4 + length;
        while (kept_.size() < whole)
            if (!read_more(kept_)) break;
        std::string out = kept_.substr(0, whole);
        kept_.erase(0, whole);
        return out;
    }
    [[nodiscard]] int descriptor() const { return socket_; }

private:
    void connect_tcp(const std::string& address) {
        sockaddr_in name{};
        name.sin_family = AF_INET;
        name.sin_port =
            htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
        name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&name), sizeof(name)), 0)
            << std::strerror(errno);
    }
    void connect_unix(const std::string& path) {
        sockaddr_un name{};
        name.sun_family = AF_UNIX;
        std::memcpy(name.sun_path, path.data(), path.size());
        EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&name), sizeof(name)), 0)
            << std::strerror(errno);
    }
    [[nodiscard]] bool wait(short what) const {
        pollfd p{socket_, what, 0};
        const bool ready = ::poll(&p, 1, 10000) == 1;
        EXPECT_TRUE(ready) << "nothing for ten seconds";
        return ready;
    }
    bool read_more(std::string& out) const {
        if (!wait(POLLIN)) return false;
        std::array<char, 65536> text{};
        const ssize_t n = ::recv(socket_, text.data(), text.size(), 0);
        if (n <= 0) return false;
        out.append(text.data(), static_cast<std::size_t>(n));
        return true;
    }

    int socket_ = -1;
    std::string kept_;
};

}  // namespace shardgate::test
