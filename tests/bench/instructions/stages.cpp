// SPDX-License-Identifier: Apache-2.0
// Each pure stage of an event's way, run so many times and nothing else, for a program that counts
// instructions: the difference of two lengths is what the stage costs, whatever starting up does.
//
//   bench_instructions --list           the stages' names
//   bench_instructions STAGE EVENTS     runs one
//   bench_instructions --about          what the numbers depend on, as JSON
#include <gnu/libc-version.h>
#include <openssl/crypto.h>
#include <simdjson.h>
#include <zlib.h>
#include <zstd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "event_stream.hpp"
#include "shardgate/delivery/delivery.hpp"
#include "shardgate/filter/stage.hpp"
#include "shardgate/transport/inflate.hpp"
#include "sim/compressor.hpp"
#include "sink/request_writer.hpp"
#include "sink/response_reader.hpp"

namespace shardgate::bench {
namespace {

// What a stage has done, so that it cannot be left out and a failure shows.
using outcome = std::uint64_t;

constexpr std::uint64_t events_max = 4 * event_stream::count;

std::vector<dispatch> all_dispatches() {
    std::vector<dispatch> out;
    scanner scan;
    for (std::size_t i = 0; i < event_stream::count; ++i)
        out.push_back(shared_stream().at(i, scan));
    return out;
}

outcome scan_frames(std::uint64_t events) {
    scanner scan;
    outcome done = 0;
    for (std::uint64_t i = 0; i < events; ++i)
        done += scan.scan(shared_stream().frame(i)).has_value() ? 1U : 0U;
    return done;
}

struct counting final : dispatch_sink {
    void push(const dispatch&) override { ++passed; }
    outcome passed = 0;
};

// The sequence number goes on, or the stage would see every event after the first round again.
outcome filter(std::uint64_t events) {
    auto dispatches = all_dispatches();
    counting next;
    config::filter rules;
    rules.guild_create = config::guild_create_mode::pass;
    filter_stage stage(rules, next, nullptr);
    for (std::uint64_t i = 0; i < events; ++i) {
        dispatch& d = dispatches[i % event_stream::count];
        d.seq = seq_no{i + 1};
        stage.push(d);
    }
    return next.passed;
}

outcome copy(std::uint64_t events) {
    const auto dispatches = all_dispatches();
    outcome done = 0;
    for (std::uint64_t i = 0; i < events; ++i)
        done += queued_event::from(dispatches[i % event_stream::count]) ? 1U : 0U;
    return done;
}

outcome deliver(std::uint64_t events) {
    const auto dispatches = all_dispatches();
    random_source random(1);
    config::handler handler;
    config::queue queue;
    queue.overflow = config::overflow_policy::drop_oldest;
    delivery d(handler, queue, config::interactions{}, "bench", random, nullptr);
    const time_point now = time_point{} + std::chrono::hours(1);
    const wall_ms wall{std::chrono::milliseconds(1700000000000)};
    delivery_outcome accepted;
    accepted.status = 204;
    outcome done = 0;
    for (std::uint64_t i = 0; i < events; ++i) {
        dispatch event = dispatches[i % event_stream::count];
        event.seq = seq_no{i + 1};
        event.received = now;
        d.push(event);
        const auto request = d.next_request(now);
        if (!request) continue;
        d.on_outcome(request->id, accepted, now, wall);
        ++done;
    }
    return done;
}

outcome render(std::uint64_t events, bool with_signature) {
    const auto queued = shared_stream().events();
    config::handler handler;
    handler.authorization = secret("a secret of usual length, 40 characters");
    if (with_signature) handler.signing_keys.emplace_back("signing key");
    sink::request_writer writer(handler, 1);
    const std::string head =
        writer.constant_head(*sink::parse_endpoint("http://127.0.0.1:8080/events"));
    sink::rendered_requests rendered;
    std::vector<std::string_view> pieces;
    delivery_request request;
    request.items.emplace_back();
    outcome done = 0;
    for (std::uint64_t i = 0; i < events; ++i) {
        request.items.front().event = queued[i % queued.size()];
        writer.render(request, head, wall_ms{std::chrono::milliseconds(1700000000000)}, rendered);
        pieces.clear();
        rendered.pieces(pieces);
        done += pieces.empty() ? 0U : 1U;
        rendered.clear();
    }
    return done;
}

outcome render_plain(std::uint64_t events) {
    return render(events, false);
}
outcome render_signed(std::uint64_t events) {
    return render(events, true);
}

outcome read_answer(std::uint64_t events) {
    const std::string_view answer = "HTTP/1.1 204 No Content\r\n\r\n";
    sink::response_reader reader;
    outcome done = 0;
    for (std::uint64_t i = 0; i < events; ++i) {
        std::size_t used = 0;
        auto what = reader.read(answer, used);
        if (what == sink::response_reader::event::head)
            what = reader.read(answer.substr(used), used);
        done += what == sink::response_reader::event::done ? 1U : 0U;
    }
    return done;
}

outcome inflate(std::uint64_t events, config::compression kind, sim::compression from) {
    const auto compress = sim::make_compressor(from, {});
    inflate_buffer buffer;
    const auto inflater = make_inflater(kind, 1U << 20, buffer);
    // A stream cannot begin again. Always as much of it, so that the difference of two lengths does
    // not have the compressor's work in it.
    std::vector<std::string> messages(events_max);
    for (std::size_t i = 0; i < messages.size(); ++i)
        compress->add(shared_stream().frame(i), messages[i]);
    outcome done = 0;
    for (std::uint64_t i = 0; i < events; ++i) {
        const auto payload = inflater->feed(messages[i]);
        done += payload && *payload ? 1U : 0U;
    }
    return done;
}

outcome inflate_zstd(std::uint64_t events) {
    return inflate(events, config::compression::zstd_stream, sim::compression::zstd_stream);
}
outcome inflate_zlib(std::uint64_t events) {
    return inflate(events, config::compression::zlib_stream, sim::compression::zlib_stream);
}

struct stage {
    std::string_view name;
    outcome (*run)(std::uint64_t);
};

constexpr std::array<stage, 9> stages{{{"inflate zstd", inflate_zstd},
                                       {"inflate zlib", inflate_zlib},
                                       {"scan", scan_frames},
                                       {"filter", filter},
                                       {"copy", copy},
                                       {"deliver", deliver},
                                       {"render", render_plain},
                                       {"render signed", render_signed},
                                       {"read answer", read_answer}}};

#if defined(__x86_64__)
// By what glibc, simdjson, zstd and OpenSSL choose their code.
struct feature {
    const char* name;
    unsigned leaf;
    unsigned word;  // of eax, ebx, ecx, edx
    unsigned bit;
};
constexpr std::array<feature, 18> features{{{"pclmul", 1, 2, 1},
                                            {"ssse3", 1, 2, 9},
                                            {"fma", 1, 2, 12},
                                            {"sse4.1", 1, 2, 19},
                                            {"sse4.2", 1, 2, 20},
                                            {"movbe", 1, 2, 22},
                                            {"popcnt", 1, 2, 23},
                                            {"aes", 1, 2, 25},
                                            {"avx", 1, 2, 28},
                                            {"bmi1", 7, 1, 3},
                                            {"avx2", 7, 1, 5},
                                            {"bmi2", 7, 1, 8},
                                            {"erms", 7, 1, 9},
                                            {"rtm", 7, 1, 11},
                                            {"avx512f", 7, 1, 16},
                                            {"sha", 7, 1, 29},
                                            {"fsrm", 7, 3, 4},
                                            {"lzcnt", 0x80000001U, 2, 5}}};

std::string processor() {
    std::string out = "x86_64";
    for (const feature& f : features) {
        std::array<unsigned, 4> words{};
        const int known = __get_cpuid_count(f.leaf, 0, words.data(), words.data() + 1,
                                            words.data() + 2, words.data() + 3);
        if (known != 0 && (words.at(f.word) >> f.bit & 1U) != 0) out += std::string(" ") + f.name;
    }
    return out;
}
#else
std::string processor() {
    return "not x86_64";
}
#endif

int about() {
    std::printf(R"({"compiler": "%s", "libc": "%s", "cpu": "%s", "simdjson": "%d.%d.%d %s", )"
                R"("openssl": "%s", "zstd": "%s", "zlib": "%s"})"
                "\n",
                __VERSION__, gnu_get_libc_version(), processor().c_str(),
                simdjson::SIMDJSON_VERSION_MAJOR, simdjson::SIMDJSON_VERSION_MINOR,
                simdjson::SIMDJSON_VERSION_REVISION,
                simdjson::get_active_implementation()->name().c_str(),
                OpenSSL_version(OPENSSL_VERSION_STRING), ZSTD_versionString(), zlibVersion());
    return 0;
}

}  // namespace
}  // namespace shardgate::bench

int main(int argc, char** argv) {
    using namespace shardgate::bench;
    const std::string_view first = argc > 1 ? argv[1] : "";
    if (first == "--about") return about();
    if (first == "--list") {
        for (const stage& s : stages)
            std::printf("%s\n", std::string(s.name).c_str());
        return 0;
    }
    for (const stage& s : stages) {
        if (argc != 3 || s.name != first) continue;
        const std::uint64_t events = std::strtoull(argv[2], nullptr, 10);
        if (events > events_max) break;
        const std::uint64_t done = s.run(events);
        std::printf("%llu\n", static_cast<unsigned long long>(done));
        // The filter may drop some; everything else does all of them.
        return done > events / 2 ? 0 : 1;
    }
    std::fprintf(stderr, "usage: bench_instructions --list | --about | STAGE EVENTS\n");
    return 64;
}
