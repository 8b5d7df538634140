// SPDX-License-Identifier: Apache-2.0
// Bytes to session events: frames, timers, permits, losses and commands in any order. What must
// never happen is in session_rules.hpp.
#include <cstdlib>

#include "../unit/shard/session_rules.hpp"

namespace {

using namespace shardgate;

struct world {
    random_source random{1};
    scanner scan;
    session_fsm fsm{{}, shard_id{0}, shard_count{1}, random};
    test::session_rules rules;
    time_point now{};
    session_actions out;
    std::optional<std::uint64_t> fresh;

    void frame(std::string text) {
        const std::size_t length = text.size();
        text.append(scanner::padding, ' ');
        const auto e = scan.scan(std::string_view(text).substr(0, length));
        if (!e) return fsm.on_broken_stream("unreadable", now, out);
        if (e->op == 10)
            if (const auto ms = scan.hello_interval_ms(e->d))
                rules.on_hello(std::chrono::milliseconds(*ms));
        if (fsm.on_frame(*e, scan, now, out).deliver) fresh = e->s;
    }
    void dispatch(const std::string& t, int s, const std::string& d) {
        frame(R"({"op":0,"t":")" + t + R"(","s":)" + std::to_string(s) + R"(,"d":)" + d + "}");
    }
    void start(std::uint8_t seq) {
        std::optional<session_record> stored;
        if (seq != 0) stored = session_record{"s", "u", seq_no{seq}};
        fsm.start(stored, now, out);
        if (!out.empty()) rules.on_start(seq);
    }
    void closed(std::uint8_t byte) {
        if (!rules.linked()) return;
        rules.on_closed();
        fsm.on_closed(static_cast<close_code>(3990 + byte), byte % 2 != 0, now, out);
    }
    void step(std::uint8_t what, std::uint8_t byte, std::string_view rest) {
        const std::string number = std::to_string(byte);
        switch (what % 16) {
        case 0: start(byte); break;
        case 1: fsm.on_turn_near(now, out); break;
        case 2: rules.on_permit(), fsm.on_permit(now, out); break;
        case 3: rules.on_opened(), fsm.on_opened(now, out); break;
        case 4: frame(R"({"op":10,"d":{"heartbeat_interval":)" + number + "000}}"); break;
        case 5: dispatch("READY", byte, R"({"session_id":"s","guilds":[]})"); break;
        case 6: dispatch("RESUMED", byte, "{}"); break;
        case 7: dispatch("RATE_LIMITED", byte, R"({"opcode":8,"retry_after":1})"); break;
        case 8: frame(R"({"op":)" + number + R"(,"d":true})"); break;
        case 9: frame(std::string(rest)); break;
        case 10: closed(byte); break;
        case 11:
            now += std::chrono::milliseconds(100) * byte * byte;
            fsm.on_timer(now, out);
            break;
        case 12: fsm.reconnect(byte % 2 != 0, now, out); break;
        case 13: fsm.stop(byte % 2 != 0 ? close_for_good : close_to_resume, now, out); break;
        case 14: (void)fsm.submit(std::string(rest.substr(0, byte)), 4, now, out); break;
        case 15: (void)fsm.submit(R"({"op":4,"d":{"guild_id":"1"}})", 4, now, out); break;
        }
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    world w;
    const std::string_view all(reinterpret_cast<const char*>(data), size);
    for (std::size_t i = 0; i + 1 < size; i += 2) {
        w.out.clear();
        w.fresh.reset();
        w.step(data[i], data[i + 1], all.substr(i + 2));
        for (const session_action& a : w.out)
            w.rules.on_action(a, w.now);
        if (w.fresh) w.rules.on_deliver(*w.fresh);
        w.rules.end_of_call();
        if (!w.rules.broken().empty()) std::abort();
    }
    return 0;
}
