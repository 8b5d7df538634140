// SPDX-License-Identifier: Apache-2.0
// A non-blocking socket as an OpenSSL BIO.
#include "transport/socket_bio.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstddef>

namespace shardgate {
namespace {

constexpr long would_block = -1;
constexpr long failed = -2;

socket_port& port_of(BIO* bio) {
    return *static_cast<socket_port*>(::BIO_get_data(bio));
}

int bio_read(BIO* bio, char* into, int size) {
    BIO_clear_retry_flags(bio);
    if (into == nullptr || size <= 0) return 0;
    const long n = port_receive(port_of(bio), into, static_cast<std::size_t>(size));
    if (n == would_block) BIO_set_retry_read(bio);
    return n >= 0 ? static_cast<int>(n) : -1;
}

int bio_write(BIO* bio, const char* from, int size) {
    BIO_clear_retry_flags(bio);
    if (from == nullptr || size <= 0) return 0;
    const long n = port_send(port_of(bio), from, static_cast<std::size_t>(size));
    if (n == would_block) BIO_set_retry_write(bio);
    return n >= 0 ? static_cast<int>(n) : -1;
}

long bio_control(BIO* bio, int command, long, void*) {
    if (command == BIO_CTRL_FLUSH) return 1;  // nothing is held back
    if (command == BIO_CTRL_EOF) return port_of(bio).end_of_stream ? 1 : 0;
    return 0;
}

int bio_create(BIO* bio) {
    ::BIO_set_init(bio, 1);
    return 1;
}

BIO_METHOD* make_method() {
    BIO_METHOD* method =
        ::BIO_meth_new(::BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "shardgate socket");
    if (method == nullptr) return nullptr;
    ::BIO_meth_set_read(method, &bio_read);
    ::BIO_meth_set_write(method, &bio_write);
    ::BIO_meth_set_ctrl(method, &bio_control);
    ::BIO_meth_set_create(method, &bio_create);
    return method;
}

}  // namespace

long port_receive(socket_port& port, char* into, std::size_t size) noexcept {
    if (port.drained) return would_block;
    for (;;) {
        const ::ssize_t n = ::recv(port.fd, into, size, 0);
        if (n > 0) {
            // Less than asked for: the socket is empty, and asking again would only cost a call.
            port.drained = static_cast<std::size_t>(n) < size;
            return static_cast<long>(n);
        }
        if (n == 0) {
            port.end_of_stream = true;
            return 0;
        }
        if (errno == EINTR) continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            port.drained = true;
            return would_block;
        }
        port.failed_errno = errno;
        return failed;
    }
}

long port_send(socket_port& port, const char* from, std::size_t size) noexcept {
    for (;;) {
        const ::ssize_t n = ::send(port.fd, from, size, MSG_NOSIGNAL);
        if (n >= 0) {
            port.bytes_out += static_cast<std::uint64_t>(n);
            return static_cast<long>(n);
        }
        if (errno == EINTR) continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK) return would_block;
        port.failed_errno = errno;
        return failed;
    }
}

BIO* make_socket_bio(socket_port& port) {
    // One method table for the process; OpenSSL wants it to live as long as its BIOs.
    static BIO_METHOD* const method = make_method();
    if (method == nullptr) return nullptr;
    BIO* bio = ::BIO_new(method);
    if (bio != nullptr) ::BIO_set_data(bio, &port);
    return bio;
}

}  // namespace shardgate
