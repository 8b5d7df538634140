// SPDX-License-Identifier: Apache-2.0
// The scan of one frame (Discord docs, Gateway, Gateway Payload Structure): a walk over its tokens,
// into `d` as far as the event needs it.
#include "shardgate/protocol/envelope.hpp"

#include <boost/system/errc.hpp>
#include <limits>
#include <utility>

#include "protocol/dispatch_reader.hpp"
#include "protocol/scanner_impl.hpp"
#include "shardgate/protocol/json_text.hpp"
#include "shardgate/protocol/opcode.hpp"

namespace shardgate {
namespace {

constexpr std::size_t longest_name = 128;

// What `envelope::t` promises.
bool is_plain_name(std::string_view name) {
    if (name.empty() || name.size() > longest_name) return false;
    for (const char c : name)
        if (c <= ' ' || c > '~' || c == '"' || c == '\\') return false;
    return true;
}

// One frame's walk. Keeps where `d` began: when the event's name comes behind it, it is read again.
class frame_walk {
public:
    frame_walk(json::cursor tokens, const value_hasher* hasher, std::string& name_buffer)
        : at_(tokens), hasher_(hasher), name_buffer_(name_buffer) {}

    bool run(envelope& out) {
        if (at_.peek() != '{') return false;
        const char* first = at_.position();
        const bool one_object = at_.for_each_member([&](std::string_view key) {
            return member(key, out);
        }) && at_.done();
        if (!one_object) return false;
        out.frame = at_.text_since(first);
        if (out.op == static_cast<std::int32_t>(opcode::dispatch) && !out.d.empty() &&
            (!read_ || read_as_ != out.event)) {
            at_ = d_;
            return read_dispatch(at_, out.event, hasher_, out.fields);
        }
        return true;
    }

private:
    bool member(std::string_view key, envelope& out) {
        if (key == "d") return data(out);
        if (at_.done()) return false;
        if (key == "t") return name(out);
        if (key == "s") {
            std::uint64_t value = 0;
            out.s.reset();
            if (json::parse_unsigned(at_.scalar(), value)) out.s = value;
        } else if (key == "op") {
            std::uint64_t value = 0;
            const bool fits = json::parse_unsigned(at_.scalar(), value) &&
                              value <= std::numeric_limits<std::int32_t>::max();
            out.op = fits ? static_cast<std::int32_t>(value) : -1;
        }
        return at_.skip_value();
    }

    bool name(envelope& out) {
        out.t = {};
        if (at_.peek() == '"') {
            out.t = json::inside(at_.scalar());
            if (out.t.find('\\') != std::string_view::npos) {
                name_buffer_.clear();
                if (!unescape_json(out.t, name_buffer_)) return false;
                out.t = name_buffer_;
            }
        }
        out.event = find_event(out.t);
        return at_.skip_value();
    }

    bool data(envelope& out) {
        d_ = at_;
        read_ = !out.t.empty();
        read_as_ = out.event;
        if (!read_) return at_.take_value(out.d);
        if (at_.done()) return false;
        const char* first = at_.position();
        if (!read_dispatch(at_, out.event, hasher_, out.fields)) return false;
        out.d = at_.text_since(first);
        return true;
    }

    json::cursor at_;
    json::cursor d_;
    const value_hasher* hasher_;
    std::string& name_buffer_;
    bool read_ = false;
    event_id read_as_ = event_id::unknown;
};

}  // namespace

failure bad_frame(std::string what) {
    return failure(boost::system::errc::make_error_code(boost::system::errc::bad_message),
                   std::move(what));
}

scanner::scanner(scan_options options) : impl_(std::make_unique<impl>(options)) {}
scanner::~scanner() = default;

result<envelope> scanner::scan(std::string_view frame) {
    json::cursor tokens;
    if (!impl_->tokenizer.run(frame, tokens)) return bad_frame("not JSON");
    envelope out;
    frame_walk walk(tokens, impl_->fingerprints ? &impl_->hasher : nullptr, impl_->name);
    if (!walk.run(out)) return bad_frame("not one JSON object");
    if (out.op < 0) return bad_frame("a frame without a usable op");
    if (out.op != static_cast<std::int32_t>(opcode::dispatch)) {
        out.fields = {};
        return out;
    }
    if (!out.s) return bad_frame("a dispatch without a usable s");
    if (out.d.empty()) return bad_frame("a dispatch without d");
    if (out.event == event_id::unknown && !is_plain_name(out.t))
        return bad_frame("a dispatch without a usable t");
    return out;
}

void scanner::set_fingerprints(bool compute) noexcept {
    impl_->fingerprints = compute;
}

void scanner::shrink(std::size_t bytes) {
    impl_->tokenizer.shrink(bytes);
}

}  // namespace shardgate
