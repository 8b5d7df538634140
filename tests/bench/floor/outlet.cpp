// SPDX-License-Identifier: Apache-2.0
#include "floor/outlet.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <stdexcept>

namespace shardgate::bench::floor {
namespace {

constexpr std::string_view answer_end = "\r\n\r\n";

void append_number(std::string& out, std::uint64_t value) {
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out.append(digits.data(), end);
}

void append_hex(std::string& out, std::uint64_t value) {
    constexpr std::string_view digits = "0123456789abcdef";
    for (int shift = 60; shift >= 0; shift -= 4)
        out += digits[value >> static_cast<unsigned>(shift) & 0xfU];
}

int connect_to(const addrinfo& where) {
    const int fd = ::socket(where.ai_family, where.ai_socktype, 0);
    if (fd < 0 || ::connect(fd, where.ai_addr, where.ai_addrlen) != 0)
        throw std::runtime_error("the handler does not answer");
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    return fd;
}

}  // namespace

outlet::outlet(const outlet_options& options, int epoll) : options_(options), epoll_(epoll) {
    addrinfo hints{}, *found = nullptr;
    hints.ai_socktype = SOCK_STREAM;
    if (::getaddrinfo(options.host.c_str(), options.port.c_str(), &hints, &found) != 0)
        throw std::runtime_error(options.host + " is not known");
    for (std::uint32_t i = 0; i < options.connections; ++i) {
        links_.push_back(std::make_unique<link>());
        link& l = *links_.back();
        l.fd = connect_to(*found);
        epoll_event interest{};
        interest.events = EPOLLIN;
        interest.data.ptr = &l;
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, l.fd, &interest);
        free_.push_back(&l);
    }
    ::freeaddrinfo(found);
}

outlet::~outlet() {
    for (const auto& l : links_)
        ::close(l->fd);
}

outlet::link& outlet::reserve() {
    link& l = *free_.back();
    const std::uint32_t most = options_.how == mode::pipelined ? options_.depth : 1;
    if (++l.in_flight == most) free_.pop_back();
    return l;
}

void outlet::append_key(std::string& out, const event& e, const shard& from) {
    out += from.session();
    out += '-';
    append_number(out, e.seq);
}

void outlet::begin_request(std::string& out, const event* e, const shard* from, std::size_t body) {
    out += "POST / HTTP/1.1\r\nHost: ";
    out += options_.host;
    out += ':';
    out += options_.port;
    out += "\r\nContent-Type: application/json\r\n";
    if (e != nullptr) {
        out += "Idempotency-Key: ";
        append_key(out, *e, *from);
        out += "\r\nX-Shardgate-Event: ";
        out += e->name;
        out += "\r\nX-Shardgate-Shard: ";
        append_number(out, from->id());
        out += '/';
        append_number(out, options_.shards);
        out += "\r\nX-Shardgate-Attempt: 1\r\n";
    }
    out += "traceparent: 00-5ca1ab1e0ddba11e";
    append_hex(out, ++trace_);
    out += '-';
    append_hex(out, trace_ + 0x5eed000000000000U);
    out += "-01\r\nContent-Length: ";
    append_number(out, body);
    out += answer_end;
}

void outlet::take(const event& e, const shard& from) {
    if (options_.how == mode::batched) return add_to_batch(e, from);
    link& l = reserve();
    std::array<char, 40> envelope{};
    char* at = envelope.data();
    constexpr std::string_view start = R"({"shardId":)", middle = R"(,"data":)";
    at = std::copy(start.begin(), start.end(), at);
    at = std::to_chars(at, envelope.data() + envelope.size(), from.id()).ptr;
    at = std::copy(middle.begin(), middle.end(), at);
    const std::string_view head(envelope.data(), static_cast<std::size_t>(at - envelope.data()));
    if (l.out.empty()) dirty_.push_back(&l);
    begin_request(l.out, &e, &from, head.size() + e.frame.size() + 1);
    l.out += head;
    l.out += e.frame;
    l.out += '}';
    // Alone on its connection it has nothing to wait for.
    if (options_.how == mode::plain) flush();
}

void outlet::add_to_batch(const event& e, const shard& from) {
    batch_ += batched_ == 0 ? '[' : ',';
    batch_ += R"({"shardId":)";
    append_number(batch_, from.id());
    batch_ += R"(,"data":)";
    batch_ += e.frame;
    batch_ += R"(,"meta":{"key":")";
    append_key(batch_, e, from);
    batch_ += R"(","attempt":1,"guild":null,"interaction":null}})";
    if (++batched_ == options_.depth) send_batch();
}

void outlet::send_batch() {
    if (batched_ == 0 || free_.empty()) return;
    link& l = reserve();
    batch_ += ']';
    begin_request(l.out, nullptr, nullptr, batch_.size());
    l.out += batch_;
    batch_.clear();
    batched_ = 0;
    dirty_.push_back(&l);
}

void outlet::flush() {
    if (options_.how == mode::batched) send_batch();
    for (link* l : dirty_)
        if (!l->waits) write(*l);
    dirty_.clear();
}

void outlet::write(link& l) {
    const auto sent = ::send(l.fd, l.out.data(), l.out.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) throw std::runtime_error("the handler ended a connection");
    l.out.erase(0, sent < 0 ? 0 : static_cast<std::size_t>(sent));
    if (l.out.empty() != l.waits) return;
    l.waits = !l.out.empty();
    epoll_event interest{};
    interest.events = l.waits ? EPOLLIN | EPOLLOUT : EPOLLIN;
    interest.data.ptr = &l;
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, l.fd, &interest);
}

void outlet::on_ready(link& l, std::uint32_t events) {
    if ((events & EPOLLOUT) != 0) write(l);
    if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) read(l);
}

// The answer that a handler has for a request it has taken: 204, which has no body.
void outlet::read(link& l) {
    const auto got = ::recv(l.fd, l.in + l.have, sizeof l.in - l.have, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) throw std::runtime_error("the handler ended a connection");
    const std::string_view text(l.in, l.have + static_cast<std::size_t>(got));
    std::size_t at = 0;
    for (;;) {
        const auto end = text.find(answer_end, at);
        if (end == std::string_view::npos) break;
        if (text.substr(at, 12) != "HTTP/1.1 204")
            throw std::runtime_error("the handler says " + std::string(text.substr(at, end - at)));
        at = end + answer_end.size();
        const std::uint32_t most = options_.how == mode::pipelined ? options_.depth : 1;
        if (l.in_flight-- == most) free_.push_back(&l);
    }
    l.have = text.size() - at;
    std::memmove(l.in, l.in + at, l.have);
}

}  // namespace shardgate::bench::floor
