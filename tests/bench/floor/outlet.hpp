// SPDX-License-Identifier: Apache-2.0
// Requests to the handler, as the contract wants them and with nothing around: keep-alive
// connections, one request on each, several (pipelined), or arrays of events. No order between
// connections, no retries, no queue. Calls the kernel directly and none of the daemon's code.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "floor/gateway.hpp"

namespace shardgate::bench::floor {

enum class mode : std::uint8_t { plain, pipelined, batched };

struct outlet_options {
    std::string host, port;
    mode how = mode::plain;
    std::uint32_t depth = 1;  // requests on a connection, or events in a request
    std::uint32_t connections = 64;
    std::uint32_t shards = 1;
};

class outlet {
public:
    struct link {
        int fd = -1;
        std::uint32_t in_flight = 0;
        std::string out;
        std::size_t have = 0;  // bytes of an answer that is not whole
        char in[4096];
        bool waits = false;  // for room in the kernel's buffer
    };

    // Connects, blocking, and adds its connections to the epoll set with their link as data.
    // Throws.
    outlet(const outlet_options& options, int epoll);
    ~outlet();
    outlet(const outlet&) = delete;
    outlet& operator=(const outlet&) = delete;

    [[nodiscard]] bool room() const noexcept {
        return options_.how == mode::batched ? batched_ < options_.depth : !free_.empty();
    }
    // Pre: room().
    void take(const event& e, const shard& from);
    // Writes what is gathered.
    void flush();
    void on_ready(link& l, std::uint32_t events);

private:
    void begin_request(std::string& out, const event* e, const shard* from, std::size_t body);
    void append_key(std::string& out, const event& e, const shard& from);
    void add_to_batch(const event& e, const shard& from);
    void send_batch();
    void write(link& l);
    void read(link& l);
    [[nodiscard]] link& reserve();

    outlet_options options_;
    int epoll_;
    std::vector<std::unique_ptr<link>> links_;
    std::vector<link*> free_;   // with room; the last one is filled first: few are kept busy
    std::vector<link*> dirty_;  // with something to write
    std::string batch_;
    std::uint32_t batched_ = 0;
    std::uint64_t trace_ = 1;
};

}  // namespace shardgate::bench::floor
