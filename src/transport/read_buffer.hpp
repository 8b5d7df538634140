// SPDX-License-Identifier: Apache-2.0
// The one buffer all streams of a loop read into: 16 KiB, what a TLS record may hold, and the
// scanner's padding. More at a time keeps others waiting and leaves the CPU's nearest caches.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/query.hpp>
#include <cstddef>
#include <memory>

#include "shardgate/protocol/envelope.hpp"

namespace shardgate {

class read_buffer : public boost::asio::execution_context::service {
public:
    static constexpr std::size_t size = 16U << 10;

    [[nodiscard]] static read_buffer& of(const boost::asio::any_io_executor& loop) {
        return boost::asio::use_service<read_buffer>(
            boost::asio::query(loop, boost::asio::execution::context));
    }
    explicit read_buffer(boost::asio::execution_context& context)
        : service(context), memory_(std::make_unique<char[]>(size + scanner::padding)) {}

    [[nodiscard]] char* data() noexcept { return memory_.get(); }

    inline static boost::asio::execution_context::id id;

private:
    void shutdown() noexcept override {}
    std::unique_ptr<char[]> memory_;
};

}  // namespace shardgate
