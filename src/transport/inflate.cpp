// SPDX-License-Identifier: Apache-2.0
// Discord's transport compression: zlib-stream, zstd-stream and none.
#include "shardgate/transport/inflate.hpp"

#define ZLIB_CONST  // next_in is read only
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

namespace shardgate {
namespace {

using payload = result<std::optional<std::string_view>>;

// The decoder's window, which a frame's header asks for: 8 MiB, what zstd's own tools accept from a
// stream. Discord's encoder uses far less.
constexpr int max_zstd_window_log = 23;

// Ends each zlib payload (Discord docs, Gateway, Transport Compression): an empty stored block.
constexpr std::string_view flush_mark("\x00\x00\xff\xff", 4);

failure too_big(std::size_t limit) {
    return failure(make_error_code(boost::system::errc::message_size),
                   "a payload above " + std::to_string(limit) + " bytes");
}

failure corrupt(std::string_view what) {
    return failure(make_error_code(boost::system::errc::illegal_byte_sequence),
                   "a corrupt " + std::string(what));
}

// Where output goes: the shared buffer, up to one byte more than a payload may have, so that "full"
// and "too big" can be told apart.
class output {
public:
    output(inflate_buffer& buffer, std::size_t limit) : buffer_(buffer), limit_(limit) {}

    [[nodiscard]] char* at() noexcept { return buffer_.data() + used_; }
    [[nodiscard]] std::size_t room() const noexcept {
        return std::min(buffer_.capacity(), limit_ + 1) - used_;
    }
    void took(std::size_t bytes) noexcept { used_ += bytes; }
    [[nodiscard]] bool over() const noexcept { return used_ > limit_; }
    // More room, unless the limit is reached.
    void widen() {
        const std::size_t wanted =
            std::min(limit_ + 1, std::max<std::size_t>(buffer_.capacity() * 2, 4096));
        buffer_.grow(used_, wanted);
    }
    // Nothing came out: no payload (a stream's first bytes alone, say).
    [[nodiscard]] payload done() {
        if (used_ == 0) return std::optional<std::string_view>();
        return std::optional<std::string_view>(std::string_view(buffer_.data(), used_));
    }

private:
    inflate_buffer& buffer_;
    std::size_t limit_;
    std::size_t used_ = 0;
};

class pass_through final : public inflater {
public:
    explicit pass_through(std::size_t limit) : limit_(limit) {}
    payload feed(std::string_view message) override {
        if (message.size() > limit_) return too_big(limit_);
        return std::optional<std::string_view>(message);
    }

private:
    std::size_t limit_;
};

class zlib_stream final : public inflater {
public:
    zlib_stream(std::size_t limit, inflate_buffer& buffer) : limit_(limit), buffer_(buffer) {
        if (::inflateInit(&stream_) != Z_OK) throw std::bad_alloc();
    }
    ~zlib_stream() override { ::inflateEnd(&stream_); }
    zlib_stream(const zlib_stream&) = delete;
    zlib_stream& operator=(const zlib_stream&) = delete;

    payload feed(std::string_view message) override {
        if (failed_) return corrupt("zlib stream");
        if (held_.empty() && ends_payload(message)) return inflate_all(message);
        if (message.size() > limit_ - held_.size()) {
            failed_ = true;
            return too_big(limit_);
        }
        held_.append(message);
        if (!ends_payload(held_)) return std::optional<std::string_view>();
        const std::string whole = std::exchange(held_, std::string());
        return inflate_all(whole);
    }

private:
    static bool ends_payload(std::string_view bytes) {
        return bytes.size() >= flush_mark.size() &&
               bytes.substr(bytes.size() - flush_mark.size()) == flush_mark;
    }

    payload inflate_all(std::string_view bytes) {
        output out(buffer_, limit_);
        failed_ = true;  // until the end is reached
        while (true) {
            // avail_in is 32 bits wide; a payload is not, in principle.
            const std::size_t part =
                std::min<std::size_t>(bytes.size(), std::numeric_limits<::uInt>::max());
            stream_.next_in = reinterpret_cast<const ::Bytef*>(bytes.data());
            stream_.avail_in = static_cast<::uInt>(part);
            const std::size_t room =
                std::min<std::size_t>(out.room(), std::numeric_limits<::uInt>::max());
            stream_.next_out = reinterpret_cast<::Bytef*>(out.at());
            stream_.avail_out = static_cast<::uInt>(room);
            const int status = ::inflate(&stream_, Z_SYNC_FLUSH);
            bytes.remove_prefix(part - stream_.avail_in);
            out.took(room - stream_.avail_out);
            // Z_BUF_ERROR: nothing could be done, which is right when all has been read. The
            // stream never ends while its connection lives.
            if (status != Z_OK && status != Z_BUF_ERROR) return corrupt("zlib stream");
            if (out.over()) return too_big(limit_);
            if (stream_.avail_out == 0) {
                out.widen();
                continue;
            }
            if (bytes.empty()) break;
            if (status == Z_BUF_ERROR) return corrupt("zlib stream");
        }
        failed_ = false;
        return out.done();
    }

    std::size_t limit_;
    inflate_buffer& buffer_;
    ::z_stream stream_{};
    std::string held_;  // compressed bytes of a payload whose end has not come
    bool failed_ = false;
};

class zstd_stream final : public inflater {
public:
    zstd_stream(std::size_t limit, inflate_buffer& buffer)
        : limit_(limit), buffer_(buffer), stream_(::ZSTD_createDCtx()) {
        if (!stream_) throw std::bad_alloc();
        ::ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, max_zstd_window_log);
    }

    payload feed(std::string_view message) override {
        if (failed_) return corrupt("zstd stream");
        output out(buffer_, limit_);
        ::ZSTD_inBuffer in{message.data(), message.size(), 0};
        failed_ = true;  // until the end is reached
        while (true) {
            ::ZSTD_outBuffer to{out.at(), out.room(), 0};
            // The frame never ends, so the value is not 0 (or is, at an end: the next message
            // begins another frame); only an error is one.
            const std::size_t status = ::ZSTD_decompressStream(stream_.get(), &to, &in);
            out.took(to.pos);
            if (::ZSTD_isError(status) != 0) return corrupt("zstd stream");
            if (out.over()) return too_big(limit_);
            if (to.pos == to.size) {
                out.widen();
                continue;
            }
            if (in.pos == in.size) break;
        }
        failed_ = false;
        return out.done();
    }

private:
    struct free_stream {
        void operator()(::ZSTD_DCtx* s) const { ::ZSTD_freeDCtx(s); }
    };
    std::size_t limit_;
    inflate_buffer& buffer_;
    std::unique_ptr<::ZSTD_DCtx, free_stream> stream_;
    bool failed_ = false;
};

}  // namespace

std::unique_ptr<inflater> make_inflater(config::compression kind, std::size_t max_payload,
                                        inflate_buffer& buffer) {
    switch (kind) {
    case config::compression::zlib_stream:
        return std::make_unique<zlib_stream>(max_payload, buffer);
    case config::compression::zstd_stream:
        return std::make_unique<zstd_stream>(max_payload, buffer);
    case config::compression::none: break;
    }
    return std::make_unique<pass_through>(max_payload);
}

}  // namespace shardgate
