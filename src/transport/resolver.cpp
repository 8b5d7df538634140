// SPDX-License-Identifier: Apache-2.0
// Host names to addresses, off the loop. The helper threads share only `board` with the loop; it
// outlives whichever side ends first.
#include "shardgate/transport/resolver.hpp"

#include <netdb.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace shardgate {

namespace asio = boost::asio;

namespace {

// A stuck getaddrinfo holds its thread; more than a few stuck hosts wait for each other.
constexpr std::size_t max_threads = 4;
// Different hosts asked for at once: every shard has at most one resume host.
constexpr std::size_t max_questions = 1024;

error_code from_getaddrinfo(int status) {
    if (status == EAI_SYSTEM) return {errno, boost::system::system_category()};
    if (status == EAI_NONAME || status == EAI_NODATA) return asio::error::host_not_found;
    if (status == EAI_MEMORY) return asio::error::no_memory;
    if (status == EAI_FAIL) return asio::error::no_recovery;
    return asio::error::host_not_found_try_again;
}

error_code ask_system(const std::string& host, resolver::addresses& found) {
    ::addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG;
    ::addrinfo* list = nullptr;
    const int status = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
    if (status != 0) return from_getaddrinfo(status);
    for (const ::addrinfo* one = list; one != nullptr; one = one->ai_next) {
        if (one->ai_family == AF_INET) {
            ::sockaddr_in v4{};
            std::memcpy(&v4, one->ai_addr, sizeof v4);
            found.emplace_back(asio::ip::address_v4(ntohl(v4.sin_addr.s_addr)));
        } else if (one->ai_family == AF_INET6) {
            ::sockaddr_in6 v6{};
            std::memcpy(&v6, one->ai_addr, sizeof v6);
            asio::ip::address_v6::bytes_type bytes;
            std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
            found.emplace_back(asio::ip::address_v6(bytes, v6.sin6_scope_id));
        }
    }
    ::freeaddrinfo(list);
    return found.empty() ? error_code(asio::error::host_not_found) : error_code();
}

}  // namespace

struct resolver::ticket::wait {
    std::weak_ptr<impl> owner;
    std::string host;
    callback done;               // empty once withdrawn or called
    asio::any_io_executor work;  // keeps the loop running until the answer
};

struct resolver::impl : std::enable_shared_from_this<resolver::impl> {
    using wait = resolver::ticket::wait;

    // What a helper thread may touch. `open` is guarded by `mutex` together with posting: once it
    // is closed, nobody posts to a loop that may be gone.
    struct board {
        struct job {
            std::uint64_t number = 0;
            std::string host;
            question ask;
            asio::any_io_executor loop;
        };
        std::mutex mutex;
        bool open = true;
        std::size_t threads = 0;
        std::deque<job> jobs;
        std::weak_ptr<impl> owner;

        static void work(const std::shared_ptr<board>& self);
        void answer(const job& asked, const error_code& code, addresses found);
    };
    struct pending {
        std::uint64_t number = 0;
        std::vector<std::shared_ptr<wait>> waits;
        std::unique_ptr<asio::steady_timer> deadline;
    };

    std::shared_ptr<board> shared = std::make_shared<board>();
    std::map<std::string, pending> questions;
    question ask = &ask_system;
    duration deadline = std::chrono::seconds(10);
    std::uint64_t last_number = 0;
    resolver_stats stats;

    void start(const asio::any_io_executor& loop, const std::string& host, pending& p);
    bool dispatch(const asio::any_io_executor& loop, const std::string& host, pending& p);
    void finish(const std::string& host, std::uint64_t number, const error_code& code,
                const addresses& found);
    void withdrawn(const std::string& host);
};

void resolver::impl::board::answer(const job& asked, const error_code& code, addresses found) {
    auto tell = [who = owner, host = asked.host, number = asked.number, code,
                 got = std::move(found)] {
        if (const auto alive = who.lock()) alive->finish(host, number, code, got);
    };
    asio::post(asked.loop, std::move(tell));
}

void resolver::impl::board::work(const std::shared_ptr<board>& self) {
    std::unique_lock lock(self->mutex);
    while (self->open && !self->jobs.empty()) {
        job now = std::move(self->jobs.front());
        self->jobs.pop_front();
        lock.unlock();
        addresses found;
        const error_code code = now.ask(now.host, found);
        lock.lock();
        if (self->open) self->answer(now, code, std::move(found));
        // `now` and its executor go while the lock is held: shutdown() waits for it.
    }
    --self->threads;
}

bool resolver::impl::dispatch(const asio::any_io_executor& loop, const std::string& host,
                              pending& p) {
    const std::lock_guard lock(shared->mutex);
    if (shared->jobs.size() >= max_questions) return false;
    board::job job;
    job.number = p.number;
    job.host = host;
    job.ask = ask;
    job.loop = asio::prefer(loop, asio::execution::outstanding_work.untracked);
    shared->jobs.push_back(std::move(job));
    if (shared->threads >= max_threads) return true;
    try {
        std::thread(&board::work, shared).detach();
        ++shared->threads;
    } catch (const std::system_error&) {
        if (shared->threads > 0) return true;  // one that runs will come to it
        shared->jobs.pop_back();
        return false;
    }
    return true;
}

void resolver::impl::start(const asio::any_io_executor& loop, const std::string& host, pending& p) {
    ++stats.lookups;
    p.number = ++last_number;
    p.deadline = std::make_unique<asio::steady_timer>(loop);
    const bool asked = dispatch(loop, host, p);
    if (!asked) ++stats.refused;
    p.deadline->expires_after(asked ? deadline : duration::zero());
    auto expired = [weak = weak_from_this(), host, number = p.number,
                    asked](const error_code& code) {
        const auto alive = weak.lock();
        if (code || !alive) return;
        if (asked) ++alive->stats.timed_out;
        const error_code why = asked ? asio::error::timed_out : asio::error::no_buffer_space;
        alive->finish(host, number, why, addresses());
    };
    p.deadline->async_wait(std::move(expired));
}

void resolver::impl::finish(const std::string& host, std::uint64_t number, const error_code& code,
                            const addresses& found) {
    const auto at = questions.find(host);
    if (at == questions.end() || at->second.number != number) return;
    // Out of the table first, so that a callback may ask again; a thread that is still asking is
    // forgotten with it.
    const pending answered = std::move(at->second);
    questions.erase(at);
    answered.deadline->cancel();
    for (const std::shared_ptr<wait>& w : answered.waits) {
        const callback done = std::exchange(w->done, nullptr);
        w->work = asio::any_io_executor();
        if (done) done(code, found);
    }
}

// A question nobody waits for is given up, so that its deadline does not hold the loop.
void resolver::impl::withdrawn(const std::string& host) {
    const auto at = questions.find(host);
    if (at == questions.end()) return;
    for (const std::shared_ptr<wait>& w : at->second.waits)
        if (w->done) return;
    at->second.deadline->cancel();
    questions.erase(at);
}

resolver::ticket& resolver::ticket::operator=(ticket&& other) noexcept {
    if (this == &other) return *this;
    withdraw();
    wait_ = std::move(other.wait_);
    return *this;
}

void resolver::ticket::withdraw() noexcept {
    const std::shared_ptr<wait> w = std::move(wait_);
    if (!w || !w->done) return;
    w->done = nullptr;
    w->work = asio::any_io_executor();
    if (const auto owner = w->owner.lock()) owner->withdrawn(w->host);
}

asio::execution_context::id resolver::id;

resolver::resolver(asio::execution_context& context)
    : service(context), impl_(std::make_shared<impl>()) {
    impl_->shared->owner = impl_;
}
resolver::~resolver() = default;

resolver& resolver::of(const asio::any_io_executor& loop) {
    return asio::use_service<resolver>(asio::query(loop, asio::execution::context));
}

resolver::ticket resolver::lookup(const asio::any_io_executor& loop, std::string host,
                                  callback done) {
    ticket t;
    t.wait_ = std::make_shared<ticket::wait>();
    t.wait_->owner = impl_;
    t.wait_->done = std::move(done);
    error_code not_literal;
    const auto literal = asio::ip::make_address(host, not_literal);
    t.wait_->host = std::move(host);
    if (!not_literal) {
        auto answer = [w = t.wait_, literal] {
            const callback call = std::exchange(w->done, nullptr);
            if (call) call(error_code(), addresses{literal});
        };
        asio::post(loop, std::move(answer));
        return t;
    }
    t.wait_->work = asio::prefer(loop, asio::execution::outstanding_work.tracked);
    const auto [at, first] = impl_->questions.try_emplace(t.wait_->host);
    at->second.waits.push_back(t.wait_);
    if (first)
        impl_->start(loop, t.wait_->host, at->second);
    else
        ++impl_->stats.shared;
    return t;
}

const resolver_stats& resolver::stats() const noexcept {
    return impl_->stats;
}

void resolver::replace(question ask, duration deadline) {
    impl_->ask = std::move(ask);
    impl_->deadline = deadline;
}

void resolver::shutdown() noexcept {
    {
        const std::lock_guard lock(impl_->shared->mutex);
        impl_->shared->open = false;
        impl_->shared->jobs.clear();
    }
    // A ticket may outlive the loop; what it holds must not refer to it. Out of the table first: a
    // callback's end may be another ticket's.
    const auto all = std::exchange(impl_->questions, {});
    for (const auto& [host, p] : all)
        for (const auto& w : p.waits) {
            w->done = nullptr;
            w->work = asio::any_io_executor();
        }
}

}  // namespace shardgate
