// SPDX-License-Identifier: Apache-2.0
// Discord's side of transport compression, for tests: one stream, flushed per payload.
#pragma once

#include <zlib.h>
#include <zstd.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace shardgate::testing {

class zlib_deflater {
public:
    zlib_deflater() { ::deflateInit(&stream_, 6); }
    ~zlib_deflater() { ::deflateEnd(&stream_); }
    zlib_deflater(const zlib_deflater&) = delete;
    zlib_deflater& operator=(const zlib_deflater&) = delete;

    std::string add(std::string_view payload, int flush = Z_SYNC_FLUSH) {
        std::string in(payload);
        std::string out(::deflateBound(&stream_, static_cast<uLong>(in.size())) + 64, '\0');
        stream_.next_in = reinterpret_cast<Bytef*>(in.data());
        stream_.avail_in = static_cast<uInt>(in.size());
        stream_.next_out = reinterpret_cast<Bytef*>(out.data());
        stream_.avail_out = static_cast<uInt>(out.size());
        ::deflate(&stream_, flush);
        if (stream_.avail_in != 0) throw std::logic_error("the test's output is too small");
        out.resize(out.size() - stream_.avail_out);
        return out;
    }

private:
    ::z_stream stream_{};
};

class zstd_deflater {
public:
    explicit zstd_deflater(int window_log = 18) : context_(::ZSTD_createCCtx()) {
        ::ZSTD_CCtx_setParameter(context_, ZSTD_c_windowLog, window_log);
    }
    ~zstd_deflater() { ::ZSTD_freeCCtx(context_); }
    zstd_deflater(const zstd_deflater&) = delete;
    zstd_deflater& operator=(const zstd_deflater&) = delete;

    std::string add(std::string_view payload, ZSTD_EndDirective end = ZSTD_e_flush) {
        std::string out(::ZSTD_compressBound(payload.size()) + 1024, '\0');
        ::ZSTD_inBuffer in{payload.data(), payload.size(), 0};
        ::ZSTD_outBuffer to{out.data(), out.size(), 0};
        while (::ZSTD_compressStream2(context_, &to, &in, end) != 0)
            if (to.pos == to.size) throw std::logic_error("the test's output is too small");
        out.resize(to.pos);
        return out;
    }

private:
    ::ZSTD_CCtx* context_;
};

}  // namespace shardgate::testing
