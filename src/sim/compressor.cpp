// SPDX-License-Identifier: Apache-2.0
#include "sim/compressor.hpp"

#include <zlib.h>
#include <zstd.h>

#include <stdexcept>

namespace shardgate::sim {

namespace {

// On the stack and copied: most payloads fill a hundredth of it, and a string would zero it first.
constexpr std::size_t step = 16U << 10;

class zlib_compressor final : public compressor {
public:
    explicit zlib_compressor(int level) {
        if (deflateInit(&stream_, level) != Z_OK) throw std::runtime_error("deflateInit failed");
    }
    ~zlib_compressor() override { deflateEnd(&stream_); }
    zlib_compressor(const zlib_compressor&) = delete;
    zlib_compressor& operator=(const zlib_compressor&) = delete;

    void add(std::string_view payload, std::string& out) override {
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(payload.data()));
        stream_.avail_in = static_cast<uInt>(payload.size());
        char space[step];
        do {
            stream_.next_out = reinterpret_cast<Bytef*>(space);
            stream_.avail_out = static_cast<uInt>(step);
            deflate(&stream_, Z_SYNC_FLUSH);
            out.append(space, step - stream_.avail_out);
            // Free output space tells that the flush is complete (zlib manual, deflate).
        } while (stream_.avail_out == 0);
    }

private:
    z_stream stream_{};
};

class zstd_compressor final : public compressor {
public:
    zstd_compressor(int level, int window_log) : stream_(ZSTD_createCCtx()) {
        if (!stream_) throw std::runtime_error("ZSTD_createCCtx failed");
        set(ZSTD_c_compressionLevel, level);
        set(ZSTD_c_windowLog, window_log);
    }
    ~zstd_compressor() override { ZSTD_freeCCtx(stream_); }
    zstd_compressor(const zstd_compressor&) = delete;
    zstd_compressor& operator=(const zstd_compressor&) = delete;

    void add(std::string_view payload, std::string& out) override {
        ZSTD_inBuffer in{payload.data(), payload.size(), 0};
        char bytes[step];
        for (std::size_t left = 1; left != 0;) {
            ZSTD_outBuffer space{bytes, step, 0};
            left = ZSTD_compressStream2(stream_, &space, &in, ZSTD_e_flush);
            if (ZSTD_isError(left) != 0U) throw std::runtime_error(ZSTD_getErrorName(left));
            out.append(bytes, space.pos);
        }
    }

private:
    void set(ZSTD_cParameter parameter, int value) {
        if (ZSTD_isError(ZSTD_CCtx_setParameter(stream_, parameter, value)) != 0U)
            throw std::runtime_error("zstd refuses a parameter");
    }

    ZSTD_CCtx* stream_;
};

}  // namespace

std::unique_ptr<compressor> make_compressor(compression kind, const compressor_options& options) {
    switch (kind) {
    case compression::zlib_stream: return std::make_unique<zlib_compressor>(options.zlib_level);
    case compression::zstd_stream:
        return std::make_unique<zstd_compressor>(options.zstd_level, options.zstd_window_log);
    default: return nullptr;
    }
}

std::string compress_alone(std::string_view payload) {
    uLongf size = compressBound(static_cast<uLong>(payload.size()));
    std::string out(size, '\0');
    if (compress(reinterpret_cast<Bytef*>(out.data()), &size,
                 reinterpret_cast<const Bytef*>(payload.data()),
                 static_cast<uLong>(payload.size())) != Z_OK)
        throw std::runtime_error("compress failed");
    out.resize(size);
    return out;
}

}  // namespace shardgate::sim
