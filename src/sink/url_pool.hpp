// SPDX-License-Identifier: Apache-2.0
// The connections to one handler URL, and the requests that wait for one. Connections are made as
// requests need them; of the idle ones the last used goes first, so that the others can expire.
// Loop thread only.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "sink/connection.hpp"
#include "sink/endpoint.hpp"

namespace shardgate::sink {

// Reports, a turn of the loop later, that the request could not be sent at all.
void fail_later(const std::shared_ptr<shared_state>& shared, std::uint64_t request,
                std::string detail);

class url_pool final : public connection_owner, public std::enable_shared_from_this<url_pool> {
public:
    // An URL that cannot be read makes every request fail with the reason.
    url_pool(std::shared_ptr<shared_state> shared, std::string url);
    ~url_pool() override;

    void submit(job&& j);
    void tick(time_point now);
    // Takes no more requests of its own; what is under way finishes.
    void retire();
    // The next request begins as the writer says now.
    void on_secrets_changed();
    // Drops everything without a report.
    void kill() noexcept;
    [[nodiscard]] bool empty() const noexcept { return all_.empty() && pending_.empty(); }
    [[nodiscard]] std::size_t open() const noexcept { return all_.size(); }
    [[nodiscard]] const std::string& url() const noexcept { return url_; }

private:
    void on_free(connection& c) override;
    void on_gone(connection& c) override;
    void on_resend(job&& j) override;

    [[nodiscard]] connection* pick(const job& j);
    [[nodiscard]] connection* pick_another(const job& j, bool fresh);
    [[nodiscard]] connection* pick_idle(const job& j);
    [[nodiscard]] connection* pick_shared();
    [[nodiscard]] connection* make();
    [[nodiscard]] std::size_t limit(const job& j) const noexcept;
    void drop(const connection& c);
    void place(job&& j);
    void place_pending();

    std::shared_ptr<shared_state> shared_;
    std::string url_;
    endpoint to_;
    std::string problem_;  // why url_ cannot be used
    std::string constant_head_;
    std::vector<std::shared_ptr<connection>> all_;
    std::vector<connection*> idle_;  // the last one is the freshest
    std::deque<job> pending_;        // delivery's window bounds it
    std::size_t next_shared_ = 0;
    connection* gathering_ = nullptr;  // was given a request last
    bool persistent_ = true;           // the handler keeps connections open: pipelining makes sense
    bool retired_ = false;
};

}  // namespace shardgate::sink
