// SPDX-License-Identifier: Apache-2.0
#include "base/log_writer.hpp"

#include <poll.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace shardgate::log {

namespace {

bool wait_writable(int descriptor) {
    pollfd p{descriptor, POLLOUT, 0};
    return ::poll(&p, 1, 1000) == 1;
}

class line_sink final : public spdlog::sinks::base_sink<std::mutex> {
public:
    explicit line_sink(int descriptor) : descriptor_(descriptor) {}

    [[nodiscard]] std::uint64_t handled() {
        const std::lock_guard lock(count_mutex_);
        return handled_;
    }
    [[nodiscard]] std::uint64_t failed() {
        const std::lock_guard lock(count_mutex_);
        return failed_;
    }
    // `enough(handled)` is asked after every line.
    template <class Enough>
    bool wait(std::chrono::milliseconds limit, Enough enough) {
        std::unique_lock lock(count_mutex_);
        return handled_changed_.wait_for(lock, limit, [&] { return enough(handled_); });
    }

protected:
    void sink_it_(const spdlog::details::log_msg& m) override {
        const bool written =
            write_line(descriptor_, std::string_view(m.payload.data(), m.payload.size()));
        const std::lock_guard lock(count_mutex_);
        ++handled_;
        if (!written) ++failed_;
        handled_changed_.notify_all();
    }
    void flush_() override {}

private:
    const int descriptor_;
    std::mutex count_mutex_;
    std::condition_variable handled_changed_;
    std::uint64_t handled_ = 0, failed_ = 0;
};

}  // namespace

bool write_line(int descriptor, std::string_view line) {
    std::string text;
    text.reserve(line.size() + 1);
    text.append(line).push_back('\n');
    std::string_view rest = text;
    while (!rest.empty()) {
        const ssize_t n = ::write(descriptor, rest.data(), rest.size());
        if (n >= 0)
            rest.remove_prefix(static_cast<std::size_t>(n));
        else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (!wait_writable(descriptor)) return false;
        } else if (errno != EINTR)
            return false;
    }
    return true;
}

struct writer::impl {
    impl(int descriptor, std::size_t capacity)
        : pool(std::make_shared<spdlog::details::thread_pool>(capacity, 1)),
          sink(std::make_shared<line_sink>(descriptor)),
          logger(std::make_shared<spdlog::async_logger>(
              "shardgate", sink, pool, spdlog::async_overflow_policy::overrun_oldest)) {
        logger->set_level(spdlog::level::trace);
        logger->flush_on(spdlog::level::off);
        // spdlog would print its own complaint to the console, among our lines.
        logger->set_error_handler([](const std::string&) {});
    }

    [[nodiscard]] std::uint64_t overrun() const { return pool->overrun_counter(); }

    std::shared_ptr<spdlog::details::thread_pool> pool;
    std::shared_ptr<line_sink> sink;
    std::shared_ptr<spdlog::async_logger> logger;
    mutable std::mutex mutex;  // posted
    std::uint64_t posted = 0;
};

writer::writer(int descriptor, std::size_t capacity)
    : impl_(std::make_unique<impl>(descriptor, capacity)) {}

writer::~writer() {
    // The pool's destructor joins its thread. Where that thread hangs in write(), everything it
    // uses is left to the end of the process instead, reachable from here.
    if (drain(std::chrono::seconds(2))) return;
    static auto* const abandoned = new std::vector<std::unique_ptr<impl>>;
    abandoned->push_back(std::move(impl_));
}

void writer::post(std::string_view line) {
    {
        const std::lock_guard lock(impl_->mutex);
        ++impl_->posted;
    }
    impl_->logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

bool writer::drain(std::chrono::milliseconds limit) {
    const std::uint64_t goal = [this] {
        const std::lock_guard lock(impl_->mutex);
        return impl_->posted;
    }();
    const auto enough = [this, goal](std::uint64_t handled) {
        return handled + impl_->overrun() >= goal;
    };
    return impl_->sink->wait(limit, enough);
}

std::uint64_t writer::lost() const {
    return impl_->overrun() + impl_->sink->failed();
}

}  // namespace shardgate::log
