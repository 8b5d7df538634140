// SPDX-License-Identifier: Apache-2.0
#include "sim/director.hpp"

#include <algorithm>

namespace shardgate::sim {

using namespace std::chrono_literals;

director::director(const options& o, world& w, publisher& out, interactions& book, truth& sent,
                   std::uint64_t seed)
    : options_(o),
      world_(w),
      out_(out),
      interactions_(book),
      truth_(sent),
      random_(seed),
      repeats_(o, out, mix(seed, 7)),
      texts_(o.encoding.decoys) {}

place director::place_in(std::uint32_t index) {
    place where;
    where.in = &world_.at(index);
    // Half of the talk is in the first channel.
    const std::uint32_t c = random_.below(2) == 0 ? 0 : random_.below(where.in->channels);
    where.channel = world::channel(*where.in, c);
    return where;
}

occurrence director::about(event_kind kind, const place& where) const {
    const event_type& type = type_of(kind);
    occurrence what;
    what.t = type.name;
    what.guild = where.in ? where.in->id : 0;
    what.lane = where.in ? where.in->id : where.channel;
    what.intent = where.in ? type.guild_intent : type.dm_intent;
    if (on_shard_zero(kind)) {
        // An order between it and what its guild's own shard tells does not exist.
        what.lane = kind == event_kind::entitlement && where.in ? where.in->id + 1 : bot_id();
        what.guild = 0;
    }
    return what;
}

bool director::happen(event_kind kind, std::uint32_t index, const moment& now, manner how) {
    using enum event_kind;
    switch (kind) {
    case message_create:
    case message_reply:
    case message_bot:
    case message_file:
    case message_poll: return create_message(kind, index, place_in(index).channel, false, now, how);
    case message_edit: return message_then(message_edit, index, now, how);
    case message_unfurl: return message_then(message_unfurl, index, now, how);
    case interaction_command: return interact(2, false, place_in(index), now) != 0;
    case interaction_component: return interact(3, false, place_in(index), now) != 0;
    case interaction_autocomplete: return interact(4, false, place_in(index), now) != 0;
    case interaction_modal: return interact(5, random_.below(2) == 0, place_in(index), now) != 0;
    default: return plain(kind, place_in(index), now);
    }
}

bool director::happen_in_dm(event_kind kind, std::size_t dm, const moment& now, manner how) {
    using enum event_kind;
    if (world_.dms() == 0) return false;
    place where;
    where.channel = world_.dm(dm % world_.dms());
    switch (kind) {
    case message_create:
    case message_reply:
    case message_bot:
    case message_file:
    case message_poll: return create_message(kind, std::nullopt, where.channel, false, now, how);
    case interaction_command: return interact(2, false, where, now) != 0;
    case interaction_component: return interact(3, false, where, now) != 0;
    case interaction_autocomplete: return interact(4, false, where, now) != 0;
    case interaction_modal: return interact(5, true, where, now) != 0;
    case typing:
    case reaction_add:
    case reaction_remove:
    case message_delete: return plain(kind, where, now);
    default: return false;  // does not exist outside a guild
    }
}

bool director::plain(event_kind kind, const place& where, const moment& now) {
    texts_.now(now.unix_ms);
    // Deletes and reactions are about a message of that guild if one is remembered.
    std::uint64_t id = ids_.next(now.unix_ms);
    place at = where;
    if (!recent_.empty() &&
        (kind == event_kind::message_delete || kind == event_kind::reaction_add ||
         kind == event_kind::reaction_remove)) {
        const known_message& known = recent_[random_.below(recent_.size())];
        const message& m = known.m;
        if (m.where.in == where.in && (where.in || m.where.channel == where.channel)) {
            id = m.id;
            at.channel = m.where.channel;
            if (kind == event_kind::message_delete && known.deleted) *known.deleted = true;
        }
    }
    const std::uint64_t seed = random_.next();
    occurrence what = about(kind, at);
    const auto write = [&](std::string& d) { texts_.write(d, kind, at, id, seed); };
    publisher::writer bare;
    if (kind == event_kind::auto_moderation)
        bare = [&](std::string& d) { texts_.write(d, kind, at, id, seed, false); };
    const std::uint64_t n = out_.publish(what, write, now.at, bare);
    if (n != 0 && repeats::equal_by_nature(kind))
        repeats_.happened(what, at.in, n, out_.text(), now.at);
    return n != 0;
}

bool director::create_message(event_kind shape, std::optional<std::uint32_t> index,
                              std::uint64_t channel, bool ephemeral, const moment& now,
                              manner how) {
    texts_.now(now.unix_ms);
    known_message known;
    known.guild = index;
    known.m.id = ids_.next(now.unix_ms);
    known.m.where.channel = channel;
    if (index && !ephemeral) known.m.where.in = &world_.at(*index);
    known.m.seed = random_.next();
    known.m.shape = shape;
    known.m.created_ms = now.unix_ms;
    known.m.ephemeral = ephemeral;
    concern(known.m, how);
    const occurrence what = about(shape, known.m.where);
    const auto write = [&](std::string& d) { texts_.write(d, known.m); };
    const auto bare = [&](std::string& d) { texts_.write(d, known.m, false); };
    known.create_n = out_.publish(what, write, now.at, bare);
    if (known.create_n == 0) return false;
    plan(known, now);
    if (recent_.size() < recent_max)
        recent_.push_back(std::move(known));
    else
        recent_[recent_next_++ % recent_max] = std::move(known);
    return true;
}

void director::plan(known_message& known, const moment& now) {
    const encoding_options& e = options_.encoding;
    bool unfurled = false;
    const auto add = [&](event_kind kind, duration after) {
        if (later_.size() >= later_max) {
            ++later_dropped_;
            return;
        }
        if (!known.deleted) known.deleted = std::make_shared<bool>(false);
        follow_up f;
        f.due = now.at + options_.scaled(after);
        f.kind = kind;
        f.of = known;
        f.of.m.unfurled = unfurled;
        later_.push(std::move(f));
    };
    const auto after = [&](milliseconds low, milliseconds spread) {
        return low + milliseconds(random_.below(static_cast<std::uint64_t>(spread.count())));
    };
    // Always the unfurl first: it repeats the message as it was created.
    if (random_.chance(e.unfurls)) {
        add(event_kind::message_unfurl, after(300ms, 700ms));
        unfurled = true;
    }
    if (random_.chance(e.edits)) add(event_kind::message_edit, after(2000ms, 5000ms));
}

bool director::update(known_message& known, event_kind kind, const moment& now) {
    texts_.now(now.unix_ms);
    if (known.m.where.in && !(known.m.where.in->present && known.m.where.in->available))
        return false;
    occurrence what = about(kind, known.m.where);
    bool partial = false;
    if (kind == event_kind::message_unfurl) {
        known.m.unfurled = true;
        partial = random_.chance(options_.encoding.partial_updates);
        what.unfurl = true;
        what.about = known.create_n;
        what.expected = out_.expected().unfurls;
        // Without its MESSAGE_CREATE the daemon cannot know that nothing else changed; a partial
        // object says nothing of the rest.
        if (truth_.was_lost(known.create_n) || partial) what.expected = expectation::may_arrive;
        what.may_repeat = false;
    } else {
        ++known.m.edits;
        known.m.edited_ms = now.unix_ms;
        what.may_repeat = false;  // its copy would be an update without a change
    }
    const auto text = [&](std::string& d, bool content) {
        if (partial)
            texts_.write_partial(d, known.m, content);
        else
            texts_.write(d, known.m, content);
    };
    const auto write = [&](std::string& d) { text(d, true); };
    const auto bare = [&](std::string& d) { text(d, false); };
    return out_.publish(what, write, now.at, bare) != 0;
}

// By the message's own seed: the world is the same whoever reads it.
void director::concern(message& m, manner how) const {
    const encoding_options& e = options_.encoding;
    m.own = how.own || rng(mix(m.seed, 0x0b07)).chance(e.own_messages);
    m.mentions_bot = how.mentions_bot || rng(mix(m.seed, 0xa7)).chance(e.mentions);
}

bool director::message_then(event_kind then, std::uint32_t index, const moment& now, manner how) {
    const place where = place_in(index);
    texts_.now(now.unix_ms);
    known_message known;
    known.guild = index;
    known.m.id = ids_.next(now.unix_ms);
    known.m.where = where;
    known.m.seed = random_.next();
    known.m.created_ms = now.unix_ms;
    concern(known.m, how);
    const occurrence what = about(event_kind::message_create, where);
    const auto write = [&](std::string& d) { texts_.write(d, known.m); };
    const auto bare = [&](std::string& d) { texts_.write(d, known.m, false); };
    known.create_n = out_.publish(what, write, now.at, bare);
    if (known.create_n == 0) return false;
    return update(known, then, now);
}

void director::tick(const moment& now) {
    repeats_.tick(now.at);
    while (!later_.empty() && later_.top().due <= now.at) {
        follow_up f = later_.top();
        later_.pop();
        if (!*f.of.deleted) update(f.of, f.kind, now);
    }
}

bool director::ephemeral(std::uint32_t index, const moment& now) {
    // No guild_id, on shard 0, under DIRECT_MESSAGES (fact sheet 11.4).
    return create_message(event_kind::message_create, index, place_in(index).channel, true, now);
}

bool director::invented(std::string_view name, std::uint32_t index, const moment& now) {
    texts_.now(now.unix_ms);
    const place where = place_in(index);
    occurrence what = about(event_kind::unknown_event, where);
    what.t = name;
    const std::uint64_t id = ids_.next(now.unix_ms);
    const auto write = [&](std::string& d) {
        texts_.write(d, event_kind::unknown_event, where, id, id);
    };
    return out_.publish(what, write, now.at) != 0;
}

bool director::padding(std::uint32_t index, std::size_t bytes, const moment& now) {
    const place where = place_in(index);
    occurrence what = about(event_kind::unknown_event, where);
    what.t = "SIMULATED_BULK";
    const auto write = [&](std::string& d) { texts_.write_padding(d, where, bytes); };
    return out_.publish(what, write, now.at) != 0;
}

std::uint64_t director::interact(std::uint32_t type, bool from_component, const place& where,
                                 const moment& now, bool on_message) {
    texts_.now(now.unix_ms);
    interaction i;
    i.on_message = type == 2 && on_message;
    i.id = ids_.next(now.unix_ms);
    i.where = where;
    i.seed = random_.next();
    i.type = type;
    i.from_component = type == 5 && from_component;
    i.token = interactions_.create(snowflake{i.id}, type, i.from_component, i.seed, now.at);
    occurrence what = about(event_kind::interaction_command, where);
    what.interaction = snowflake{i.id};
    const auto write = [&](std::string& d) { texts_.write(d, i); };
    const std::uint64_t n = out_.publish(what, write, now.at);
    if (n == 0) {
        interactions_.forget(snowflake{i.id});
        return 0;
    }
    interactions_.number(snowflake{i.id}, n, where.channel);
    return i.id;
}

bool director::guild_event(std::string_view t, std::uint32_t index, const publisher::writer& write,
                           const moment& now, std::string_view mark) {
    occurrence what;
    what.t = t;
    what.guild = what.lane = world_.at(index).id;
    what.intent = 0;  // GUILDS
    what.may_repeat = false;
    what.guild_mark = mark;
    return out_.publish(what, write, now.at) != 0;
}

std::uint64_t director::join_guild(const moment& now,
                                   std::optional<std::pair<std::uint32_t, std::uint32_t>> on) {
    std::uint64_t id = ids_.next(now.unix_ms);
    // A later millisecond is another shard.
    for (std::int64_t later = 1; on && (id >> 22) % on->second != on->first; ++later)
        id = ids_.next(now.unix_ms + later);
    std::uint64_t made = id ^ (random_.next() & 0x3ffffU);
    while (world_.find(made))  // of the same millisecond
        made = id ^ (random_.next() & 0x3ffffU);
    const std::uint32_t index = world_.join(made);
    const guild& g = world_.at(index);
    const auto write = [&](std::string& d) {
        texts_.write_guild(d, g, guild_create_reason::joined);
    };
    return guild_event("GUILD_CREATE", index, write, now, "joined") ? g.id : 0;
}

bool director::leave_guild(std::uint32_t index, const moment& now) {
    const std::uint64_t id = world_.at(index).id;
    world_.leave(index);
    const auto write = [&](std::string& d) {
        json_text w(d);
        w(R"({"id":)").id(id);
    };
    return guild_event("GUILD_DELETE", index, write, now, "left");
}

bool director::outage(std::uint32_t index, const moment& now) {
    const std::uint64_t id = world_.at(index).id;
    world_.set_available(index, false);
    const auto write = [&](std::string& d) {
        json_text w(d);
        w(R"({"unavailable":true,"id":)").id(id);
    };
    return guild_event("GUILD_DELETE", index, write, now, "unavailable");
}

bool director::back(std::uint32_t index, const moment& now) {
    world_.set_available(index, true);
    out_.answer_loading(index, world_.at(index).id);
    const auto write = [&](std::string& d) {
        texts_.write_guild(d, world_.at(index), guild_create_reason::back);
    };
    return guild_event("GUILD_CREATE", index, write, now, "available");
}

std::uint64_t director::on_their_way() const noexcept {
    return truth_.totals().missing();
}

void director::clear() {
    repeats_.clear();
    recent_.clear();
    recent_next_ = 0;
    later_ = {};
    later_dropped_ = 0;
}

}  // namespace shardgate::sim
