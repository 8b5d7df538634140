// SPDX-License-Identifier: Apache-2.0
// The moving parts of http_client: one request on its way, and one connection of the pool.
// Private to http_client.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "shardgate/transport/http_client.hpp"
#include "transport/byte_stream.hpp"
#include "transport/http_message.hpp"
#include "transport/url.hpp"

namespace shardgate {

class http_connection;

// One request from start() to its outcome.
struct http_exchange {
    std::string text;  // as it goes on the wire
    std::string pool;  // scheme, host and port
    url_parts url;
    bool bodiless = false;    // HEAD
    bool repeatable = false;  // GET, HEAD: safe to send again (RFC 9110 section 9.2.2)
    bool retried = false;
    bool maybe_sent = false;
    std::function<void(http_outcome)> done;  // empty once called
    boost::asio::steady_timer deadline;
    std::weak_ptr<http_connection> on;  // expired while it waits for a connection

    explicit http_exchange(const boost::asio::any_io_executor& loop) : deadline(loop) {}
};

// What a connection tells its pool. Calls come from the loop, never from inside run() or open().
class http_pool {
public:
    virtual ~http_pool() = default;
    virtual void on_response(const std::shared_ptr<http_connection>& from, http_response response,
                             bool reusable) = 0;
    // The connection is gone. `gone_stale`: it had served before, and nothing of a response came.
    virtual void on_gone(const std::shared_ptr<http_connection>& from, failure why,
                         bool gone_stale) = 0;
};

// One connection, carrying at most one exchange at a time.
class http_connection : public byte_stream::user,
                        public std::enable_shared_from_this<http_connection> {
public:
    http_connection(const boost::asio::any_io_executor& loop, std::string pool_name,
                    http_pool& owner);

    // Connects, then sends `first`.
    void open(tls_client* tls, const boost::asio::any_io_executor& loop,
              std::shared_ptr<http_exchange> first);
    // Sends another request. Pre: usable().
    void run(std::shared_ptr<http_exchange> next);
    // Kept, and nothing says that the peer has closed it.
    [[nodiscard]] bool usable() noexcept;
    // Drops it without telling the pool. The exchange, if any, is left to the caller.
    void drop();

    [[nodiscard]] const std::string& pool_name() const noexcept { return pool_name_; }
    [[nodiscard]] const std::shared_ptr<http_exchange>& exchange() const noexcept {
        return exchange_;
    }
    // Takes the exchange off, with its maybe_sent settled.
    [[nodiscard]] std::shared_ptr<http_exchange> release();
    // Where connecting is, for the sentence of a time-out.
    [[nodiscard]] byte_stream::stage where() const noexcept;

    boost::asio::steady_timer idle;  // the pool's: closes it when nobody uses it

private:
    void on_connected() override;
    void on_bytes(std::string_view bytes) override;
    void on_lost(const byte_stream::loss& why) override;
    void send();

    std::string pool_name_;
    http_pool* owner_;  // null: dropped
    std::shared_ptr<byte_stream> stream_;
    std::shared_ptr<http_exchange> exchange_;
    std::unique_ptr<http_response_reader> reader_;
    std::uint64_t sent_before_ = 0;
    bool reused_ = false;
};

}  // namespace shardgate
