// SPDX-License-Identifier: Apache-2.0
#include "admin/listener.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace shardgate::admin {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::local::stream_protocol;

failure cannot(const std::string& where, const error_code& ec) {
    return failure(ec, "cannot listen on " + where + ": " + ec.message());
}

std::string text_of(const tcp::endpoint& e) {
    address a;
    a.host = e.address().to_string();
    a.port = e.port();
    return to_string(a);
}

tcp::endpoint bound_to(const stream_acceptor& acceptor, error_code& ec) {
    const auto generic = acceptor.local_endpoint(ec);
    tcp::endpoint out;
    if (ec) return out;
    std::memcpy(out.data(), generic.data(), generic.size());
    out.resize(generic.size());
    return out;
}

// Whether a process accepts on the socket at `path`. Only a refused connection says no: a queue
// that is full (EAGAIN) says yes.
bool somebody_listens(const std::string& path) {
    const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0) return true;
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, path.data(), std::min(path.size(), sizeof(name.sun_path) - 1));
    const int connected = ::connect(probe, reinterpret_cast<const sockaddr*>(&name), sizeof(name));
    const bool refused = connected != 0 && errno == ECONNREFUSED;
    ::close(probe);
    return !refused;
}

// Makes room at `path`; empty = done, else why not.
std::string remove_stale_socket(const std::string& path) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) return {};
    if (!S_ISSOCK(found.st_mode)) return "there is something else than a socket";
    if (somebody_listens(path)) return "another process listens there";
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
        return "a stale socket is there and cannot be removed";
    return {};
}

error_code bind_tcp(stream_acceptor& acceptor, const tcp::endpoint& at) {
    error_code ec;
    acceptor.open(at.protocol(), ec);
    if (ec) return ec;
    acceptor.set_option(asio::socket_base::reuse_address(true), ec);
    // "[::]" means every address, IPv4's included.
    if (!ec && at.address().is_v6() && at.address().is_unspecified())
        acceptor.set_option(asio::ip::v6_only(false), ec);
    if (!ec) acceptor.bind(at, ec);
    if (!ec) acceptor.listen(asio::socket_base::max_listen_connections, ec);
    return ec;
}

}  // namespace

listener::listener(listener&& other) noexcept
    : acceptor_(std::move(other.acceptor_)),
      text_(std::move(other.text_)),
      path_(std::exchange(other.path_, {})),
      device_(other.device_),
      inode_(other.inode_) {}

void listener::close() noexcept {
    error_code ignored;
    acceptor_.close(ignored);
    if (path_.empty()) return;
    struct stat found {};
    // Another process may have put its own there meanwhile.
    if (::lstat(path_.c_str(), &found) == 0 && found.st_dev == device_ && found.st_ino == inode_)
        ::unlink(path_.c_str());
    path_.clear();
}

result<listener> listener::open_unix(const asio::any_io_executor& loop, const address& at) {
    const std::string where = to_string(at);
    const std::string obstacle = remove_stale_socket(at.path);
    if (!obstacle.empty()) return failure("cannot listen on " + where + ": " + obstacle);
    listener out{stream_acceptor(loop)};
    error_code ec;
    const stream_protocol::endpoint endpoint(at.path);
    out.acceptor_.open(endpoint.protocol(), ec);
    if (!ec) out.acceptor_.bind(endpoint, ec);
    if (ec) return cannot(where, ec);
    struct stat made {};
    if (::lstat(at.path.c_str(), &made) == 0) {
        out.path_ = at.path;
        out.device_ = made.st_dev;
        out.inode_ = made.st_ino;
    }
    // Before listen(): nobody can have connected while the mode was the umask's.
    if (::chmod(at.path.c_str(), 0660) != 0)
        return cannot(where, error_code(errno, boost::system::system_category()));
    out.acceptor_.listen(asio::socket_base::max_listen_connections, ec);
    if (ec) return cannot(where, ec);
    out.text_ = where;
    return out;
}

result<listener> listener::open_tcp(const asio::any_io_executor& loop, const address& at) {
    const std::string where = to_string(at);
    asio::io_context lookup;
    tcp::resolver resolver(lookup);
    error_code ec;
    const auto found =
        resolver.resolve(at.host, std::to_string(at.port),
                         tcp::resolver::passive | tcp::resolver::numeric_service, ec);
    if (ec) return cannot(where, ec);
    std::vector<tcp::endpoint> candidates;
    for (const auto& entry : found)
        candidates.push_back(entry.endpoint());
    // "localhost" is both; what people type is 127.0.0.1.
    std::stable_partition(candidates.begin(), candidates.end(),
                          [](const tcp::endpoint& e) { return e.address().is_v4(); });
    for (const tcp::endpoint& candidate : candidates) {
        listener out{stream_acceptor(loop)};
        ec = bind_tcp(out.acceptor_, candidate);
        if (ec) continue;
        out.text_ = text_of(bound_to(out.acceptor_, ec));
        if (!ec) return out;
    }
    return cannot(where, ec);
}

result<listener> listener::open(const asio::any_io_executor& loop, const address& where) {
    if (where.type == address::kind::unix_socket) return open_unix(loop, where);
    return open_tcp(loop, where);
}

}  // namespace shardgate::admin
