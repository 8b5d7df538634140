// SPDX-License-Identifier: Apache-2.0
// Frames by template: names, ids and texts vary, members and sizes are those of real events.
#include "event_stream.hpp"

#include <array>
#include <random>
#include <stdexcept>

namespace shardgate::bench {
namespace {

using engine = std::mt19937_64;

std::string id(engine& random) {
    return std::to_string((1ULL << 60) + random() % (1ULL << 58));
}

// One of so many guilds, channels or users, so that lanes and caches see repetition.
std::string known_id(engine& random, std::uint64_t kinds) {
    return std::to_string((1ULL << 60) + ((random() % kinds) << 22U));
}

std::string words(engine& random, std::size_t size) {
    static constexpr std::array<std::string_view, 12> list{"the ",
                                                           "quick ",
                                                           "brown ",
                                                           "fox ",
                                                           "jumps ",
                                                           "over ",
                                                           "lazy ",
                                                           "dogs ",
                                                           "\\\"quoted\\\" ",
                                                           "na\\u00efve ",
                                                           "\xf0\x9f\x98\x80 ",
                                                           "https://example.org/a/b "};
    std::string out;
    while (out.size() < size)
        out += list[random() % list.size()];
    return out;
}

std::string member(engine& random) {
    std::string roles;
    for (auto n = random() % 6 + 1; n > 0; --n)
        roles += '"' + known_id(random, 50) + "\",";
    roles.pop_back();
    return R"({"roles":[)" + roles +
           R"(],"premium_since":null,"pending":false,"nick":null,"mute":false,)"
           R"("joined_at":"2021-03-04T05:06:07.089000+00:00","flags":0,"deaf":false,)"
           R"("communication_disabled_until":null,"banner":null,"avatar":null})";
}

std::string user(engine& random) {
    return R"({"username":"user)" + std::to_string(random() % 99999) +
           R"(","public_flags":0,"primary_guild":null,"id":")" + known_id(random, 20000) +
           R"(","global_name":"Some One","discriminator":"0","collectibles":null,)"
           R"("avatar_decoration_data":null,"avatar":"0123456789abcdef0123456789abcdef"})";
}

std::string message(engine& random, bool update) {
    return R"({"type":0,"tts":false,"timestamp":"2026-01-02T03:04:05.067000+00:00","pinned":false,)"
           R"("nonce":")" +
           id(random) + R"(","mentions":[],"mention_roles":[],"mention_everyone":false,"member":)" +
           member(random) + R"(,"id":")" + (update ? known_id(random, 500) : id(random)) +
           R"(","flags":0,"embeds":[],"edited_timestamp":)" +
           (update ? R"("2026-01-02T03:05:05.067000+00:00")" : "null") + R"(,"content":")" +
           words(random, 20 + random() % 200) +
           R"(","components":[],"channel_type":0,"channel_id":")" + known_id(random, 3000) +
           R"(","author":)" + user(random) + R"(,"attachments":[],"guild_id":")" +
           known_id(random, 800) + "\"}";
}

std::string typing(engine& random) {
    return R"({"user_id":")" + known_id(random, 20000) +
           R"(","timestamp":1767323045,"member":{"user":)" + user(random) + "," +
           member(random).substr(1) + R"(,"channel_id":")" + known_id(random, 3000) +
           R"(","guild_id":")" + known_id(random, 800) + "\"}";
}

std::string presence(engine& random) {
    return R"({"user":{"id":")" + known_id(random, 20000) +
           R"("},"status":"online","processed_at_timestamp":0,"guild_id":")" +
           known_id(random, 800) +
           R"(","client_status":{"desktop":"online"},"broadcast":null,"activities":[{"type":0,)"
           R"("name":"A game","id":"abcdef","created_at":1767323045000}]})";
}

std::string voice(engine& random) {
    return R"({"member":{"user":)" + user(random) + "," + member(random).substr(1) +
           R"(,"user_id":")" + known_id(random, 20000) +
           R"(","suppress":false,"session_id":"0123456789abcdef","self_video":false,)"
           R"("self_mute":true,"self_deaf":false,"mute":false,"guild_id":")" +
           known_id(random, 800) + R"(","deaf":false,"channel_id":")" + known_id(random, 3000) +
           "\"}";
}

std::string make_frame(engine& random, std::uint64_t seq) {
    const auto what = random() % 100;
    std::string name, d;
    if (what < 38) {
        name = "MESSAGE_CREATE", d = message(random, false);
    } else if (what < 48) {
        name = "MESSAGE_UPDATE", d = message(random, true);
    } else if (what < 72) {
        name = "TYPING_START", d = typing(random);
    } else if (what < 86) {
        name = "PRESENCE_UPDATE", d = presence(random);
    } else {
        name = "VOICE_STATE_UPDATE", d = voice(random);
    }
    return R"({"t":")" + name + R"(","s":)" + std::to_string(seq) + R"(,"op":0,"d":)" + d + "}";
}

}  // namespace

event_stream::event_stream() {
    engine random(1);
    for (std::size_t i = 0; i < count; ++i) {
        const std::string one = make_frame(random, i + 1);
        places_.push_back({text_.size(), one.size()});
        text_ += one;
    }
    text_.append(scanner::padding, ' ');
}

std::size_t event_stream::mean_size() const noexcept {
    return (text_.size() - scanner::padding) / count;
}

dispatch event_stream::at(std::size_t i, scanner& scan) const {
    auto read = scan.scan(frame(i));
    if (!read)
        throw std::logic_error("the benchmark's frame is not scanned: " + read.error().detail);
    dispatch out;
    out.shard = shard_id{3};
    out.shards = shard_count{16};
    out.gen = generation{1};
    out.session = &session_;
    out.seq = seq_no{*read->s};
    out.event = read->event;
    out.name = read->t;
    out.frame = read->frame;
    out.d = read->d;
    out.fields = read->fields;
    return out;
}

std::vector<event_ptr> event_stream::events() const {
    scanner scan;
    std::vector<event_ptr> out;
    for (std::size_t i = 0; i < count; ++i)
        out.push_back(queued_event::from(at(i, scan)));
    return out;
}

const event_stream& shared_stream() {
    static const event_stream stream;
    return stream;
}

}  // namespace shardgate::bench
