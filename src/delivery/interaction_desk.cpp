// SPDX-License-Identifier: Apache-2.0
// What comes in about interactions, and what is due. The books behind it: interaction_books.cpp.
// Pure; depends on nothing above config.
#include "delivery/interaction_desk.hpp"

#include <algorithm>

namespace shardgate {
namespace {

using namespace std::chrono_literals;

constexpr duration answer_within = 3s;  // then Discord forgets the interaction
constexpr duration token_life = 15min;  // of one that was answered

constexpr duration first_backoff = 100ms;
constexpr std::uint32_t most_doublings = 2;

// Between 3/4 and 5/4 of the plain backoff, so that what failed together does not come back
// together; taken from the id, so that a run can be repeated.
duration backoff(snowflake id, std::uint32_t tries) {
    const duration plain = first_backoff * (1U << std::min(tries - 1, most_doublings));
    const std::size_t spread = std::hash<snowflake>{}(snowflake{id.value + tries}) % 512;
    return plain * (768 + static_cast<int>(spread)) / 1024;
}

// Discord has an answer, whoever gave it.
bool is_answer(interaction_answer a) {
    return a == interaction_answer::deferred || a == interaction_answer::deferred_update ||
           a == interaction_answer::acknowledged;
}

// What an announcement needs of an event that has left the queue: whose lane, which interaction.
event_ptr without_text(const queued_event& event) {
    dispatch slim;
    slim.shard = event.shard;
    slim.shards = event.shards;
    slim.gen = event.gen;
    slim.event = event.event;
    slim.fields.guild = event.guild;
    slim.fields.channel = event.channel;
    slim.fields.id = event.id;
    slim.received = event.received;
    slim.received_wall = event.received_wall;
    return queued_event::from(slim);
}

}  // namespace

interaction_desk::interaction_desk(const config::interactions& settings, interaction_limits limits)
    : settings_(settings), limits_(limits), replies_(settings) {}

void interaction_desk::observe(snowflake id, time_point received, wall_ms received_wall) {
    clock_.observe(id, received, received_wall);
}

bool interaction_desk::track(const queued_event& event, time_point now) {
    if (record* known = find(event.id)) {
        ++counts_.duplicates;
        ++known->copies;
        if (known->event == nullptr && known->at != phase::closed) {
            release(*known);  // the token is in the queue again
            known->event = event_ptr(&event);
        }
        place(*known);
        return false;
    }
    clock_.observe(event.id, event.received, event.received_wall);
    if (event.id.value == 0 || !make_room()) {
        ++counts_.untracked;
        return true;
    }
    ++counts_.tracked;
    record& r = records_[event.id];
    r.id = event.id;
    r.event = event_ptr(&event);
    r.type = event.interaction_type;
    const time_point created = clock_.created(event.id, event.received, event.received_wall);
    r.due = created + settings_.deadline;
    r.expires = created + answer_within;
    r.ends = created + token_life;
    if (now >= r.expires)
        three_seconds_passed(r);
    else if (!settings_.auto_defer)
        end(r);
    place(r);
    return true;
}

interaction_desk::told interaction_desk::on_accepted(snowflake id, bool carried_mark,
                                                     time_point now) {
    record* r = find(id);
    if (r == nullptr) return {};
    if (r->copies > 0) --r->copies;
    const bool first = !r->accepted;
    r->accepted = true;
    told answer;
    if (is_answer(r->answer) && !r->unsure && !r->told && first && !carried_mark) {
        r->told = true;
        answer = {true, r->answer};
    }
    if (r->at == phase::calling || r->unsure) {
        if (r->event != nullptr) r->event = without_text(*r->event);
    } else {
        count(*r, now < r->expires ? &interaction_counters::taken : &interaction_counters::expired);
        end(*r);
    }
    place(*r);
    return answer;
}

void interaction_desk::forget(snowflake id) {
    record* r = find(id);
    if (r == nullptr) return;
    if (r->copies > 0) --r->copies;
    if (r->copies == 0) orphan(*r);
    place(*r);
}

// The event's memory belongs to the queue's bound and has been given back there: keep the token.
void interaction_desk::orphan(record& r) {
    if (r.event == nullptr) return;
    const std::string_view token = r.event->interaction_token();
    const bool wanted = r.at != phase::closed && is_usable_token(token);
    if (wanted && token.size() <= limits_.token_bytes - orphan_bytes_) {
        r.orphan_token = token;
        orphan_bytes_ += token.size();
    } else if (wanted && r.at == phase::due) {
        count(r, &interaction_counters::failed);
        end(r);
    }
    r.event.reset();
}

std::optional<interaction_callback> interaction_desk::next(time_point now) {
    while (!calls_.empty() && calls_.begin()->first <= now && under_way_ < limits_.under_way) {
        record& r = *find(calls_.begin()->second);
        std::optional<interaction_callback> callback = start(r, now);
        place(r);
        if (callback) return callback;
    }
    return std::nullopt;
}

// A record whose time has come: begins its callback, or closes it because there can be none.
std::optional<interaction_callback> interaction_desk::start(record& r, time_point now) {
    if (now >= r.expires) {
        three_seconds_passed(r);
        return std::nullopt;
    }
    const interaction_reply* reply = replies_.find(r.type);
    const std::string_view token =
        r.event != nullptr ? r.event->interaction_token() : std::string_view(r.orphan_token);
    if (reply == nullptr || !is_usable_token(token)) {
        const outcome unanswerable = reply == nullptr ? &interaction_counters::unknown_type
                                                      : &interaction_counters::no_token;
        count(r, r.tries > 0 ? &interaction_counters::failed : unanswerable);
        end(r);
        return std::nullopt;
    }
    interaction_callback callback;
    callback.id = r.id;
    callback.token = token;
    callback.body = reply->body;
    callback.timeout = r.expires - now;
    r.at = phase::calling;
    ++r.tries;
    ++under_way_;
    return callback;
}

interaction_desk::verdict interaction_desk::on_callback(snowflake id, callback_result how,
                                                        time_point now) {
    record* found = find(id);
    if (found == nullptr) return {};
    record& r = *found;
    if (r.at != phase::calling) {
        // Discord says so about a request whose fate was not known: it was ours.
        if (!r.unsure || how != callback_result::already_answered) return {};
        on_answered(r);
        return judge(r, true);
    }
    --under_way_;
    r.at = phase::closed;
    switch (how) {
    case callback_result::answered: on_answered(r); break;
    case callback_result::already_answered:
        r.answer = interaction_answer::acknowledged;
        count(r, &interaction_counters::already);
        break;
    case callback_result::too_late:
        r.answer = interaction_answer::expired;
        count(r, &interaction_counters::too_late);
        break;
    case callback_result::refused: count(r, &interaction_counters::failed); break;
    case callback_result::not_sent: retry_or_give_up(r, now); break;
    case callback_result::unknown:
        // The handler's best chance is to go on as if it had been answered: an edit fails without
        // harm, a second callback would be one for certain.
        r.answer = interaction_answer::acknowledged;
        r.unsure = true;
        if (r.over) count(r, &interaction_counters::failed);
        break;
    }
    return judge(r, how == callback_result::answered);
}

void interaction_desk::retry_or_give_up(record& r, time_point now) {
    if (r.accepted) {
        count(r, &interaction_counters::taken);
        return;
    }
    r.due = now + backoff(r.id, r.tries);
    if (r.due < r.expires)
        r.at = phase::due;
    else
        count(r, &interaction_counters::failed);
}

void interaction_desk::on_answered(record& r) {
    const interaction_reply& reply = *replies_.find(r.type);
    r.answer = reply.mark;
    r.unsure = false;
    switch (reply.what) {
    case interaction_reply::kind::deferral: count(r, &interaction_counters::deferred); break;
    case interaction_reply::kind::message: count(r, &interaction_counters::messaged); break;
    case interaction_reply::kind::no_choices: count(r, &interaction_counters::no_choices); break;
    }
}

// What the queue has to do about a callback's result. An event that somebody else answered stays:
// it is not known whether that was all there was to do.
interaction_desk::verdict interaction_desk::judge(record& r, bool ours) {
    verdict v;
    v.known = true;
    v.mark = r.answer;
    if (is_answer(r.answer) && !r.unsure) {
        v.drop_event = ours && !r.accepted && replies_.find(r.type)->drops_event;
        v.announce = r.accepted && !r.told && r.event != nullptr;
    }
    if (v.announce) {
        r.told = true;
        v.event = r.event;
    }
    if (r.at == phase::closed && !r.unsure) end(r);
    place(r);
    return v;
}

interaction_answer interaction_desk::mark_of(const queued_event& event, time_point now) const {
    if (event.event != event_id::interaction_create) return interaction_answer::none;
    const record* r = find(event.id);
    if (r == nullptr)  // given up for room, or never tracked: only its age is known
        return now >= event.received + answer_within ? interaction_answer::expired
                                                     : interaction_answer::none;
    if (r->answer != interaction_answer::none) return r->answer;
    const bool open = r->accepted || r->at == phase::calling || now < r->expires;
    return open ? interaction_answer::none : interaction_answer::expired;
}

std::optional<snowflake> interaction_desk::next_expired(time_point now) {
    while (!ends_.empty() && ends_.begin()->first <= now) {
        record& r = *find(ends_.begin()->second);
        if (now < r.ends) {
            three_seconds_passed(r);
            place(r);
            continue;
        }
        const snowflake id = r.id;
        const bool leaves = r.copies > 0 && is_answer(r.answer);
        erase(r);
        if (leaves) return id;
    }
    return std::nullopt;
}

}  // namespace shardgate
