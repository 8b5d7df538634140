// SPDX-License-Identifier: Apache-2.0
// A non-blocking socket as an OpenSSL BIO: what OpenSSL's own socket BIO lacks is MSG_NOSIGNAL, the
// errno of a failure, and to know that the socket was just read empty.
#pragma once

#include <openssl/bio.h>

#include <cstdint>

namespace shardgate {

// What the BIO of one connection shares with its byte_stream. Must outlive the BIO.
struct socket_port {
    int fd = -1;
    int failed_errno = 0;         // of the last failed call; 0 = none
    bool end_of_stream = false;   // the peer closed its side
    bool drained = false;         // the last read took all there was: do not ask again before epoll
    std::uint64_t bytes_out = 0;  // bytes the kernel took
};

// recv and send with the port's book-keeping: > 0 bytes, 0 end of stream, -1 would block, -2
// failed.
[[nodiscard]] long port_receive(socket_port& port, char* into, std::size_t size) noexcept;
[[nodiscard]] long port_send(socket_port& port, const char* from, std::size_t size) noexcept;

// A BIO over `port`; null when OpenSSL has no memory. Freed with its SSL.
[[nodiscard]] BIO* make_socket_bio(socket_port& port);

}  // namespace shardgate
