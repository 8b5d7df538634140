// SPDX-License-Identifier: Apache-2.0
// A connection's life. The rules that matter: an answer belongs to the oldest request (RFC 9112
// section 9.3.2); a request's outcome is known at its answer's head; a connection that its peer
// closed while it was idle is no failure. Listeners are told last, when everything here is in
// order, for they may post, switch URLs or destroy the sink.
#include "sink/connection.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <utility>

namespace shardgate::sink {
namespace {

namespace asio = boost::asio;
constexpr std::size_t buffer_resting = 2048;
constexpr std::size_t flush_max = 256U << 10;  // so much in one write, and one request more
constexpr std::size_t cuts_max = 64;
constexpr std::size_t foretold_max = 16;
constexpr std::size_t shortest_answer = 19;  // "HTTP/1.1 204 \r\n\r\n", about
constexpr auto drain_patience = std::chrono::seconds(1);
constexpr auto idle_limit = std::chrono::seconds(4);
constexpr std::uint8_t resends_max = 3;

bool nobody_listens(const error_code& ec) noexcept {
    return ec == asio::error::connection_refused ||
           ec == boost::system::errc::no_such_file_or_directory;
}

wall_ms wall_now() noexcept {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

// Node's default keep-alive ends after 5 s, others say theirs: closing first avoids the race.
duration idle_time(const http_answer& answer) noexcept {
    if (!answer.keep_alive_timeout) return idle_limit;
    const duration told = *answer.keep_alive_timeout - std::chrono::seconds(1);
    return std::clamp<duration>(told, duration::zero(), idle_limit);
}

}  // namespace

connection::connection(std::shared_ptr<shared_state> shared, connection_owner& owner,
                       const std::string& constant_head, std::unique_ptr<stream> bytes)
    : shared_(std::move(shared)),
      owner_(&owner),
      constant_head_(constant_head),
      stream_(std::move(bytes)),
      jobs_(shared_->pipelining),
      in_(buffer_resting) {}

void connection::open() {
    stream_->connect(shared_from_this());
}

bool connection::has_room() const noexcept {
    return owner_ != nullptr && count_ < jobs_.size() && !write_failed_ && !retired_ &&
           !(in_body_ && count_ == 0);
}

void connection::submit(job&& j) {
    const time_point since = j.since;
    const bool waited = j.waited;
    at(count_) = std::move(j);
    if (count_++ == 0) {
        // A request that waits for the connection to be made has its clock running already.
        deadline_ = later(connected_ && waited ? clock::now() : since, shared_->timeout);
        idle_until_ = never;
    }
    if (!connected_) return;
    if (jobs_.size() == 1) {
        flush();
    } else {
        schedule_flush();
    }
}

void connection::uncork() {
    flush_scheduled_ = false;
    flush();
}

// Requests posted in one turn of the loop leave in one write.
void connection::schedule_flush() {
    if (std::exchange(flush_scheduled_, true)) return;
    if (shared_->corked) return shared_->corked_ones.push_back(shared_from_this());
    asio::post(shared_->loop, [self = shared_from_this()] {
        self->flush_scheduled_ = false;
        self->flush();
    });
}

void connection::flush() {
    if (owner_ == nullptr || !connected_ || writing_ || write_failed_) return;
    if (handed_over_ == count_) return;
    const wall_ms now = shared_->writer.wants_time() ? wall_now() : wall_ms{};
    rendered_requests& out = shared_->outgoing;
    out.clear();
    while (handed_over_ < count_ && out.size() < flush_max && out.cuts() < cuts_max)
        shared_->writer.render(at(handed_over_++).request, constant_head_, now, out);
    auto& pieces = shared_->pieces;
    pieces.clear();
    out.pieces(pieces);
    shared_->stats.bytes_sent += out.size();
    switch (stream_->write(pieces)) {
    case stream::write_result::all:
        arrived_ = handed_over_;
        if (handed_over_ < count_) schedule_flush();
        break;
    case stream::write_result::later:
        writing_ = true;
        std::swap(unsent_, out);
        // Part of it went out: only the last one has certainly not arrived.
        arrived_ = handed_over_ - 1;
        stream_->tell_written(shared_from_this());
        break;
    case stream::write_result::failed: write_failed_ = true; break;
    }
}

void connection::on_connected(const error_code& ec, std::string_view detail) {
    if (owner_ == nullptr) return;
    if (ec) {
        ++shared_->stats.connections_failed;
        fail({.detail = detail, .refused = nobody_listens(ec)});
        return;
    }
    connected_ = true;
    ++shared_->stats.connections_opened;
    read_more();
    flush();
}

void connection::on_written(const error_code& ec) {
    writing_ = false;
    parked_.clear();
    give_memory_back();
    if (owner_ == nullptr) return;
    if (ec) {
        write_failed_ = true;  // the read under way says more
        return;
    }
    arrived_ = handed_over_;
    flush();
}

// The next write's text is made in what the last one needed.
void connection::give_memory_back() noexcept {
    unsent_.clear();
    if (shared_->outgoing.capacity() == 0) std::swap(shared_->outgoing, unsent_);
    unsent_ = rendered_requests();
}

void connection::read_more() {
    if (in_begin_ == in_end_) {
        in_begin_ = in_end_ = 0;
        if (in_.size() > 8 * buffer_resting) std::vector<char>(buffer_resting).swap(in_);
    } else if (in_end_ == in_.size()) {
        std::copy(in_.begin() + static_cast<std::ptrdiff_t>(in_begin_), in_.end(), in_.begin());
        in_end_ -= std::exchange(in_begin_, 0);
        // The reader takes or refuses all beyond its bounds, so this ends.
        if (in_end_ > in_.size() / 2) in_.resize(in_.size() * 2);
    }
    stream_->read(in_.data() + in_end_, in_.size() - in_end_, shared_from_this());
}

void connection::on_read(const error_code& ec, std::size_t size) {
    if (owner_ == nullptr) return;
    if (ec) {
        const std::string why = ec == asio::error::eof ? "closed by the handler" : ec.message();
        fail({.detail = why, .io_error = true});
        return;
    }
    shared_->stats.bytes_received += size;
    in_end_ += size;
    read_at_ = clock::now();
    process();
}

void connection::process() {
    while (owner_ != nullptr) {
        if (!in_body_ && (count_ == 0 || in_begin_ == in_end_)) {
            // An answer nobody asked for: what it would answer cannot be told.
            if (in_begin_ != in_end_) return fail({.detail = "bytes without a request"});
            break;
        }
        std::size_t used = 0;
        const auto what = reader_.read(unread(), used);
        if (what == response_reader::event::bad) return fail({.detail = reader_.problem()});
        if (what == response_reader::event::head) {
            if (!answered(used)) return;
            continue;
        }
        in_begin_ += used;
        if (what == response_reader::event::need_more) break;
        std::vector<report> reports;
        end_response(true, reports);
        deliver(reports, "the connection ended with the answer before");
    }
    if (owner_ != nullptr) read_more();
}

// The oldest request's answer is there. False when the connection has been closed.
bool connection::answered(std::size_t used) {
    const http_answer answer = reader_.answer();
    // A server that gives an idle connection up may say so; its words crossed our request.
    if (answer.status == 408 && answer.peer_closes && responses_ > 0) {
        in_begin_ = in_end_ = 0;
        fail({.detail = "closed by the handler", .crossed = true});
        return false;
    }
    in_begin_ += used;
    // An answer to a request that is not written whole is legal, but the rest of it would have to
    // be written all the same: not worth it.
    const bool reusable = maybe_arrived();
    std::vector<report> reports;
    if (count_ > 1 && shared_->listener != nullptr) foretell();
    const report first{drop_oldest(), outcome_of(answer)};
    in_body_ = true;
    const auto what = reader_.read(unread(), used);
    in_begin_ += used;
    if (what == response_reader::event::done) {
        end_response(reusable, reports);
    } else if (!reusable) {
        end_response(false, reports);
    } else {
        deadline_ = later(read_at_, std::min<duration>(shared_->timeout, drain_patience));
    }
    if (shared_->listener != nullptr)
        shared_->listener->on_posted(first.request, first.outcome, read_at_);
    deliver(reports, "the connection ended with the answer before");
    return owner_ != nullptr;
}

// The requests whose answers are probably in what was read, a group at a time.
void connection::foretell() noexcept {
    if (foretold_ > 0) {
        --foretold_;
        return;
    }
    const std::size_t answers = 1 + (in_end_ - in_begin_) / shortest_answer;
    const std::size_t group = std::min({answers, count_, foretold_max});
    for (unsigned step = 0; step < 3; ++step)
        for (std::size_t i = 0; i < group; ++i)
            shared_->listener->on_answer_near(at(i).request.id, step);
    foretold_ = group > 0 ? group - 1 : 0;
}

// A response is over: the connection goes on, or goes.
void connection::end_response(bool reusable, std::vector<report>& reports) {
    const http_answer& answer = reader_.answer();
    in_body_ = false;
    ++responses_;
    persistent_ = !answer.peer_closes;
    const bool unasked = count_ == 0 && in_begin_ != in_end_;
    if (answer.keep_alive && reusable && !unasked && (!retired_ || count_ > 0)) {
        go_on();
        return;
    }
    shut();
    // Behind "close" the peer handles nothing (RFC 9112 section 9.6); else it may have.
    give_back(!answer.peer_closes, reports);
    leave();
}

void connection::go_on() {
    if (count_ > 0) {
        deadline_ = later(read_at_, shared_->timeout);
    } else {
        deadline_ = never;
        idle_until_ = later(read_at_, idle_time(reader_.answer()));
    }
    owner_->on_free(*this);
}

void connection::fail(const ending& why) {
    const bool stale = why.crossed || (why.io_error && connected_ && responses_ > 0 && !in_body_ &&
                                       reader_.untouched() && in_begin_ == in_end_);
    const bool was_draining = in_body_;
    const bool never_connected = !connected_;
    shut();
    std::vector<report> reports;
    if (stale) {
        if (count_ == 0) ++shared_->stats.idle_closed;
        give_back(false, reports);
    } else if (!was_draining) {
        // Without a connection all of them have the same fate, else only the oldest.
        for (std::size_t n = never_connected ? count_ : std::min<std::size_t>(count_, 1); n > 0;
             --n) {
            const bool arrived = maybe_arrived();
            const job failed = pop();
            report r{failed.request.id, {}};
            r.outcome.connection_refused = why.refused;
            r.outcome.timed_out = why.timed_out;
            r.outcome.maybe_received = arrived || failed.maybe_received;
            reports.push_back(r);
        }
    }
    give_back(true, reports);
    const std::string detail(why.detail);
    leave();
    deliver(reports, detail);
}

// What is still under way goes to another connection, or, when the peer may have handled it, back
// to delivery.
void connection::give_back(bool handled_possibly, std::vector<report>& reports) {
    while (count_ > 0) {
        const bool arrived = maybe_arrived();
        job j = pop();
        const bool may = arrived || j.maybe_received;
        if ((handled_possibly && arrived) || j.resent == resends_max) {
            report r{j.request.id, {}};
            r.outcome.maybe_received = may;
            reports.push_back(r);
            continue;
        }
        ++j.resent;
        j.maybe_received = may;
        j.since = clock::now();
        ++shared_->stats.stale_retries;
        owner_->on_resend(std::move(j));
    }
}

void connection::tick(time_point now) {
    if (owner_ == nullptr) return;
    if (now >= deadline_) {
        if (in_body_) {
            fail({.detail = "the answer's body did not end"});
            return;
        }
        if (!connected_) ++shared_->stats.connections_failed;
        fail({.detail = connected_ ? "no answer in time" : "no connection in time",
              .timed_out = true});
    } else if (count_ == 0 && !in_body_ && (now >= idle_until_ || retired_)) {
        ++shared_->stats.idle_closed;
        shut();
        leave();
    }
}

void connection::close() {
    shut();
    owner_ = nullptr;
}

void connection::kill() noexcept {
    shut();
    owner_ = nullptr;
    count_ = handed_over_ = arrived_ = 0;
}

void connection::shut() noexcept {
    stream_->close();
    connected_ = false;
    in_body_ = false;
    deadline_ = idle_until_ = never;
}

void connection::leave() {
    if (connection_owner* owner = std::exchange(owner_, nullptr)) owner->on_gone(*this);
}

void connection::deliver(const std::vector<report>& reports, std::string_view detail) const {
    if (reports.empty()) return;
    const auto shared = shared_;
    for (report r : reports) {
        if (shared->listener == nullptr) return;
        r.outcome.detail = detail;
        shared->listener->on_posted(r.request, r.outcome, clock::now());
    }
}

job connection::pop() {
    job out = std::move(before_pop());
    after_pop();
    return out;
}

// As pop(), for who wants no more than the request's number: nothing is moved.
std::uint64_t connection::drop_oldest() {
    delivery_request& oldest = before_pop().request;
    oldest.items.clear();
    after_pop();
    return oldest.id;
}

job& connection::before_pop() {
    job& oldest = jobs_[first_];
    // The write under way may still read from its events.
    if (unsent_.cuts() > 0) parked_.push_back(oldest.request);
    return oldest;
}

void connection::after_pop() noexcept {
    if (++first_ == jobs_.size()) first_ = 0;
    --count_;
    if (handed_over_ > 0) --handed_over_;
    if (arrived_ > 0) --arrived_;
}

delivery_outcome connection::outcome_of(const http_answer& a) const {
    delivery_outcome out;
    out.status = a.status;
    out.retry_after = a.retry_after;
    if (a.retry_at)
        out.retry_after = std::max<duration>(*a.retry_at - wall_now(), duration::zero());
    return out;
}

}  // namespace shardgate::sink
