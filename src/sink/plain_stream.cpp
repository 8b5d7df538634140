// SPDX-License-Identifier: Apache-2.0
// TCP and unix sockets. A write is tried at once: nearly always the kernel takes it whole, and the
// loop need not hear of it.
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "sink/dialer.hpp"
#include "sink/stream.hpp"

namespace shardgate::sink {
namespace {

namespace asio = boost::asio;

class plain_stream final : public stream {
public:
    plain_stream(const loop_executor& loop, const endpoint& to)
        : socket_(loop), dialer_(socket_, to) {}

    void connect(owner keep) override {
        dialer_.start([keep = std::move(keep)](const error_code& ec, std::string_view detail) {
            keep->on_connected(ec, detail);
        });
    }

    void read(char* to, std::size_t size, owner keep) override {
        socket_.async_read_some(asio::buffer(to, size),
                                [keep = std::move(keep)](const error_code& ec, std::size_t n) {
                                    keep->on_read(ec, n);
                                });
    }

    write_result write(const std::vector<std::string_view>& pieces, owner keep) override {
        buffers_.clear();
        std::size_t total = 0;
        for (const std::string_view piece : pieces) {
            buffers_.emplace_back(piece.data(), piece.size());
            total += piece.size();
        }
        error_code ec;
        const std::size_t sent = socket_.write_some(buffers_, ec);
        if (!ec && sent == total) return write_result::all;
        if (ec && ec != asio::error::would_block && ec != asio::error::try_again)
            return write_result::failed;
        drop_front(sent);
        asio::async_write(socket_, buffers_,
                          [keep = std::move(keep)](const error_code& failed, std::size_t) {
                              keep->on_written(failed);
                          });
        return write_result::later;
    }

    void close() noexcept override {
        error_code ignored;
        dialer_.stop();
        socket_.close(ignored);
    }

private:
    void drop_front(std::size_t size) {
        auto first = buffers_.begin();
        while (size > 0 && size >= first->size())
            size -= (first++)->size();
        buffers_.erase(buffers_.begin(), first);
        if (size > 0) buffers_.front() += size;
    }

    dialer::socket socket_;
    dialer dialer_;
    std::vector<asio::const_buffer> buffers_;
};

}  // namespace

std::unique_ptr<stream> make_plain_stream(const loop_executor& loop, const endpoint& to) {
    return std::make_unique<plain_stream>(loop, to);
}

}  // namespace shardgate::sink
