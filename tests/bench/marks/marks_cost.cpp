// SPDX-License-Identifier: Apache-2.0
// One event's way through the pure stages (scan, filter, delivery, request text), with the
// safe marks or without: script/bench --marks counts the instructions of both and compares.
// Inflating and sockets are left out, so that the share of the marks comes out larger than it is.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "event_stream.hpp"
#include "shardgate/delivery/delivery.hpp"
#include "shardgate/filter/stage.hpp"
#include "sink/request_writer.hpp"

namespace shardgate::bench {
namespace {

constexpr std::uint64_t events_a_second = 40'000;

class delivery_end final : public dispatch_sink {
public:
    delivery_end(bool marks, time_point start) : marks_(marks) {
        queue_.overflow = config::overflow_policy::spill;
        core_ = std::make_unique<delivery>(handler_, queue_, config::interactions{}, "bench",
                                           random_, nullptr);
        if (marks_) core_->restore({}, start, wall_);
    }

    void push(const dispatch& event) override {
        core_->push(event);
        while (auto request = core_->next_request(event.received)) {
            writer_.render(*request, head_, wall_, rendered_);
            pieces_.clear();
            rendered_.pieces(pieces_);
            rendered_.clear();
            delivery_outcome accepted;
            accepted.status = 204;
            core_->on_outcome(request->id, accepted, event.received, wall_);
        }
        if (!marks_) return;
        // What the loop does after each event, and once a second.
        (void)core_->spool_due(event.received);
        if (event.seq.value % events_a_second != 0) return;
        safe_ = core_->first_unsafe(event.gen, event.shard, true).value_or(event.seq).value;
        (void)core_->next_changes(false, event.received, wall_);
        core_->on_changes_stored(event.received);
    }

    [[nodiscard]] std::uint64_t accepted() const { return core_->snapshot().accepted; }

private:
    bool marks_;
    config::handler handler_;
    config::queue queue_;
    random_source random_{1};
    wall_ms wall_{std::chrono::milliseconds(1700000000000)};
    std::unique_ptr<delivery> core_;
    sink::request_writer writer_{handler_, 1};
    std::string head_ =
        writer_.constant_head(*sink::parse_endpoint("http://127.0.0.1:8080/events"));
    sink::rendered_requests rendered_;
    std::vector<std::string_view> pieces_;
    std::uint64_t safe_ = 0;
};

int run(bool marks, std::uint64_t events) {
    const event_stream& stream = shared_stream();
    scanner scan;
    const time_point start = time_point{} + std::chrono::hours(1);
    delivery_end end(marks, start);
    filter_stage filter(config::filter{}, end, nullptr);
    for (std::uint64_t i = 1; i <= events; ++i) {
        dispatch event = stream.at(i, scan);
        event.seq = seq_no{i};
        event.received = start + std::chrono::microseconds(1'000'000 / events_a_second) * i;
        filter.push(event);
    }
    std::printf("%llu\n", static_cast<unsigned long long>(end.accepted()));
    return end.accepted() > events / 2 ? 0 : 1;
}

}  // namespace
}  // namespace shardgate::bench

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: bench_marks on|off EVENTS\n");
        return 64;
    }
    return shardgate::bench::run(std::strcmp(argv[1], "on") == 0,
                                 std::strtoull(argv[2], nullptr, 10));
}
