// SPDX-License-Identifier: Apache-2.0
// One connection to the handler and the requests under way on it, oldest first. Tells its pool what
// became of each and when it can take another. Loop thread only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shardgate/delivery/delivery.hpp"
#include "shardgate/sink/http_sink.hpp"
#include "sink/request_writer.hpp"
#include "sink/response_reader.hpp"
#include "sink/stream.hpp"

namespace shardgate::sink {

class connection;

// A request on its way through the sink.
struct job {
    delivery_request request;
    time_point since{};           // its time-out's start while it waits for a connection
    bool waited = false;          // has waited for one: `since` is long ago
    bool maybe_received = false;  // of an earlier connection
    std::uint8_t resent = 0;
};

// What all pools and connections of one sink share. Outlives the sink: `listener` is null then.
struct shared_state {
    shared_state(const loop_executor& l, tls_client& t, const config::handler& handler,
                 post_listener& who, std::uint64_t seed)
        : loop(l),
          tls(&t),
          listener(&who),
          writer(handler, seed),
          timeout(handler.timeout),
          connections(std::max<std::size_t>(handler.connections, 1)),
          pipelining(std::max<std::size_t>(handler.pipelining, 1)) {}

    loop_executor loop;
    tls_client* tls;
    post_listener* listener;
    request_writer writer;
    duration timeout;
    std::size_t connections;
    std::size_t pipelining;
    // While many requests are posted one after the other: who wrote nothing yet for that.
    bool corked = false;
    std::vector<std::shared_ptr<connection>> corked_ones;
    rendered_requests outgoing;  // of the flush that is being made: its memory serves all of them
    std::vector<std::string_view> pieces;
    sink_stats stats;
};

struct report {
    std::uint64_t request = 0;
    delivery_outcome outcome;
};

// A connection's pool. None of these calls comes back to the post_listener.
class connection_owner {
public:
    virtual ~connection_owner() = default;
    // A response is over and the connection good for another request.
    virtual void on_free(connection& c) = 0;
    // The connection is closed and holds no request any more.
    virtual void on_gone(connection& c) = 0;
    // The request was not handled by the connection it was sent on.
    virtual void on_resend(job&& j) = 0;
};

class connection final : public stream_listener, public std::enable_shared_from_this<connection> {
public:
    connection(std::shared_ptr<shared_state> shared, connection_owner& owner,
               const std::string& constant_head, std::unique_ptr<stream> bytes);

    void open();
    // Writes what waited for the cork.
    void uncork();
    // Takes the job. Pre: has_room().
    void submit(job&& j);
    [[nodiscard]] bool has_room() const noexcept;
    [[nodiscard]] std::size_t load() const noexcept { return count_; }
    // A write is still to come in this turn of the loop, and a request may join it.
    [[nodiscard]] bool gathers() const noexcept { return flush_scheduled_ && has_room(); }
    // Nothing is under way on it, but for a body that nobody waits for.
    [[nodiscard]] bool draining() const noexcept { return in_body_ && count_ == 0; }
    [[nodiscard]] bool expired(time_point now) const noexcept { return now >= idle_until_; }
    // Whether the last answer left the connection open.
    [[nodiscard]] bool persistent() const noexcept { return persistent_; }

    // Looks at the deadlines; may report.
    void tick(time_point now);
    // The pool closes it; not on_gone(). Pre: load() is 0.
    void close();
    // The sink is going: nothing is reported.
    void kill() noexcept;
    // Requests under way finish, then it closes.
    void retire() noexcept { retired_ = true; }

private:
    struct ending {
        std::string_view detail;
        bool io_error = false;  // end of stream, reset, …: not our decision
        bool timed_out = false;
        bool refused = false;
        bool crossed =
            false;  // the peer gave the idle connection up when our request was under way
    };

    void on_connected(const error_code& ec, std::string_view detail) override;
    void on_read(const error_code& ec, std::size_t size) override;
    void on_written(const error_code& ec) override;

    void flush();
    void schedule_flush();
    void give_memory_back() noexcept;
    void read_more();
    void process();
    bool answered(std::size_t used);
    void foretell() noexcept;
    void end_response(bool reusable, std::vector<report>& reports);
    void go_on();
    void fail(const ending& why);
    void give_back(bool handled_possibly, std::vector<report>& reports);
    void shut() noexcept;
    void leave();
    void deliver(const std::vector<report>& reports, std::string_view detail) const;
    [[nodiscard]] job& at(std::size_t i) noexcept {
        const std::size_t place = first_ + i;
        return jobs_[place < jobs_.size() ? place : place - jobs_.size()];
    }
    // Of the oldest request.
    [[nodiscard]] bool maybe_arrived() const noexcept { return arrived_ > 0; }
    [[nodiscard]] job pop();
    std::uint64_t drop_oldest();
    [[nodiscard]] job& before_pop();
    void after_pop() noexcept;
    [[nodiscard]] delivery_outcome outcome_of(const http_answer& a) const;
    [[nodiscard]] std::string_view unread() const noexcept {
        return {in_.data() + in_begin_, in_end_ - in_begin_};
    }

    std::shared_ptr<shared_state> shared_;
    connection_owner* owner_;           // null: closed
    const std::string& constant_head_;  // the owner's; read only while there is one
    std::unique_ptr<stream> stream_;
    response_reader reader_;

    std::vector<job> jobs_;  // a ring
    std::size_t first_ = 0, count_ = 0;
    // So many of them, from the oldest on, were given to the stream, and so many may have arrived:
    // in a write that is done, or with another request behind them in one that is under way.
    std::size_t handed_over_ = 0, arrived_ = 0;
    std::size_t foretold_ = 0;              // so many behind the oldest were told to be near
    rendered_requests unsent_;              // a write under way reads from it
    std::vector<delivery_request> parked_;  // and from these, although their answers have come
    std::vector<char> in_;
    std::size_t in_begin_ = 0, in_end_ = 0;

    time_point read_at_{};           // the last read
    time_point deadline_ = never;    // of the oldest request, of connecting, or of draining a body
    time_point idle_until_ = never;  // only while nothing is under way
    std::uint64_t responses_ = 0;
    bool connected_ = false, writing_ = false, flush_scheduled_ = false, write_failed_ = false;
    bool in_body_ = false;  // behind an answer's head
    bool persistent_ = true;
    bool retired_ = false;
};

}  // namespace shardgate::sink
