// SPDX-License-Identifier: Apache-2.0
// Host names to addresses without ever blocking a loop, its end included: getaddrinfo runs in a few
// helper threads that are abandoned, not joined, when the loop goes. One outstanding question per
// host, shared by whoever asks meanwhile; nothing is remembered beyond the answer (a resume host's
// addresses come and go). One per io_context; loop thread only.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "shardgate/base/result.hpp"
#include "shardgate/base/time.hpp"

namespace shardgate {

struct resolver_stats {
    std::uint64_t lookups = 0;    // questions asked
    std::uint64_t shared = 0;     // answered by a question already under way
    std::uint64_t timed_out = 0;  // waits that met the deadline
    std::uint64_t refused = 0;    // too many different hosts at once
};

class resolver : public boost::asio::execution_context::service {
public:
    using addresses = std::vector<boost::asio::ip::address>;
    // In the order the system prefers (RFC 6724); not empty unless the code is set.
    using callback = std::function<void(error_code, const addresses&)>;
    // The blocking question; called in a helper thread.
    using question = std::function<error_code(const std::string& host, addresses& found)>;

    // A wait for an answer. Destroying it withdraws the wait; the callback is not called then.
    class ticket {
    public:
        ticket() = default;
        ~ticket() { withdraw(); }
        ticket(ticket&& other) noexcept = default;
        ticket& operator=(ticket&& other) noexcept;
        void withdraw() noexcept;

    private:
        friend class resolver;
        struct wait;
        std::shared_ptr<wait> wait_;
    };

    // The loop's own, made when first asked for.
    [[nodiscard]] static resolver& of(const boost::asio::any_io_executor& loop);

    // `done` is called on the loop, never from inside lookup(): with the answer, or with timed_out
    // after the deadline. Literals are answered without a question.
    [[nodiscard]] ticket lookup(const boost::asio::any_io_executor& loop, std::string host,
                                callback done);

    [[nodiscard]] const resolver_stats& stats() const noexcept;
    // Tests: ask this instead of the system; another deadline.
    void replace(question ask, duration deadline);

    static boost::asio::execution_context::id id;
    explicit resolver(boost::asio::execution_context& context);
    ~resolver() override;

private:
    struct impl;
    void shutdown() noexcept override;
    std::shared_ptr<impl> impl_;
};

}  // namespace shardgate
