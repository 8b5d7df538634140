// SPDX-License-Identifier: Apache-2.0
// What happens in a crash_world.
#include "unit/delivery/crash_world.hpp"

#include <algorithm>

namespace shardgate::testing {

namespace {

constexpr std::uint64_t guilds = 5;
constexpr std::array names{"TYPING_START", "PRESENCE_UPDATE", "MESSAGE_UPDATE", "MESSAGE_CREATE",
                           "GUILD_MEMBER_ADD"};

}  // namespace

crash_world::crash_world(std::uint64_t s) : seed(s), random(s) {
    handler.connections = 1 + static_cast<std::uint32_t>(pick(6));
    if (chance(20)) handler.ordering = config::ordering_mode::shard;
    if (chance(20)) handler.batch_events = 4;
    queue.max_events = 8 + pick(60);
    queue.overflow = config::overflow_policy::spill;
    queue.spill_max_bytes = chance(70) ? 10ULL << 30 : 20'000 + pick(20'000);
    queue.dead_letters_max = 1000;
    interactions.auto_defer = false;
    for (std::uint32_t i = 0; i < shard_total; ++i)
        shards[i].session = std::make_shared<const std::string>("s" + std::to_string(i) + ".0");
    start_process();
    for (std::uint32_t i = 0; i < shard_total; ++i)
        begin_session(i);
}

wall_ms crash_world::wall() const {
    return wall_ms{std::chrono::milliseconds(1'760'000'000'000)} +
           std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
}

void crash_world::start_process() {
    core = std::make_unique<delivery>(handler, queue, interactions, "run" + std::to_string(++runs),
                                      random, static_cast<delivery_listener*>(this));
    spool_contents c;
    c.last_position = files.last_position;
    std::map<std::pair<int, std::uint64_t>, spool_lane> lanes;
    std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint64_t> epochs;
    for (const auto& [position, r] : files.rows) {
        ++c.rows;
        c.bytes += r.bytes;
        ++c.by_class[static_cast<std::size_t>(r.rank)];
        spool_lane& l = lanes[{static_cast<int>(r.row.lane.what), r.row.lane.id}];
        if (l.rows++ == 0) l.first = position, l.lane = r.row.lane;
        ++epochs[{r.row.event->shard.value, r.row.epoch}];
    }
    for (const auto& [key, l] : lanes)
        c.lanes.push_back(l);
    std::sort(c.lanes.begin(), c.lanes.end(),
              [](const spool_lane& a, const spool_lane& b) { return a.first < b.first; });
    for (const auto& [key, n] : epochs)
        c.epochs.push_back({generation{1}, shard_id{key.first}, key.second, n});
    for (const auto& [number, d] : files.dead)
        c.dead.push_back(d);
    c.notes.assign(files.notes.begin(), files.notes.end());
    core->restore(c, now, wall());
}

void crash_world::begin_session(std::uint32_t shard) {
    gateway& g = shards[shard];
    g.session = std::make_shared<const std::string>("s" + std::to_string(shard) + "." +
                                                    std::to_string(++g.number));
    g.events.clear();
    g.received = g.trimmed = 0;
    safe_before[shard] = 0;
    g.events.push_back({1, 0, "READY", false});
    events[*g.session + "-1"] = {++sent, 0};
    push(shard, g.events.back());
}

void crash_world::send_something() {
    const auto shard = static_cast<std::uint32_t>(pick(shard_total));
    gateway& g = shards[shard];
    const std::uint64_t guild = chance(10) ? 0 : 1 + shard + shard_total * pick(guilds);
    const sent_event e{g.events.size() + 1, guild, names[pick(names.size())], chance(15)};
    g.events.push_back(e);
    events[*g.session + "-" + std::to_string(e.seq)] = {++sent, guild, e.filtered};
    push(shard, e);
}

void crash_world::push(std::uint32_t shard, const sent_event& sent_one) {
    gateway& g = shards[shard];
    g.received = std::max(g.received, sent_one.seq);
    if (sent_one.filtered) return;
    const std::string d = R"({"pad":")" + std::string(100 + pick(200), 'x') + R"("})";
    const std::string frame = R"({"op":0,"t":")" + sent_one.name + R"(","s":)" +
                              std::to_string(sent_one.seq) + R"(,"d":)" + d + "}";
    dispatch e;
    e.shard = shard_id{shard};
    e.shards = shard_count{shard_total};
    e.gen = generation{1};
    e.session = &g.session;
    e.seq = seq_no{sent_one.seq};
    e.event = find_event(sent_one.name);
    e.name = sent_one.name;
    e.frame = frame;
    e.d = std::string_view(frame).substr(frame.size() - d.size() - 1, d.size());
    e.fields.guild = snowflake{sent_one.guild};
    e.received = now;
    e.received_wall = wall();
    core->push(e);
}

void crash_world::pull() {
    while (auto r = core->next_request(now))
        flights.push_back(std::move(*r));
}

void crash_world::answer_something(bool well) {
    if (flights.empty()) return;
    const std::size_t i = pick(flights.size());
    const delivery_request r = std::move(flights[i]);
    flights.erase(flights.begin() + static_cast<std::ptrdiff_t>(i));
    delivery_outcome o;
    if (well || (handler_up && chance(80))) {
        o.status = 200;
    } else if (handler_up && chance(30)) {
        o.status = 422;
    } else if (chance(50)) {
        o.status = 503;
    } else {
        o.timed_out = true;
    }
    // What timed out may have been taken all the same.
    if (o.status == 200 || (o.timed_out && handler_up && chance(50)))
        for (const delivery_item& item : r.items)
            on_delivered(*item.event);
    core->on_outcome(r.id, o, now, wall());
    // Refused, or failed again and again while others did not: out of its lane's order for good.
    for (const dead_letter& l : core->dead_letters(1000))
        if (!l.event->is_own()) events[key_of(*l.event)].dead_once = true;
}

std::uint64_t crash_world::safe(std::uint32_t shard, bool after_batch) const {
    const gateway& g = shards[shard];
    const auto unsafe = core->first_unsafe(generation{1}, shard_id{shard}, after_batch);
    return unsafe ? std::min(g.received, unsafe->value - 1) : g.received;
}

void crash_world::apply(disk& d, const batch& b) {
    for (const spool_row& row : b.changes.rows) {
        d.last_position = std::max(d.last_position, row.position);
        d.rows[row.position] = {row, shed_class_of(row.event->event), row.event->weight()};
    }
    for (const std::uint64_t position : b.changes.done)
        d.rows.erase(position);
    for (const dead_row& row : b.changes.dead)
        d.dead[row.number] = row;
    for (const std::uint64_t number : b.changes.dead_done)
        d.dead.erase(number);
    for (const auto& [name, text] : b.changes.notes)
        d.notes[name] = text;
    for (const auto& [shard, mark] : b.marks)
        d.marks[shard] = mark;
}

void crash_world::work_disk(bool well) {
    if (writing) {
        if (!well && (!disk_up || chance(30))) return;  // slow, or failing: tried again as it was
        apply(files, *writing);
        writing.reset();
        core->set_disk_fails(false, now);
        core->on_changes_stored(now);
        return;
    }
    const bool second = chance(20);
    if (!well && !second && core->changes_due() > now) return;
    auto b = std::make_unique<batch>();
    b->changes = core->next_changes(well, now, wall());
    for (std::uint32_t i = 0; i < shard_total; ++i)
        b->marks[i] = {*shards[i].session, safe(i, true)};
    writing = std::move(b);
    if (!disk_up) core->set_disk_fails(true, now);
}

void crash_world::read_disk(bool well) {
    int reads = 0;
    while (const auto what = core->next_read(now)) {
        if (++reads > 1000) {  // no clock goes on meanwhile: it would read for ever
            ADD_FAILURE() << "seed " << seed << ": what is read back goes out again";
            return;
        }
        const bool ok = well || (disk_up && !chance(5));
        std::vector<spool_row> rows;
        std::size_t bytes = 0;
        for (const auto& [position, r] : files.rows) {
            if (!(r.row.lane == what->lane) || position < what->from) continue;
            if (rows.size() >= what->rows || (!rows.empty() && bytes > what->bytes)) break;
            bytes += r.bytes;
            rows.push_back(r.row);
        }
        core->on_read(what->lane, ok, ok ? rows : std::vector<spool_row>{}, now);
        if (!ok) break;
    }
    list_disk();
}

void crash_world::list_disk() {
    const auto what = core->next_candidates(now, wall());
    if (!what) return;
    std::vector<spool_row_info> rows;
    for (const auto& [position, r] : files.rows) {
        if (position <= what->after_position || rows.size() >= what->rows) continue;
        if (!what->any_rank && r.rank != what->rank) continue;
        const queued_event& e = *r.row.event;
        if (e.received_wall >= what->received_before) continue;
        rows.push_back({position, r.row.lane, r.row.epoch, e.gen, e.shard, e.shards, e.event,
                        e.is_own(), r.row.tells_gap, e.id, e.received_wall, r.bytes});
    }
    core->on_candidates(true, rows, now, wall());
}

void crash_world::heartbeat() {
    for (std::uint32_t i = 0; i < shard_total; ++i)
        shards[i].trimmed = std::max(shards[i].trimmed, safe(i, false));
}

void crash_world::crash() {
    // Whatever is on the wire may arrive, and what is being written may be on the disk.
    for (const delivery_request& r : flights)
        if (handler_up && chance(40))
            for (const delivery_item& item : r.items)
                on_delivered(*item.event);
    flights.clear();
    if (writing && chance(50)) apply(files, *writing);
    writing.reset();
    for (const std::uint64_t n : core->snapshot().shed)
        shed += n;
    excuse_lost_sessions();
    start_process();
    for (std::uint32_t i = 0; i < shard_total; ++i) {
        gateway& g = shards[i];
        const auto mark = files.marks.find(i);
        if (mark == files.marks.end() || mark->second.first != *g.session) {
            begin_session(i);
            continue;
        }
        const std::uint64_t from = mark->second.second;
        std::vector<std::uint64_t> known;
        for (const auto& [position, r] : files.rows)
            if (!r.row.event->is_own() && *r.row.event->session == *g.session &&
                r.row.event->seq.value > from)
                known.push_back(r.row.event->seq.value);
        std::sort(known.begin(), known.end());
        core->restore_known(generation{1}, shard_id{i}, *g.session, std::move(known));
        // Another process: its own handle of the same session.
        g.session = std::make_shared<const std::string>(*g.session);
        g.received = from;
        safe_before[i] = from;
        for (const sent_event& e : g.events)
            if (e.seq > std::max(from, g.trimmed)) push(i, e);
        g.received = std::max(g.received, g.events.empty() ? 0 : g.events.back().seq);
    }
}

void crash_world::damage() {
    lost_with_disk += files.rows.size();
    for (const auto& [position, r] : files.rows)
        if (!r.row.event->is_own()) events[key_of(*r.row.event)].excused = true;
    const std::uint64_t last = files.last_position;
    files = {};
    files.last_position = last;
    writing.reset();
    core->on_spool_reset(now, wall());
}

void crash_world::empty_dead_letters() {
    if (chance(50))
        core->retry_dead_letters({}, now);
    else
        core->clear_dead_letters({});
}

void crash_world::step() {
    const std::uint64_t what = pick(100);
    if (what < 45) {
        send_something();
    } else if (what < 75) {
        answer_something(false);
    } else if (what < 85) {
        now += random.between(std::chrono::milliseconds(1), std::chrono::milliseconds(700));
    } else if (what < 88) {
        handler_up = !handler_up;
    } else if (what < 90) {
        disk_up = !disk_up;
    } else if (what < 94) {
        heartbeat();
    } else if (what < 96) {
        core->hold(generation{1}, shard_id{static_cast<std::uint32_t>(pick(shard_total))});
    } else if (what < 97) {
        crash();
    } else if (what < 98) {
        begin_session(static_cast<std::uint32_t>(pick(shard_total)));
    } else if (what < 99) {
        empty_dead_letters();
    } else if (chance(20)) {
        damage();
    }
    pull();
    work_disk(false);
    read_disk(false);
    check_marks();
}

void crash_world::finish() {
    handler_up = disk_up = true;
    for (int i = 0; i < 20'000 && !core->idle(); ++i) {
        now += std::chrono::milliseconds(100);
        pull();
        while (!flights.empty()) {
            answer_something(true);
            pull();
        }
        work_disk(true);
        read_disk(true);
        pull();
    }
    const delivery_snapshot left = core->snapshot();
    EXPECT_TRUE(core->idle()) << "seed " << seed << ": left are " << left.events << " in memory, "
                              << left.spooled_events << " in the spool, " << files.rows.size()
                              << " rows, " << left.lanes << " lanes, runs " << runs;
    for (const std::uint64_t n : core->snapshot().shed)
        shed += n;
    check_books();
}

}  // namespace shardgate::testing
