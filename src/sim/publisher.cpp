// SPDX-License-Identifier: Apache-2.0
#include "sim/publisher.hpp"

#include <algorithm>

#include "sim/frame.hpp"
#include "sim/link.hpp"

namespace shardgate::sim {

namespace {

bool reads_content(const session& s) noexcept {
    return (s.intents >> 15U & 1U) != 0;  // MESSAGE_CONTENT
}

}  // namespace

publisher::publisher(const options& o, session_store& sessions, truth& book, std::uint64_t seed)
    : options_(o), sessions_(sessions), truth_(book), random_(seed) {}

ring_entry& publisher::push(session& to, const given& g, time_point now) {
    const replay_ring& ring = to.ring;
    if (ring.size() == ring.depth()) {
        const ring_entry& oldest = *ring.find(ring.first());
        const bool unsent = oldest.seq >= to.cursor;
        const bool unsure = !to.connection && !to.orderly && oldest.seq > to.acked;
        if (unsent || unsure) {
            to.miss(oldest);
            if (oldest.n != 0) note_lost(to, oldest, "ring overrun");
        }
    }
    ++copies_;
    ring_entry& slot = to.ring.push();
    slot.n = g.n;
    slot.event = g.event;
    slot.lane = g.guild;
    slot.repetition = g.repetition;
    if (g.event != 0) to.last_event = g.event;
    if (options_.gateway.lag.count() != 0) {
        const duration late = to.lag.at(now, options_.scaled(options_.gateway.lag), options_.scale);
        slot.due = to.last_due = std::max(to.last_due, now + late);
    }
    return slot;
}

void publisher::note_lost(const session& s, const ring_entry& e, std::string_view why) {
    if (e.what != ring_entry::shape::guild_create && sessions_.elsewhere(s, e.lane, e.event))
        return;
    truth_.lost(e.n, why, e.repetition);
}

// A connection that waits for what is not due yet finds the rest by itself.
void publisher::wake(session& to) {
    if (to.connection && !to.connection->due_at) to.connection->io->wake();
}

void publisher::frame(session& to, ring_entry& slot, std::string_view t, std::string_view d) {
    if (options_.encoding.shuffle_keys)
        write_dispatch_shuffled(slot.text, t, slot.seq, d, random_);
    else
        write_dispatch(slot.text, t, slot.seq, d);
    wake(to);
}

expectation expectations::loading(const session& s) const {
    const auto total = totals.find(s.shards);
    if (total != totals.end()) return total->second;
    return s.second && resharding ? *resharding : loading_guilds;
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
    e.guild_mark = what.guild_mark;
    truth_.sent(e, now);
}

void publisher::find_targets(const occurrence& what) {
    targets_.clear();
    sessions_.owners(what.guild, targets_);
    if (what.intent >= 0)
        std::erase_if(targets_,
                      [&](const session* s) { return (s->intents >> what.intent & 1U) == 0; });
}

void publisher::count(std::string_view t) {
    ++events_;
    const auto counted = by_name_.find(t);
    if (counted != by_name_.end())
        ++counted->second;
    else
        by_name_.emplace(t, 1);
}

void publisher::give(const occurrence& what, const given& g, std::string_view d,
                     std::string_view bare, bool twice, time_point now) {
    for (session* to : targets_) {
        const std::string_view text = bare.empty() || reads_content(*to) ? d : bare;
        if (text.data() != d.data() && text != d) ++bare_copies_;
        for (int copy = 0; copy < (twice ? 2 : 1); ++copy) {
            if (random_.chance(options_.encoding.gaps))
                push(*to, {}, now).what = ring_entry::shape::gap;
            frame(*to, push(*to, g, now), what.t, text);
        }
    }
}

std::uint64_t publisher::publish(const occurrence& what, const writer& write, time_point now,
                                 const writer& bare) {
    find_targets(what);
    if (targets_.empty()) return 0;

    const encoding_options& e = options_.encoding;
    const std::uint64_t n = e.numbers ? next_n_++ : 0;
    d_.clear();
    write(d_);
    payloads::finish(d_, n);
    bare_.clear();
    if (bare && !std::all_of(targets_.begin(), targets_.end(),
                             [](const session* s) { return reads_content(*s); })) {
        bare(bare_);
        payloads::finish(bare_, n);
    }
    count(what.t);
    if (n != 0) tell(what, expect(what), n, now);
    const bool twice = what.may_repeat && random_.chance(e.duplicates);
    if (twice && n != 0) truth_.sent_again(n);
    give(what, {n, ++history_, what.guild, 0}, d_, bare_, twice, now);
    return n != 0 ? n : UINT64_MAX;
}

bool publisher::repeat(const occurrence& what, std::uint64_t n, std::uint32_t times,
                       std::string_view d, time_point now) {
    find_targets(what);
    if (targets_.empty()) return false;
    const bool numbered = n != 0 && n != UINT64_MAX;
    // Whose first one is lost has no number that could still be told from it.
    if (numbered && truth_.was_lost(n)) return false;
    count(what.t);
    if (numbered) truth_.happened_again(n);
    give(what, {numbered ? n : 0, ++history_, what.guild, times}, d, {}, false, now);
    return true;
}

void publisher::direct(session& to, std::string_view t, std::string_view d, time_point now) {
    frame(to, push(to, {}, now), t, d);
}

void publisher::load_guild(session& to, std::uint32_t index, std::uint64_t guild, time_point now) {
    occurrence what;
    what.t = "GUILD_CREATE";
    what.guild = what.lane = guild;
    what.expected = expected_.loading(to);
    what.guild_mark = "loaded";
    const std::uint64_t n = options_.encoding.numbers ? next_n_++ : 0;
    if (n != 0) tell(what, expect(what), n, now);
    ring_entry& slot = push(to, {n, ++history_, guild, 0}, now);
    slot.what = ring_entry::shape::guild_create;
    slot.guild = index;
    count(what.t);
    wake(to);
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
    ring_entry& slot = push(to, {n, ++history_, guild, 0}, now);
    count(what.t);
    frame(to, slot, what.t, d);
}

void publisher::answer_loading(std::uint32_t index, std::uint64_t guild) {
    targets_.clear();
    sessions_.owners(guild, targets_);
    for (session* s : targets_)
        std::erase(s->loading, index);
}

void publisher::abandon(const session& s, std::string_view why) {
    for (std::uint64_t seq = std::max(s.not_had(), s.ring.first()); seq <= s.ring.last(); ++seq) {
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
    events_ = copies_ = bare_copies_ = 0;
    by_name_.clear();
}

}  // namespace shardgate::sim
