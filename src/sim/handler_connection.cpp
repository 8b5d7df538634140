// SPDX-License-Identifier: Apache-2.0
// Requests are served from the read buffer as long as whole ones lie in it, and their answers leave
// in one write: tried at once, finished by the loop if the kernel is full.
#include "sim/handler_connection.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <utility>

namespace shardgate::sim {
namespace {

namespace asio = boost::asio;
using act = handler_rule::act;
constexpr std::size_t buffer_resting = 16384;
constexpr std::uint64_t huge = 1ULL << 30;
constexpr std::size_t huge_piece = 65536;
constexpr std::string_view plain_answer = "HTTP/1.1 204 No Content\r\n\r\n";
constexpr std::string_view half_a_header = "HTTP/1.1 204 No Content\r\nContent-Le";
constexpr std::string_view nonsense = "\x16\x03\x01\xff not http\r\n\r\n{]<html>\r\n\r\n";

}  // namespace

handler_connection::handler_connection(std::shared_ptr<handler_shared> shared, socket s)
    : shared_(std::move(shared)),
      socket_(std::move(s)),
      timer_(socket_.get_executor()),
      in_(buffer_resting),
      last_used_(clock::now()) {}

void handler_connection::read() {
    if (closed_ || std::exchange(reading_, true)) return;
    if (in_begin_ > 0) {
        const auto first = in_.begin() + static_cast<std::ptrdiff_t>(in_begin_);
        std::copy(first, first + static_cast<std::ptrdiff_t>(in_size_), in_.begin());
        in_begin_ = 0;
    }
    const std::size_t wanted = std::max(needed_, in_size_ + 1);
    if (in_.size() < wanted) in_.resize(std::max(wanted, std::min(in_.size() * 2, wanted * 2)));
    if (in_size_ == 0 && in_.size() > 16 * buffer_resting)
        std::vector<char>(buffer_resting).swap(in_);
    socket_.async_read_some(asio::buffer(in_.data() + in_size_, in_.size() - in_size_),
                            [self = shared_from_this()](const error_code& ec, std::size_t size) {
                                self->reading_ = false;
                                if (self->closed_) return;
                                if (ec) return self->close();
                                self->on_read(size);
                            });
}

void handler_connection::on_read(std::size_t size) {
    in_size_ += size;
    last_used_ = clock::now();
    if (last_) in_size_ = 0;
    serve();
    // While stuck: to hear of the peer's going, with room for a little more only.
    const bool room = in_size_ < shared_->options.max_body + 2 * post_head_max;
    if (!closed_ && room) read();
}

void handler_connection::serve() {
    while (!closed_ && state_ == state::reading && !writing_ && !last_ && in_size_ > 0 &&
           in_size_ >= needed_) {
        post request;
        needed_ = 0;
        const std::string_view data(in_.data() + in_begin_, in_size_);
        switch (read_post(data, shared_->options.max_body, request, needed_)) {
        case post_state::need_more: break;
        case post_state::whole: take(request); continue;
        case post_state::bad:
        case post_state::too_large:
            ++shared_->record.counts.broken;
            append_answer(400, {}, true);
            break;
        }
        break;
    }
    flush();
}

void handler_connection::take(const post& request) {
    needed_ = 0;
    in_flight_ = true;
    shared_->record.request_began(last_used_);
    if (const unsigned status = shared_->refuse(request); status != 0) {
        append_answer(status, {}, request.head.close);
        end_request(request.size);
        return;
    }
    auto& events = shared_->events;
    shared_->record.counts.events += events.size();
    if (shared_->rules.empty()) {
        answer({}, request);
    } else {
        obey(shared_->rules.choose(request.head.target, events, *shared_->book), request);
    }
}

void handler_connection::obey(const handler_rule& rule, const post& request) {
    if (rule.what == act::hang) {
        ++shared_->record.counts.hung;
        state_ = state::hanging;
    } else if (rule.delay > duration::zero()) {
        delay(rule);
    } else {
        answer(rule, request);
    }
}

// The request stays in the buffer meanwhile and is read again afterwards: the buffer may move.
void handler_connection::delay(const handler_rule& rule) {
    state_ = state::delaying;
    timer_.expires_after(rule.delay);
    timer_.async_wait([self = shared_from_this(), rule](const error_code& ec) {
        if (ec || self->closed_) return;
        self->state_ = state::reading;
        self->last_used_ = clock::now();
        post request;
        std::size_t ignored = 0;
        const std::string_view data(self->in_.data() + self->in_begin_, self->in_size_);
        const auto found = read_post(data, self->shared_->options.max_body, request, ignored);
        if (found != post_state::whole || !self->shared_->read(request)) return self->close();
        self->answer(rule, request);
        self->serve();
        self->read();
    });
}

void handler_connection::answer(const handler_rule& rule, const post& request) {
    const bool last = rule.close || request.head.close || shared_->close_after_each;
    switch (rule.what) {
    case act::drop:
        ++shared_->record.counts.dropped;
        close();
        return;
    case act::half_header:
        out_ += half_a_header;
        state_ = state::hanging;
        return;
    case act::nonsense:
        out_ += nonsense;
        state_ = state::hanging;
        return;
    case act::huge_body:
        if (rule.status / 100 == 2) accept(request);
        shared_->record.answered(rule.status);
        out_ += "HTTP/1.1 " + std::to_string(rule.status) +
                " Huge\r\nContent-Length: " + std::to_string(huge) + "\r\n\r\n";
        body_left_ = huge;
        state_ = state::hanging;
        return;
    case act::hang:
    case act::answer: break;
    }
    if (rule.status / 100 == 2) accept(request);
    std::string extra;
    if (!rule.retry_after.empty()) extra = "Retry-After: " + rule.retry_after + "\r\n";
    append_answer(rule.status, extra, last);
    end_request(request.size);
}

void handler_connection::accept(const post& request) {
    auto& events = shared_->events;
    if (!request.body.empty() && request.body.front() == '[') ++shared_->record.counts.batches;
    for (const posted_event& event : events) {
        received_event receipt;
        receipt.n = event.n;
        receipt.name = event.name;
        receipt.key = event.key;
        receipt.attempt = event.attempt;
        receipt.guild_mark = event.guild;
        receipt.interaction_mark = event.interaction;
        shared_->book->received(receipt, last_used_);
        shared_->record.accepted(event, last_used_);
    }
}

void handler_connection::append_answer(unsigned status, std::string_view extra, bool last) {
    shared_->record.answered(status);
    last_ = last_ || last;
    if (status == 204 && extra.empty() && !last) {
        out_ += plain_answer;
        return;
    }
    out_ += "HTTP/1.1 " + std::to_string(status) + " X\r\n";
    if (status != 204) out_ += "Content-Length: 0\r\n";
    out_ += extra;
    if (last) out_ += "Connection: close\r\n";
    out_ += "\r\n";
}

void handler_connection::end_request(std::size_t size) {
    in_begin_ += size;
    in_size_ -= size;
    if (std::exchange(in_flight_, false)) shared_->record.request_ended();
}

void handler_connection::flush() {
    if (closed_ || writing_ || out_.empty()) return;
    error_code ec;
    const std::size_t sent = socket_.write_some(asio::buffer(out_), ec);
    if (ec && ec != asio::error::would_block && ec != asio::error::try_again) return close();
    out_.erase(0, sent);
    if (out_.empty()) return finish();
    writing_ = true;
    asio::async_write(socket_, asio::buffer(out_),
                      [self = shared_from_this()](const error_code& failed, std::size_t) {
                          self->writing_ = false;
                          if (self->closed_) return;
                          if (failed) return self->close();
                          self->out_.clear();
                          self->finish();
                          self->serve();
                      });
}

// Everything is written.
void handler_connection::finish() {
    if (body_left_ > 0) return stream_body();
    if (!last_) return;
    // Closing with unread bytes would reset the connection and with it the answer (RFC 9112 section
    // 9.6): the peer closes.
    error_code ignored;
    in_begin_ = in_size_ = needed_ = 0;
    socket_.shutdown(socket::shutdown_send, ignored);
}

void handler_connection::stream_body() {
    const std::uint64_t piece = std::min<std::uint64_t>(body_left_, huge_piece);
    body_left_ -= piece;
    out_.assign(static_cast<std::size_t>(piece), 'x');
    writing_ = true;
    asio::async_write(socket_, asio::buffer(out_),
                      [self = shared_from_this()](const error_code& failed, std::size_t) {
                          self->writing_ = false;
                          if (self->closed_) return;
                          if (failed) return self->close();
                          self->out_.clear();
                          if (self->body_left_ > 0)
                              self->stream_body();
                          else
                              self->close();
                      });
}

void handler_connection::close() {
    if (std::exchange(closed_, true)) return;
    const auto self = shared_from_this();
    if (std::exchange(in_flight_, false)) shared_->record.request_ended();
    error_code ignored;
    timer_.cancel();
    socket_.close(ignored);
    std::erase(shared_->connections, self);
}

}  // namespace shardgate::sim
