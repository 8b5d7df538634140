// SPDX-License-Identifier: Apache-2.0
// A queued event's one allocation, and its idempotency key. Pure; depends on nothing above
// protocol.
#include "shardgate/delivery/event.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <limits>
#include <new>

#include "delivery/event_memory.hpp"

namespace shardgate {
namespace {

using std::string_view;

// Writes text pieces one behind the other into memory that is known to be large enough.
class piece_writer {
public:
    explicit piece_writer(char* to) : begin_(to), at_(to) {}
    void put(string_view piece) { at_ = std::copy(piece.begin(), piece.end(), at_); }
    [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(at_ - begin_); }

private:
    char* begin_;
    char* at_;
};

struct number_text {
    std::array<char, 20> digits{};
    std::size_t size = 0;

    explicit number_text(std::uint64_t value) {
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
        size = static_cast<std::size_t>(end - digits.data());
    }
    [[nodiscard]] string_view view() const { return {digits.data(), size}; }
};

// A dispatch frame around `d` in pieces, so that its size is known before it is written.
struct frame_pieces {
    std::array<string_view, 7> pieces;

    frame_pieces(string_view name, string_view seq, string_view d)
        : pieces{R"({"op":0,"t":")", name, R"(","s":)", seq, R"(,"d":)", d, "}"} {}
    [[nodiscard]] std::size_t size() const {
        std::size_t sum = 0;
        for (const string_view piece : pieces)
            sum += piece.size();
        return sum;
    }
    [[nodiscard]] std::size_t offset_of_d() const { return size() - pieces[5].size() - 1; }
    void write(piece_writer& out) const {
        for (const string_view piece : pieces)
            out.put(piece);
    }
};

// Whether `part` is a piece of `whole`'s memory. std::less orders unrelated pointers too.
bool lies_in(string_view part, string_view whole) {
    const std::less_equal<const char*> not_after;
    return !part.empty() && !whole.empty() && not_after(whole.data(), part.data()) &&
           not_after(part.data() + part.size(), whole.data() + whole.size());
}

std::size_t offset_in(string_view part, string_view whole) {
    return static_cast<std::size_t>(part.data() - whole.data());
}

// Sizes of small texts; a text above 4 GiB cannot pass the frame bound, so that this never cuts.
std::uint32_t small(std::size_t size) {
    return static_cast<std::uint32_t>(
        std::min<std::size_t>(size, std::numeric_limits<std::uint32_t>::max()));
}

constexpr std::size_t longest_id = 128;
constexpr std::size_t kept_of_longer = 96;

constexpr std::array<bool, 256> unreserved = [] {  // RFC 3986, section 2.3
    std::array<bool, 256> table{};
    for (const char c :
         string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~-"))
        table[static_cast<unsigned char>(c)] = true;
    return table;
}();

bool is_unreserved(char c) {
    return unreserved[static_cast<unsigned char>(c)];
}

void append_hex(std::string& out, std::uint64_t value, int digits) {
    constexpr string_view hex = "0123456789ABCDEF";
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4)
        out += hex[(value >> shift) & 0xf];
}

// FNV-1a: the same in every process and release, as a key has to be.
std::uint64_t stable_hash(string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (const char c : text)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    return hash;
}

}  // namespace

void append_session_id(std::string& out, string_view id) {
    if (id.size() <= longest_id && std::all_of(id.begin(), id.end(), is_unreserved)) {
        out += id;  // nearly always
        return;
    }
    const std::size_t start = out.size();
    std::size_t keep = start;  // where a longer id is cut, never inside an escape
    for (const char c : id) {
        if (is_unreserved(c)) {
            out += c;
        } else {
            out += '%';
            append_hex(out, static_cast<unsigned char>(c), 2);
        }
        if (out.size() - start <= kept_of_longer) keep = out.size();
        if (out.size() - start > longest_id) {
            out.resize(keep);
            out += '-';
            append_hex(out, stable_hash(id), 16);
            return;
        }
    }
}

void* queued_event::operator new(std::size_t object, text_bytes text) {
    return event_memory::take(object + text.count);
}

void queued_event::operator delete(queued_event* event, std::destroying_delete_t) noexcept {
    const std::size_t size = event->weight();
    event->~queued_event();
    event_memory::give(event, size);
}

void queued_event::operator delete(void* memory, text_bytes text) noexcept {
    event_memory::give(memory, sizeof(queued_event) + text.count);
}

event_ptr queued_event::from(const dispatch& event) {
    const bool renamed = !event.forward_as.empty();
    const string_view name = renamed ? event.forward_as : event.name;
    const event_id forwarded = renamed ? find_event(name) : event.event;
    const string_view stored_name = forwarded == event_id::unknown ? name : string_view{};
    const string_view token = event.fields.interaction_token;
    // An escaped token is the scanner's copy and lies outside the frame.
    const bool token_in_frame = lies_in(token, renamed ? event.d : event.frame);

    const number_text seq(renamed ? event.seq.value : 0);
    const frame_pieces renewed(name, seq.view(), event.d);
    const std::size_t frame_size = renamed ? renewed.size() : event.frame.size();
    const std::size_t text_size =
        frame_size + stored_name.size() + (token_in_frame ? 0 : token.size()) + event.key.size();

    // First of all: to count another holder waits until all that was written before is in memory.
    session_handle session = event.session != nullptr ? *event.session : session_handle();
    auto* e = new (text_bytes{text_size}) queued_event;
    const event_ptr owner(e, false);
    e->session = std::move(session);
    piece_writer out(e->text());
    if (renamed)
        renewed.write(out);
    else
        out.put(event.frame);
    if (text_size > frame_size || token_in_frame) {  // few have more than their frame
        out.put(stored_name);
        if (!token_in_frame)
            e->token_at_ = out.size();
        else
            e->token_at_ = renamed ? renewed.offset_of_d() + offset_in(token, event.d)
                                   : offset_in(token, event.frame);
        if (!token_in_frame) out.put(token);
        out.put(event.key);
    }

    e->forwarded_ = forwarded;
    e->name_size_ = small(stored_name.size());
    e->token_size_ = small(token.size());
    e->key_size_ = small(event.key.size());
    e->frame_size_ = frame_size;
    e->text_size_ = text_size;

    e->shard = event.shard;
    e->shards = event.shards;
    e->gen = event.gen;
    e->seq = event.seq;
    e->event = event.event;
    e->mark = event.mark;
    e->interaction_has_message = event.fields.interaction_has_message;
    e->interaction_type = event.fields.interaction_type;
    e->guild = event.fields.guild;
    e->channel = event.fields.channel;
    e->id = event.fields.id;
    e->received = event.received;
    e->received_wall = event.received_wall;
    return owner;
}

event_ptr queued_event::own(string_view name, string_view d, string_view key, shard_id shard,
                            shard_count shards, generation gen, time_point now, wall_ms wall,
                            snowflake guild, snowflake channel) {
    const event_id id = find_event(name);
    const string_view stored_name = id == event_id::unknown ? name : string_view{};
    const frame_pieces frame(name, "null", d);
    const std::size_t text_size = frame.size() + stored_name.size() + key.size();

    auto* e = new (text_bytes{text_size}) queued_event;
    const event_ptr owner(e, false);
    piece_writer out(e->text());
    frame.write(out);
    out.put(stored_name);
    out.put(key);

    e->forwarded_ = id;
    e->name_size_ = small(stored_name.size());
    e->key_size_ = small(key.size());
    e->frame_size_ = frame.size();
    e->text_size_ = text_size;

    e->shard = shard;
    e->shards = shards;
    e->gen = gen;
    e->event = id;
    e->guild = guild;
    e->channel = channel;
    e->received = now;
    e->received_wall = wall;
    return owner;
}

event_ptr queued_event::restore(const event_parts& parts) {
    const event_id forwarded = find_event(parts.name);
    const string_view stored_name = forwarded == event_id::unknown ? parts.name : string_view{};
    const std::size_t text_size =
        parts.frame.size() + stored_name.size() + parts.token.size() + parts.own_key.size();

    auto* e = new (text_bytes{text_size}) queued_event;
    const event_ptr owner(e, false);
    piece_writer out(e->text());
    out.put(parts.frame);
    out.put(stored_name);
    e->token_at_ = out.size();
    out.put(parts.token);
    out.put(parts.own_key);

    e->forwarded_ = forwarded;
    e->name_size_ = small(stored_name.size());
    e->token_size_ = small(parts.token.size());
    e->key_size_ = small(parts.own_key.size());
    e->frame_size_ = parts.frame.size();
    e->text_size_ = text_size;

    e->shard = parts.shard;
    e->shards = parts.shards;
    e->gen = parts.gen;
    e->seq = parts.seq;
    e->session = parts.session;
    e->event = find_event(parts.discord_name);
    e->mark = parts.mark;
    e->interaction_has_message = parts.interaction_has_message;
    e->interaction_type = parts.interaction_type;
    e->guild = parts.guild;
    e->channel = parts.channel;
    e->id = parts.id;
    e->received = parts.received;
    e->received_wall = parts.received_wall;
    return owner;
}

event_parts queued_event::parts() const {
    event_parts p;
    p.shard = shard;
    p.shards = shards;
    p.gen = gen;
    p.seq = seq;
    p.session = session;
    // An event we do not know is never renamed: the forwarded name is Discord's.
    p.discord_name = event == event_id::unknown ? name() : name_of(event);
    p.name = name();
    p.frame = frame();
    p.token = interaction_token();
    if (key_size_ > 0) p.own_key = {text() + (text_size_ - key_size_), key_size_};
    p.mark = mark;
    p.interaction_has_message = interaction_has_message;
    p.interaction_type = interaction_type;
    p.guild = guild;
    p.channel = channel;
    p.id = id;
    p.received = received;
    p.received_wall = received_wall;
    return p;
}

string_view queued_event::name() const noexcept {
    if (forwarded_ != event_id::unknown) return name_of(forwarded_);
    return {text() + frame_size_, name_size_};
}

string_view queued_event::frame() const noexcept {
    return {text(), frame_size_};
}

string_view queued_event::interaction_token() const noexcept {
    return {text() + token_at_, token_size_};
}

void queued_event::append_key(std::string& out) const {
    if (key_size_ > 0) {
        out.append(text() + (text_size_ - key_size_), key_size_);
        return;
    }
    if (session != nullptr) {
        append_session_id(out, *session);
    } else {  // still one key an event
        out += "none.";
        out += number_text(gen.value).view();
        out += '.';
        out += number_text(shard.value).view();
    }
    out += '-';
    out += number_text(seq.value).view();
}

std::size_t queued_event::weight() const noexcept {
    return sizeof(queued_event) + text_size_;
}

}  // namespace shardgate
