// SPDX-License-Identifier: Apache-2.0
// Events in, requests out.
#include "shardgate/delivery/delivery.hpp"

#include <algorithm>
#include <boost/smart_ptr/make_local_shared.hpp>
#include <utility>

#include "delivery/delivery_impl.hpp"

namespace shardgate {

namespace {

std::size_t cap_of(const config::handler& h) {
    return static_cast<std::size_t>(h.connections) * std::max(1U, h.pipelining);
}

std::size_t groups_for(const config::handler& h, std::size_t urls) {
    return h.balance == config::balance_mode::failover ? 1 : urls;
}

}  // namespace

std::string_view name_of(handler_state s) noexcept {
    switch (s) {
    case handler_state::up: return "up";
    case handler_state::down: return "down";
    case handler_state::paused: return "paused";
    }
    return {};
}

delivery::impl::impl(const config::handler& h, const config::queue& q,
                     const config::interactions& i, std::string_view run_id, random_source& r,
                     delivery_listener* l)
    : handler(h),
      queue(q),
      interactions(i),
      random(r),
      listener(l),
      own_events(run_id),
      books(q),
      waiting(groups_for(h, h.urls.size()), {h.batch_events, h.batch_linger}),
      dead(q.dead_letters_max, std::max<std::uint64_t>(q.max_bytes / 8, 1U << 20)),
      desk(i) {
    make_endpoints(h.urls);
}

handler_url_settings delivery::impl::url_settings() const noexcept {
    handler_url_settings s;
    s.cap = cap_of(handler);
    s.reserved = s.cap > 1 ? std::max<std::size_t>(1, s.cap / 8) : 0;
    s.retry_initial = queue.retry_initial;
    s.retry_max = queue.retry_max;
    return s;
}

void delivery::impl::make_endpoints(const std::vector<std::string>& urls) {
    const handler_url_settings s = url_settings();
    endpoints.clear();
    for (const std::string& url : urls)
        endpoints.push_back(boost::make_local_shared<handler_url>(url, s, random));
}

lane_key delivery::impl::key_of(const queued_event& event) {
    using kind = lane_key::kind;
    const std::uint64_t shard =
        (static_cast<std::uint64_t>(event.gen.value) << 32) | event.shard.value;
    switch (handler.ordering) {
    case config::ordering_mode::none: return {kind::single, ++single_lanes};
    case config::ordering_mode::shard: return {kind::shard, shard};
    case config::ordering_mode::guild: break;
    }
    if (event.guild.value != 0) return {kind::guild, event.guild.value};
    if (event.channel.value != 0) return {kind::channel, event.channel.value};
    return {kind::shard, shard};
}

std::size_t delivery::impl::group_of(const lane& l) const {
    if (handler.balance == config::balance_mode::failover || endpoints.size() == 1) return 0;
    if (handler.balance == config::balance_mode::shard)
        return l.queue.empty() ? 0 : l.queue.front().event->shard.value % endpoints.size();
    return lane_key_hash{}(l.key) % endpoints.size();
}

entry& delivery::impl::enqueue(event_ptr event, bool own, bool fence, time_point now) {
    ++counts.pushed;
    entry& e = books.add(std::move(event), own, now);
    order.add(e, fence);
    lane_key key = key_of(*e.event);
    if (spooling) {
        e.position = ++last_position;
        young.push_back(e);
        // Without an order to keep one lane stands for all that is in the spool.
        if (key.what == lane_key::kind::single && crowded()) key.id = 0;
    }
    lane& l = waiting.get(key);
    if (spooling && must_spill(l)) {
        spill(l, e);
        return e;
    }
    waiting.append(l, e);
    if (spooling && own) want(e);  // few, and nobody could send them again
    if (l.queue.size() == 1) l.group = group_of(l);
    // A lane that is ready or fenced stays where it is; a waiting one may have filled its batch.
    if (l.at == lane::place::nowhere || l.at == lane::place::waiting) waiting.place(l, now);
    return e;
}

void delivery::impl::keep_bounds(time_point now) {
    while (books.over()) {
        if (may_evict) {
            evict(now);
            continue;
        }
        entry* e = books.victim();
        if (e == nullptr) return;  // all that is left is in flight or our own
        shed(*e, now);
    }
}

void delivery::impl::shed(entry& e, time_point now) {
    ++counts.shed[static_cast<std::size_t>(e.rank)];
    const queued_event& of = *e.event;
    gaps.on_shed({of.gen, of.shard, of.shards, of.event, of.received_wall}, now);
    settle(e, settled_as::shed, now);
}

void delivery::impl::tell_gaps(time_point now, wall_ms wall) {
    while (gaps.pending()) {
        const auto g = gaps.take(books.relaxed(), now);
        if (!g) return;
        enqueue(own_events.gap(g->shard, g->shards, g->gen, "shed", g->from, g->to, &g->counts, now,
                               wall),
                true, true, now)
            .tells_gap = true;
    }
}

void delivery::impl::settle(entry& e, settled_as how, time_point now) {
    lane& l = *e.where;
    if (e.spilled) {
        l.pending.erase(l.pending.iterator_to(e));
    } else {
        if (!l.in_flight) waiting.take_off(l);
        l.queue.erase(l.queue.iterator_to(e));
    }
    if (spooling) free_row(e);
    if (how == settled_as::accepted) {
        ++counts.accepted;
        lag.observe(now - e.event->received);
    }
    if (e.tells_gap) gaps.on_told(e.event->gen, e.event->shard);
    if (e.event->event == event_id::interaction_create) {
        const auto it = queued_interactions.find(e.event->id);
        if (it != queued_interactions.end() && it->second == &e) queued_interactions.erase(it);
        // Left the queue unaccepted: its deadline still counts.
        if (how == settled_as::shed || how == settled_as::dead) desk.forget(e.event->id);
    }
    if (listener != nullptr && !e.own) listener->on_settled(*e.event, how);
    const bool fell = order.settle(e);
    const shard_order& of = *e.order;
    books.remove(e);
    if (l.spilled()) {
        refill(l, now);
        waiting.feed(l);
    }
    waiting.place(l, now);
    if (fell) waiting.on_fence(of, now);
}

// ---- requests
// ------------------------------------------------------------------------------------

delivery::impl::flight& delivery::impl::new_flight() {
    if (free_flights.empty()) {
        free_flights.push_back(flights.size());
        flights.emplace_back();
    }
    const std::size_t slot = free_flights.back();
    free_flights.pop_back();
    flight& f = flights[slot];
    f.id = (++last_flight << slot_bits) | slot;
    f.entries.clear();
    f.marked = false;
    return f;
}

delivery::impl::flight* delivery::impl::find_flight(std::uint64_t id) noexcept {
    const std::size_t slot = id & slot_mask;
    if (slot >= flights.size() || flights[slot].id != id || id == 0) return nullptr;
    return &flights[slot];
}

void delivery::impl::gather(lane& l, flight& f, std::size_t& bytes) {
    std::size_t most = std::max(1U, handler.batch_events);
    if (l.singles > 0) most = 1;
    if (l.fixed_batch > 0) most = l.fixed_batch;
    const entry& head = l.queue.front();
    for (entry& e : l.queue) {
        if (f.entries.size() >= most) break;
        if (e.epoch != head.epoch || e.order != head.order) break;
        const std::size_t with_it = bytes + e.event->weight();
        if (&e != &head && l.fixed_batch == 0 && with_it > batch_bytes) break;
        bytes = with_it;
        f.entries.push_back(&e);
    }
    l.in_flight = true;
}

// Trouble stays with its lane: what failed or was refused before goes without company.
bool delivery::impl::may_share(const lane& l) const noexcept {
    if (l.singles > 0 || l.fixed_batch > 0) return false;
    return l.failures == 0 || handler.ordering == config::ordering_mode::none;
}

// What is left of a batch is filled from other lanes: order is kept in each.
void delivery::impl::fill(const lane& first, flight& f, std::size_t& bytes) {
    while (f.entries.size() < handler.batch_events) {
        lane* more = waiting.peek(first.group, first.urgent);
        if (more == nullptr || !may_share(*more)) return;
        const queued_event& next = *more->queue.front().event;
        if (bytes + next.weight() > batch_bytes) return;
        // Raw events do not say whose they are: a header does, for all of them.
        const queued_event& head = *f.entries.front()->event;
        if (handler.envelope == config::envelope_mode::raw &&
            (next.shard != head.shard || next.shards != head.shards))
            return;
        waiting.take_off(*more);
        gather(*more, f, bytes);
    }
}

void delivery::impl::start(lane& first, std::size_t url, time_point now,
                           delivery_request& request) {
    flight& f = new_flight();
    f.target = endpoints[url];
    f.ticket = f.target->on_started(first.urgent, first.serial);
    f.started = now;
    ++in_flight;
    request.id = f.id;
    request.url = url;
    request.reserved = first.urgent;
    std::size_t bytes = 0;
    waiting.take_off(first);
    gather(first, f, bytes);
    // A probe of a handler that is away carries no more than it must.
    if (handler.batch_events > 1 && may_share(first) && !f.target->open()) fill(first, f, bytes);
    request.items.reserve(f.entries.size());
    for (entry* e : f.entries) {
        books.set_in_flight(*e, true);
        delivery_item item;
        item.event = e->event;
        item.attempt = ++e->attempts;
        e->stays = true;  // how often it was tried is known here alone
        if (e->event->event == event_id::interaction_create)
            item.answered = mark_of(*e->event, now);
        f.marked = f.marked || item.answered != interaction_answer::none;
        request.items.push_back(std::move(item));
    }
}

bool delivery::impl::next(std::size_t group, std::size_t url, time_point now,
                          std::optional<delivery_request>& out) {
    lane* l = waiting.pick(group, *endpoints[url], now);
    if (l == nullptr) return false;
    start(*l, url, now, out.emplace());
    return true;
}

// ---- the facade
// ----------------------------------------------------------------------------------

delivery::delivery(const config::handler& handler, const config::queue& queue,
                   const config::interactions& interactions, std::string_view run_id,
                   random_source& random, delivery_listener* listener)
    : impl_(std::make_unique<impl>(handler, queue, interactions, run_id, random, listener)) {}

delivery::~delivery() = default;

void delivery::push(const dispatch& event) {
    impl& d = *impl_;
    if ((!d.known_replays.empty() || !d.dropped_before.empty()) && d.known(event)) return;
    // The usual lane.
    d.waiting.foresee({lane_key::kind::guild, event.fields.guild.value});
    entry& e =
        d.enqueue(queued_event::from(event), false, event.event == event_id::ready, event.received);
    if (d.spooling) d.on_arrival(e);
    if (event.event == event_id::interaction_create)
        d.track_interaction(e, event.received);
    else if (event.event == event_id::message_create)
        d.desk.observe(event.fields.id, event.received, event.received_wall);
    d.keep_bounds(event.received);
}

void delivery::push_own(event_ptr event, time_point now) {
    const bool fence = event->name() == "SHARDGATE_GAP";
    impl_->enqueue(std::move(event), true, fence, now);
    impl_->keep_bounds(now);
}

std::optional<delivery_request> delivery::next_request(time_point now) {
    impl& d = *impl_;
    std::optional<delivery_request> out;
    d.waiting.on_time(now);
    if (d.paused) return out;
    const std::size_t n = d.endpoints.size();
    if (d.handler.balance == config::balance_mode::failover) {
        // In order of preference: a closed one takes everything; open ones before it get their
        // probes.
        for (std::size_t url = 0; url < n; ++url) {
            if (d.next(0, url, now, out) || !d.endpoints[url]->open()) return out;
        }
        return out;
    }
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t url = (d.turn + i) % n;
        if (d.next(url, url, now, out)) {
            d.turn = (url + 1) % n;
            return out;
        }
    }
    return out;
}

time_point delivery::deadline() const noexcept {
    const impl& d = *impl_;
    time_point when = std::min(d.waiting.deadline(), d.desk.deadline());
    if (d.paused) return when;
    const bool failover = d.handler.balance == config::balance_mode::failover;
    for (std::size_t i = 0; i < d.endpoints.size(); ++i) {
        // Behind one that is up nobody is asked.
        if (failover && !d.endpoints[i]->open()) break;
        if (d.waiting.any_ready(failover ? 0 : i))
            when = std::min(when, d.endpoints[i]->next_probe());
    }
    return when;
}

void delivery::pause(bool paused, time_point) {
    impl_->paused = paused;
}

void delivery::set_urls(std::vector<std::string> urls, time_point now) {
    impl& d = *impl_;
    if (urls.empty() || urls == d.handler.urls) return;
    d.handler.urls = urls;
    d.make_endpoints(urls);
    d.turn = 0;
    d.waiting.regroup(groups_for(d.handler, urls.size()), now,
                      [&](const lane& l) { return d.group_of(l); });
}

void delivery::reconfigure(const config::handler& handler, const config::queue& queue,
                           const config::interactions& interactions, time_point now) {
    impl& d = *impl_;
    d.handler.connections = handler.connections;
    // Not the whole section: what memory and disk were laid out for stays.
    d.queue.max_events = queue.max_events;
    d.queue.max_bytes = queue.max_bytes;
    d.queue.spill_max_bytes = queue.spill_max_bytes;
    d.queue.spill_max_age = queue.spill_max_age;
    d.queue.retry_initial = queue.retry_initial;
    d.queue.retry_max = queue.retry_max;
    d.interactions = interactions;
    d.desk.set_rules(interactions);
    for (const auto& endpoint : d.endpoints)
        endpoint->set_limits(d.url_settings());
    d.books.set_limits(d.queue, d.spooling && d.queue.overflow == config::overflow_policy::spill);
    d.keep_bounds(now);
}

std::vector<dead_letter> delivery::dead_letters(std::size_t at_most) const {
    return impl_->dead.list(at_most);
}

std::size_t delivery::retry_dead_letters(const std::vector<std::string>& keys, time_point now) {
    impl& d = *impl_;
    auto letters = d.dead.take(keys);
    for (dead_letter& l : letters) {
        const bool own = l.event->is_own();
        entry& e = d.enqueue(std::move(l.event), own, false, now);
        if (!d.spooling) continue;
        if (!e.spilled) d.want(e);
        d.dead_done.push_back(l.number);
    }
    d.keep_bounds(now);
    return letters.size();
}

std::size_t delivery::clear_dead_letters(const std::vector<std::string>& keys) {
    const auto letters = impl_->dead.take(keys);
    if (impl_->spooling)
        for (const dead_letter& l : letters)
            impl_->dead_done.push_back(l.number);
    return letters.size();
}

bool delivery::idle() const noexcept {
    const impl& d = *impl_;
    return d.books.events() == 0 && d.in_flight == 0 && d.spooled == 0;
}

delivery_snapshot delivery::snapshot() const {
    const impl& d = *impl_;
    delivery_snapshot s = d.counts;
    d.desk.fill(s);
    std::size_t open = 0;
    for (const auto& e : d.endpoints) {
        url_snapshot u;
        u.url = e->url();
        u.state = d.paused    ? handler_state::paused
                  : e->open() ? handler_state::down
                              : handler_state::up;
        u.in_flight = e->in_flight();
        u.window = e->window();
        u.last_error = e->last_error();
        open += e->open() ? 1U : 0U;
        s.urls.push_back(std::move(u));
    }
    // With "failover" one that is up takes everything; otherwise each URL has events of its own.
    const std::size_t bad =
        d.handler.balance == config::balance_mode::failover ? d.endpoints.size() : 1;
    s.state = d.paused      ? handler_state::paused
              : open >= bad ? handler_state::down
                            : handler_state::up;
    s.events = d.books.events();
    s.bytes = d.books.bytes();
    s.lanes = d.waiting.size();
    s.oldest = d.books.oldest();
    s.dead_letters = d.dead.size();
    s.dead_letters_dropped = d.dead.dropped();
    s.spooled_events = d.spooled;
    s.spooled_bytes = d.spooled_bytes;
    s.stored_events = d.stored_too;
    return s;
}

const histogram& delivery::lag() const noexcept {
    return impl_->lag;
}
const histogram& delivery::request_seconds() const noexcept {
    return impl_->request_seconds;
}

duration delivery::answer_time() const noexcept {
    return impl_->answer_time;
}

}  // namespace shardgate
