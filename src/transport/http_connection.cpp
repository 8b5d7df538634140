// SPDX-License-Identifier: Apache-2.0
// One connection of http_client's pool.
#include <boost/asio/error.hpp>
#include <utility>

#include "transport/http_exchange.hpp"

namespace shardgate {

http_connection::http_connection(const boost::asio::any_io_executor& loop, std::string pool_name,
                                 http_pool& owner)
    : idle(loop), pool_name_(std::move(pool_name)), owner_(&owner) {}

void http_connection::open(tls_client* tls, const boost::asio::any_io_executor& loop,
                           std::shared_ptr<http_exchange> first) {
    exchange_ = std::move(first);
    exchange_->on = weak_from_this();
    const url_parts& url = exchange_->url;
    stream_ = byte_stream::open(loop, url.tls() ? tls : nullptr, url.host, url.port, *this);
}

void http_connection::run(std::shared_ptr<http_exchange> next) {
    exchange_ = std::move(next);
    exchange_->on = weak_from_this();
    reused_ = true;
    send();
}

bool http_connection::usable() noexcept {
    return owner_ != nullptr && !exchange_ && stream_->is_quiet();
}

void http_connection::drop() {
    owner_ = nullptr;
    idle.cancel();
    if (stream_) stream_->drop();
}

std::shared_ptr<http_exchange> http_connection::release() {
    if (exchange_ && stream_->wire_bytes_out() > sent_before_) exchange_->maybe_sent = true;
    if (exchange_) exchange_->on.reset();
    return std::exchange(exchange_, nullptr);
}

byte_stream::stage http_connection::where() const noexcept {
    return stream_->where();
}

void http_connection::send() {
    reader_ = std::make_unique<http_response_reader>(exchange_->bodiless);
    sent_before_ = stream_->wire_bytes_out();
    stream_->write(exchange_->text);
}

void http_connection::on_connected() {
    send();
}

void http_connection::on_bytes(std::string_view bytes) {
    const auto self = shared_from_this();
    if (!exchange_) {  // nothing was asked: a farewell (408, say) or nonsense
        http_pool* const owner = owner_;
        drop();
        owner->on_gone(self, failure("bytes without a request"), false);
        return;
    }
    const http_response_reader::step step = reader_->feed(bytes);
    if (step == http_response_reader::step::more) return;
    http_pool* const owner = owner_;
    if (step == http_response_reader::step::failed) {
        const failure why = reader_->fault();
        drop();
        owner->on_gone(self, why, false);
        return;
    }
    // A server that answers before it has read everything will not read the next request right.
    const bool reusable = reader_->reusable() && stream_->unsent() == 0;
    http_response response = reader_->take();
    reader_.reset();
    if (!reusable) drop();
    owner->on_response(self, std::move(response), reusable);
}

void http_connection::on_lost(const byte_stream::loss& why) {
    const auto self = shared_from_this();
    http_pool* const owner = owner_;
    const bool orderly = why.code == boost::asio::error::eof;
    if (exchange_ && reader_ && reader_->started() && orderly &&
        reader_->end_of_stream() == http_response_reader::step::done) {
        http_response response = reader_->take();
        drop();
        owner->on_response(self, std::move(response), false);
        return;
    }
    const bool stale = exchange_ && reused_ && !(reader_ && reader_->started());
    drop();
    owner->on_gone(self, failure(why.code, why.detail), stale);
}

}  // namespace shardgate
