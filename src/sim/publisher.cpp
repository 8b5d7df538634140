// SPDX-License-Identifier: Apache-2.0
#include "sim/publisher.hpp"

#include <algorithm>

#include "sim/frame.hpp"
#include "sim/link.hpp"

namespace shardgate::sim {

publisher::publisher(const options& o, session_store& sessions, truth& book, std::uint64_t seed)
    : options_(o), sessions_(sessions), truth_(book), random_(seed) {}

ring_entry& publisher::push(session& to) {
    const replay_ring& ring = to.ring;
    if (ring.size() == ring.depth()) {
        const ring_entry& oldest = *ring.find(ring.first());
        const bool unsent = oldest.seq >= to.cursor;
        const bool unsure = !to.connection && !to.orderly && oldest.seq > to.acked;
        if (oldest.n != 0 && (unsent || unsure)) note_lost(to, oldest, "ring overrun");
    }
    ++copies_;
    return to.ring.push();
}

void publisher::note_lost(const session& s, const ring_entry& e, std::string_view why) {
    if (e.what != ring_entry::shape::guild_create && sessions_.elsewhere(s, e.lane, e.n)) return;
    truth_.lost(e.n, why);
}

void publisher::frame(session& to, ring_entry& slot, std::string_view t, std::string_view d) {
    if (options_.encoding.shuffle_keys)
        write_dispatch_shuffled(slot.text, t, slot.seq, d, random_);
    else
        write_dispatch(slot.text, t, slot.seq, d);
    if (to.connection) to.connection->io->wake();
}

void publisher::gap(session& to) {
    push(to).what = ring_entry::shape::gap;
}

expectation publisher::expect(const occurrence& what) const {
    const auto dropped = [&] {
        if (!expected_.only.empty() && !expected_.only.contains(what.t)) return true;
        return expected_.drop.contains(what.t);
    };
    return dropped() ? expectation::filtered : what.expected;
}

void publisher::tell(const occurrence& what, expectation expected, std::uint64_t n,
                     time_point now) {
    sent_event e(n, what.t, what.lane);
    e.expected = expected;
    e.unfurl = what.unfurl;
    e.about = what.about;
    e.interaction = what.interaction;
    truth_.sent(e, now);
}

std::uint64_t publisher::publish(const occurrence& what, const writer& write, time_point now) {
    targets_.clear();
    sessions_.owners(what.guild, targets_);
    if (what.intent >= 0)
        std::erase_if(targets_,
                      [&](const session* s) { return (s->intents >> what.intent & 1U) == 0; });
    if (targets_.empty()) return 0;

    const encoding_options& e = options_.encoding;
    const std::uint64_t n = e.numbers ? next_n_++ : 0;
    d_.clear();
    write(d_);
    payloads::finish(d_, n);
    ++events_;
    const auto counted = by_name_.find(what.t);
    if (counted != by_name_.end())
        ++counted->second;
    else
        by_name_.emplace(what.t, 1);
    if (n != 0) tell(what, expect(what), n, now);

    const bool twice = what.may_repeat && random_.chance(e.duplicates);
    if (twice && n != 0) truth_.sent_again(n);
    for (session* to : targets_) {
        for (int copy = 0; copy < (twice ? 2 : 1); ++copy) {
            if (random_.chance(e.gaps)) gap(*to);
            ring_entry& slot = push(*to);
            slot.n = n;
            slot.lane = what.guild == 0 ? 0 : what.guild;
            frame(*to, slot, what.t, d_);
        }
    }
    return n != 0 ? n : UINT64_MAX;
}

void publisher::direct(session& to, std::string_view t, std::string_view d) {
    frame(to, push(to), t, d);
}

void publisher::load_guild(session& to, std::uint32_t index, std::uint64_t guild, time_point now) {
    occurrence what;
    what.t = "GUILD_CREATE";
    what.guild = what.lane = guild;
    what.expected = expected_.loading_guilds;
    const std::uint64_t n = options_.encoding.numbers ? next_n_++ : 0;
    if (n != 0) tell(what, expect(what), n, now);
    ring_entry& slot = push(to);
    slot.what = ring_entry::shape::guild_create;
    slot.n = n;
    slot.lane = guild;
    slot.guild = index;
    ++events_;
    ++by_name_["GUILD_CREATE"];
    if (to.connection) to.connection->io->wake();
}

void publisher::load_unavailable(session& to, std::uint64_t guild, bool as_create, time_point now) {
    occurrence what;
    what.t = as_create ? "GUILD_CREATE" : "GUILD_DELETE";
    what.guild = what.lane = guild;
    what.expected = expectation::may_arrive;
    const std::uint64_t n = options_.encoding.numbers ? next_n_++ : 0;
    if (n != 0) tell(what, expect(what), n, now);
    std::string d;
    json_text w(d);
    w(R"({"unavailable":true,"id":)").id(guild);
    // A stub must stay one: {id, unavailable} and the number.
    payloads::finish(d, n);
    ring_entry& slot = push(to);
    slot.n = n;
    slot.lane = guild;
    ++events_;
    ++by_name_[std::string(what.t)];
    frame(to, slot, what.t, d);
}

void publisher::answer_loading(std::uint32_t index, std::uint64_t guild) {
    targets_.clear();
    sessions_.owners(guild, targets_);
    for (session* s : targets_)
        std::erase(s->loading, index);
}

void publisher::abandon(const session& s, std::string_view why) {
    const std::uint64_t from = s.orderly ? s.cursor : std::min(s.cursor, s.acked + 1);
    for (std::uint64_t seq = std::max(from, s.ring.first()); seq <= s.ring.last(); ++seq) {
        const ring_entry& e = *s.ring.find(seq);
        if (e.n != 0) note_lost(s, e, why);
    }
}

void publisher::render(const ring_entry& e, const guild& g, payloads& texts, std::string& out) {
    std::string d;
    d.reserve(32U << 10);
    texts.write_guild(d, g, guild_create_reason::loading);
    payloads::finish(d, e.n);
    if (options_.encoding.shuffle_keys)
        write_dispatch_shuffled(out, "GUILD_CREATE", e.seq, d, random_);
    else
        write_dispatch(out, "GUILD_CREATE", e.seq, d);
}

boost::json::object publisher::counts_by_name() const {
    boost::json::object out;
    for (const auto& [name, count] : by_name_)
        out[name] = count;
    return out;
}

void publisher::clear() {
    events_ = copies_ = 0;
    by_name_.clear();
}

}  // namespace shardgate::sim
