// SPDX-License-Identifier: Apache-2.0
#include "sim/faults.hpp"

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>

namespace shardgate::sim {

namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 20> kind_names{
    "close",     "fin",     "reset",       "reconnect",     "invalid_session",
    "silence",   "no_ack",  "drip",        "garbage",       "unknown_op",
    "huge",      "bulk",    "corrupt",     "ask_heartbeat", "delay_hello",
    "tls_stall", "upgrade", "resume_dead", "forget",        "no_ready"};
constexpr std::array<std::string_view, 5> phase_names{"connect", "hello", "ready", "live",
                                                      "replay"};

template <std::size_t N>
std::optional<std::size_t> index_of(const std::array<std::string_view, N>& names,
                                    const json::value* v) {
    if (!v || !v->is_string()) return std::nullopt;
    const std::string_view wanted(v->get_string().data(), v->get_string().size());
    const auto at = std::find(names.begin(), names.end(), wanted);
    if (at == names.end()) return std::nullopt;
    return static_cast<std::size_t>(at - names.begin());
}

// A number member into `to`; false when it is there and no whole number from 0 on.
template <class T>
bool read(const json::object& o, std::string_view key, T& to) {
    const json::value* v = o.if_contains(key);
    if (!v) return true;
    if (!v->is_int64() || v->get_int64() < 0) return false;
    to = static_cast<T>(v->get_int64());
    return true;
}

bool read_shards(const json::object& o, fault& f) {
    const json::value* v = o.if_contains("shards");
    if (!v || (v->is_string() && v->get_string() == "all")) return true;
    if (!v->is_array()) return false;
    for (const json::value& one : v->get_array()) {
        if (!one.is_int64() || one.get_int64() < 0) return false;
        f.shards.insert(static_cast<std::uint32_t>(one.get_int64()));
    }
    return true;
}

fault_phase usual_phase(fault_kind kind) {
    if (kind == fault_kind::tls_stall || kind == fault_kind::upgrade) return fault_phase::connect;
    if (kind == fault_kind::delay_hello) return fault_phase::hello;
    if (kind == fault_kind::no_ready) return fault_phase::ready;
    return fault_phase::live;
}

// What makes no sense at a phase would silently do nothing.
bool possible(const fault& f) {
    using enum fault_kind;
    const bool early = f.kind == tls_stall || f.kind == upgrade;
    if (f.kind == no_ready) return f.phase == fault_phase::ready;
    switch (f.phase) {
    case fault_phase::connect: return early || f.kind == reset || f.kind == fin;
    case fault_phase::hello:
        return !early && f.kind != bulk && f.kind != no_ack && f.kind != invalid_session &&
               f.kind != resume_dead && f.kind != forget;
    default: return !early && f.kind != delay_hello && !(f.kind == forget && f.armed());
    }
}

}  // namespace

std::string_view name_of(fault_kind kind) noexcept {
    return kind_names[static_cast<std::size_t>(kind)];
}

std::string_view name_of(fault_phase phase) noexcept {
    return phase_names[static_cast<std::size_t>(phase)];
}

result<fault> read_fault(const json::value& v, const options& o, time_point now) {
    if (!v.is_object()) return failure("an object is wanted");
    const json::object& in = v.get_object();
    fault f;
    const auto kind = index_of(kind_names, in.if_contains("kind"));
    if (!kind) return failure("kind: unknown; see docs/simulator.md");
    f.kind = static_cast<fault_kind>(*kind);
    f.phase = usual_phase(f.kind);
    if (const json::value* phase = in.if_contains("phase")) {
        const auto at = index_of(phase_names, phase);
        if (!at) return failure("phase: connect, hello, ready, live or replay");
        f.phase = static_cast<fault_phase>(*at);
    }
    std::int64_t for_ms = 0;
    std::int64_t delay_ms = 30000;
    const bool numbers = read(in, "next", f.next) && read(in, "for_ms", for_ms) &&
                         read(in, "code", f.code) && read(in, "status", f.status) &&
                         read(in, "bytes", f.bytes) && read(in, "after", f.after) &&
                         read(in, "delay_ms", delay_ms) && read(in, "shard_count", f.shard_count);
    if (!numbers) return failure("a number is not a whole number from 0 on");
    if (!read_shards(in, f)) return failure("shards: \"all\" or an array of numbers");
    if (const json::value* resumable = in.if_contains("resumable"))
        f.resumable = resumable->is_bool() && resumable->get_bool();
    if (const json::value* share = in.if_contains("share")) {
        if (!share->is_number()) return failure("share: a number from 0 to 1");
        f.share = share->to_number<double>();
    }
    if (f.bytes == 0) f.bytes = f.kind == fault_kind::huge ? 40ULL << 20 : 16ULL << 20;
    if (f.bytes > 256ULL << 20) return failure("bytes: at most 256 MiB");
    f.delay = o.scaled(milliseconds(delay_ms));
    if (for_ms > 0) f.until = now + milliseconds(for_ms);
    if (!possible(f)) return failure("this kind cannot happen in this phase");
    const bool unknown = f.phase == fault_phase::connect || f.phase == fault_phase::hello;
    if (unknown && (!f.shards.empty() || f.shard_count != 0))
        return failure("shards, shard_count: nobody knows the shard in this phase");
    // Only live connections can be met at once.
    const bool waits = f.phase != fault_phase::live && f.kind != fault_kind::resume_dead;
    if (waits && !f.armed()) f.next = 1;
    return f;
}

std::optional<fault> fault_plan::take(fault_phase phase, std::optional<std::uint32_t> shard,
                                      std::uint32_t shard_count, time_point now) {
    std::erase_if(armed_, [&](const fault& f) { return f.until && *f.until <= now; });
    for (auto at = armed_.begin(); at != armed_.end(); ++at) {
        const bool mine = at->shards.empty() || (shard && at->shards.contains(*shard));
        const bool set = at->shard_count == 0 || at->shard_count == shard_count;
        if (at->phase != phase || !mine || !set) continue;
        fault taken = *at;
        ++taken_;
        if (at->next != 0 && --at->next == 0) armed_.erase(at);
        return taken;
    }
    return std::nullopt;
}

json::array fault_plan::report(time_point now) const {
    json::array out;
    for (const fault& f : armed_) {
        json::object o{{"kind", name_of(f.kind)}, {"phase", name_of(f.phase)}};
        if (f.next != 0) o["next"] = f.next;
        if (f.until) o["for_ms"] = std::chrono::duration_cast<milliseconds>(*f.until - now).count();
        if (f.shard_count != 0) o["shard_count"] = f.shard_count;
        json::array shards;
        for (const std::uint32_t s : f.shards)
            shards.push_back(s);
        if (!shards.empty()) o["shards"] = std::move(shards);
        out.push_back(std::move(o));
    }
    return out;
}

}  // namespace shardgate::sim
