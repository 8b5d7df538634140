// SPDX-License-Identifier: Apache-2.0
// POSTs events to the handler: a pool of keep-alive connections per URL (http, https, unix:),
// HTTP/1.1 pipelining when configured, gathered writes of the events' own bytes. The hot path's
// last step. Loop thread only.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "shardgate/config/config.hpp"
#include "shardgate/delivery/delivery.hpp"

namespace shardgate {

class tls_client;

class post_listener {
public:
    virtual ~post_listener() = default;
    // Exactly once per post(), never from inside it. `now`: when the answer was read.
    virtual void on_posted(std::uint64_t request, const delivery_outcome& outcome,
                           time_point now) = 0;
    // A hint that changes nothing: on_posted() for this request comes soon, its answer has probably
    // been read. Time to fetch what it will need into the CPU's cache, in steps 0, 1 and 2: each
    // step is taken for a group of requests before the next one.
    virtual void on_answer_near(std::uint64_t request, unsigned step) noexcept {
        static_cast<void>(request), static_cast<void>(step);
    }
};

struct sink_stats {
    std::uint64_t connections_opened = 0, connections_failed = 0, idle_closed = 0;
    std::uint64_t stale_retries =
        0;  // reused connection was gone before the first byte: sent again
    std::uint64_t bytes_sent = 0, bytes_received = 0;
    std::size_t open = 0;
};

class http_sink {
public:
    http_sink(boost::asio::any_io_executor loop, tls_client& tls, const config::handler& handler,
              post_listener& listener);
    ~http_sink();  // drops every connection without calling back

    // Sends it now: delivery keeps the number in flight within the window. `now` is the clock's.
    void post(delivery_request&& request, time_point now);
    // Around many calls of post(): with pipelining, their requests share writes, which uncork()
    // does. No call comes back from it.
    void cork() noexcept;
    void uncork();
    // As delivery::set_urls(); requests under way finish.
    void set_urls(const std::vector<std::string>& urls);
    // Takes up time-out, connections and secrets; not the URLs. Requests under way keep theirs.
    void reconfigure(const config::handler& handler);
    [[nodiscard]] sink_stats stats() const noexcept;

private:
    struct impl;
    std::shared_ptr<impl> impl_;
};

}  // namespace shardgate
