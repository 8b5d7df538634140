// SPDX-License-Identifier: Apache-2.0
// Requests to the handler. The body is laid out first, because the head has its length and its
// signature.
#include "sink/request_writer.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "sink/hex.hpp"

namespace shardgate::sink {
namespace {

constexpr std::size_t safe_max = 256;
// Copying a kilobyte costs about 25 ns, a piece of its own in a system call about 40.
constexpr std::size_t copied_max = 4096;
constexpr std::size_t text_kept = 512U << 10;

constexpr std::array<bool, 256> safe_bytes = [] {
    std::array<bool, 256> table{};
    for (unsigned char c = '!'; c < 0x7f; ++c)
        table[c] = c != '"' && c != '\\';
    return table;
}();

bool is_safe(char c) noexcept {
    return safe_bytes[static_cast<unsigned char>(c)];
}

// Without a way out of the loop: most texts are short, and safe.
bool all_safe(std::string_view text) noexcept {
    bool safe = true;
    for (const char c : text)
        safe &= is_safe(c);
    return safe;
}

std::string sha256_of(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
    return {reinterpret_cast<const char*>(digest.data()), size};
}

// A header value that the configuration gave: control characters cannot end the line.
std::string header_value(std::string_view text) {
    std::string out(text);
    std::erase_if(out, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < ' ' || byte == 0x7f;
    });
    return out;
}

std::string base64(std::string_view text) {
    std::string out((text.size() + 2) / 3 * 4 + 1, '\0');
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
    out.resize(static_cast<std::size_t>(size));
    return out;
}

template <class Text>
void add_header(Text& out, std::string_view name, std::string_view value) {
    if (value.empty()) return;
    out += name;
    out += value;
    out += "\r\n";
}

void add_shard(text_buffer& out, const queued_event& event) {
    out += "X-Shardgate-Shard: ";
    out.append_number(event.shard.value);
    out += '/';
    out.append_number(event.shards.value);
    out += "\r\n";
}

}  // namespace

void append_safe(text_buffer& out, std::string_view text) {
    if (text.size() <= safe_max && all_safe(text)) {
        out += text;
        return;
    }
    if (text.size() > safe_max) {
        out += "sha256:";
        append_hex(out, sha256_of(text));
        return;
    }
    for (const char c : text) {
        if (is_safe(c)) {
            out += c;
        } else {
            out += '%';
            append_hex(out, std::string_view(&c, 1));
        }
    }
}

void rendered_requests::pieces(std::vector<std::string_view>& out) const {
    const std::string_view text = text_.view();
    std::size_t from = 0;
    for (const cut& c : cuts_) {
        out.push_back(text.substr(from, c.at - from));
        out.push_back(c.frame);
        from = c.at;
    }
    if (from < text.size()) out.push_back(text.substr(from));
}

void rendered_requests::clear() noexcept {
    text_.clear();
    cuts_.clear();
    cut_bytes_ = 0;
    if (text_.capacity() > text_kept) text_.reset();
}

request_writer::request_writer(const config::handler& handler, std::uint64_t seed)
    : envelope_(handler.envelope),
      batches_(handler.batch_events > 1),
      authorization_(header_value(handler.authorization.reveal())),
      signer_(handler.signing_keys),
      random_state_(seed),
      trace_begins_("traceparent: 00-") {
    append_hex(trace_begins_, random());
}

void request_writer::set_secrets(const config::handler& handler) {
    authorization_ = header_value(handler.authorization.reveal());
    signer_.set_keys(handler.signing_keys);
}

std::string request_writer::constant_head(const endpoint& to) const {
    std::string out = "POST " + to.target + " HTTP/1.1\r\nHost: " + to.host_header +
                      "\r\nUser-Agent: shardgate\r\nContent-Type: application/json\r\n";
    if (!authorization_.empty()) {
        add_header(out, "Authorization: ", authorization_);
    } else if (!to.user_info.empty()) {
        add_header(out, "Authorization: Basic ", base64(to.user_info));
    }
    return out;
}

void request_writer::render(const delivery_request& request, std::string_view constant_head,
                            wall_ms now, rendered_requests& out) {
    body_.clear();
    frames_.clear();
    frames_size_ = 0;
    const bool batch = batches_ || request.items.size() != 1;
    if (batch) {
        body_ += '[';
        for (const delivery_item& item : request.items) {
            if (&item != &request.items.front()) body_ += ',';
            add_batch_element(item);
        }
        body_ += ']';
    } else {
        add_single(request.items.front());
    }

    out.text_ += constant_head;
    out.text_ += "Content-Length: ";
    out.text_.append_number(body_.size() + frames_size_);
    out.text_ += "\r\n";
    if (batch) {
        add_batch_headers(request, out.text_);
    } else {
        add_event_headers(request.items.front(), out.text_);
    }
    add_trace(out.text_);
    if (signer_.active()) add_signature(now, out.text_);
    out.text_ += "\r\n";
    add_body(out);
}

void request_writer::add_body(rendered_requests& out) {
    const std::string_view around = body_.view();
    std::size_t from = 0;
    for (const auto& f : frames_) {
        out.text_ += around.substr(from, f.at - from);
        from = f.at;
        if (f.frame.size() <= copied_max) {
            out.text_ += f.frame;
        } else {
            out.cuts_.push_back({out.text_.size(), f.frame});
            out.cut_bytes_ += f.frame.size();
        }
    }
    out.text_ += around.substr(from);
}

void request_writer::add_frame(std::string_view frame) {
    frames_.push_back({body_.size(), frame});
    frames_size_ += frame.size();
}

void request_writer::add_prefix(const queued_event& event) {
    body_ += R"({"shardId":)";
    body_.append_number(event.shard.value);
    switch (envelope_) {
    case config::envelope_mode::payload: body_ += R"(,"payload":)"; break;
    case config::envelope_mode::message: body_ += R"(,"message":)"; break;
    case config::envelope_mode::data:
    case config::envelope_mode::raw: body_ += R"(,"data":)"; break;
    }
}

void request_writer::add_single(const delivery_item& item) {
    if (envelope_ == config::envelope_mode::raw) {
        add_frame(item.event->frame());
        return;
    }
    add_prefix(*item.event);
    add_frame(item.event->frame());
    body_ += '}';
}

void request_writer::add_batch_element(const delivery_item& item) {
    if (envelope_ == config::envelope_mode::raw) {
        // The frame is one object with at least op in it: the meta goes in front of its members.
        body_ += "{";
        add_meta(item);
        body_ += ',';
        add_frame(item.event->frame().substr(1));
        return;
    }
    add_prefix(*item.event);
    add_frame(item.event->frame());
    body_ += ',';
    add_meta(item);
    body_ += '}';
}

void request_writer::add_meta(const delivery_item& item) {
    const auto add_text = [this](std::string_view text) {
        if (text.empty()) {
            body_ += "null";
            return;
        }
        body_ += '"';
        body_ += text;
        body_ += '"';
    };
    body_ += R"("meta":{"key":")";
    add_key(*item.event, body_);
    body_ += R"(","attempt":)";
    body_.append_number(item.attempt);
    body_ += R"(,"guild":)";
    add_text(name_of(item.event->mark));
    body_ += R"(,"interaction":)";
    add_text(name_of(item.answered));
    body_ += '}';
}

void request_writer::add_key(const queued_event& event, text_buffer& out) {
    if (!event.has_session_key()) {
        key_.clear();
        event.append_key(key_);
        append_safe(out, key_);
        return;
    }
    if (event.session != session_) {
        session_ = event.session;
        session_id_.clear();
        append_session_id(session_id_, *session_);
    }
    out += session_id_;
    out += '-';
    out.append_number(event.seq.value);
}

void request_writer::add_event_headers(const delivery_item& item, text_buffer& out) {
    out += "Idempotency-Key: ";
    add_key(*item.event, out);
    out += "\r\nX-Shardgate-Event: ";
    if (item.event->has_known_name())
        out += item.event->name();
    else
        append_safe(out, item.event->name());
    out += "\r\n";
    add_shard(out, *item.event);
    out += "X-Shardgate-Attempt: ";
    out.append_number(item.attempt);
    out += "\r\n";
    add_header(out, "X-Shardgate-Guild: ", name_of(item.event->mark));
    add_header(out, "X-Shardgate-Interaction: ", name_of(item.answered));
}

// A batch's events tell theirs in their meta; only what they all share is a header.
void request_writer::add_batch_headers(const delivery_request& request, text_buffer& out) const {
    if (request.items.empty()) return;
    const queued_event& first = *request.items.front().event;
    const bool same = std::all_of(
        request.items.begin(), request.items.end(), [&first](const delivery_item& item) {
            return item.event->shard == first.shard && item.event->shards == first.shards;
        });
    if (same) add_shard(out, first);
}

// W3C Trace Context, section 3.2: no id may be all zeros. Sampled, so that a handler whose tracer
// follows its parent's decision sees its traces. One half of the trace's id is this writer's, the
// other is random, as level 2 of the standard wants the last seven bytes to be.
void request_writer::add_trace(text_buffer& out) {
    out += trace_begins_;
    append_hex(out, random() | 1U);
    out += '-';
    append_hex(out, random() | 1U);
    out += "-01\r\n";
}

void request_writer::add_signature(wall_ms now, text_buffer& out) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    const std::string timestamp = std::to_string(std::max<std::int64_t>(seconds, 0));
    const std::string_view around = body_.view();
    signer_.begin(timestamp);
    std::size_t from = 0;
    for (const auto& f : frames_) {
        signer_.add(around.substr(from, f.at - from));
        signer_.add(f.frame);
        from = f.at;
    }
    signer_.add(around.substr(from));
    out += "X-Shardgate-Timestamp: ";
    out += timestamp;
    out += "\r\nX-Shardgate-Signature: ";
    std::string signature;
    signer_.append(signature);
    out += signature;
    out += "\r\n";
}

// splitmix64: fast, and good enough for ids that only have to differ.
std::uint64_t request_writer::random() noexcept {
    std::uint64_t x = random_state_ += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

}  // namespace shardgate::sink
