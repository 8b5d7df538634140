// SPDX-License-Identifier: Apache-2.0
#include "sim/simulator.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <map>
#include <stdexcept>

#include "sim/certificates.hpp"
#include "sim/control.hpp"
#include "sim/gateway_server.hpp"
#include "sim/handler.hpp"
#include "sim/parts.hpp"

namespace shardgate::sim {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

http_answer json_answer(unsigned status, const json::value& v) {
    return http_answer(status, json::serialize(v));
}

http_answer refused(const std::string& why) {
    return json_answer(400, json::object{{"error", why}});
}

handler_options handler_settings(const options& o) {
    handler_options h;
    h.listen = o.endpoints.handler_listen;
    if (h.listen.empty()) h.listen = o.endpoints.host + ":" + std::to_string(o.endpoints.handler);
    h.secret = o.endpoints.handler_secret;
    h.plain = o.endpoints.handler_plain;
    h.signing_keys = o.endpoints.handler_signing_keys;
    return h;
}

void write_file(const std::string& name, const std::string& text) {
    if (name.empty()) return;
    std::ofstream out(name, std::ios::binary | std::ios::trunc);
    out << text;
    out.close();
    if (!out) throw std::runtime_error("cannot write " + name);
}

}  // namespace

struct simulator::impl : std::enable_shared_from_this<impl> {
    asio::io_context& loop;
    parts p;
    certificates made;
    asio::ssl::context tls{asio::ssl::context::tls_server};
    event_handler handler;
    gateway_server gate_door;
    http_server rest_door, rest_tls_door, control_door;
    asio::steady_timer timer;
    bool stopped = false;
    bool hurry_posted = false;
    bool handler_started = false;

    impl(asio::io_context& io, options o, http_server::handler control)
        : loop(io),
          p(std::move(o)),
          made(make_certificates()),
          handler(io.get_executor(), handler_settings(p.settings), p.book),
          gate_door(io, tls, p.gate, p.settings),
          rest_door(io, p.settings.endpoints.host, p.settings.endpoints.rest, nullptr, rest()),
          rest_tls_door(io, p.settings.endpoints.host, p.settings.endpoints.rest_tls, &tls, rest()),
          control_door(io, p.settings.endpoints.host, p.settings.endpoints.control, nullptr,
                       std::move(control)),
          timer(io) {
        tls.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                        asio::ssl::context::no_tlsv1_1);
        tls.use_certificate_chain(asio::buffer(made.server_pem));
        tls.use_private_key(asio::buffer(made.server_key_pem), asio::ssl::context::pem);
    }

    http_server::handler rest() {
        return [this](const http_call& call) { return p.rest.answer(call, this_moment()); };
    }

    void start() {
        const auto listening = handler.start();
        if (!listening) throw std::runtime_error(listening.error().detail);
        gate_door.start();
        rest_door.start();
        rest_tls_door.start();
        control_door.start();
        const std::string port = std::to_string(gate_door.port());
        p.rest.on_answered_for_good = [this](std::uint64_t n) {
            p.book.lost(n, "answered for the handler");
        };
        p.rest.gateway_url("wss://localhost:" + port + "/");
        p.gate.resume_url("wss://localhost:" + std::to_string(gate_door.resume_port()));
        p.gate.on_resume_dead = [this](duration d) { gate_door.kill_resume(d); };
        p.gate.on_bulk = [this](std::uint32_t shard, std::uint32_t shards, std::uint64_t bytes) {
            const auto mine = p.guilds.on_shard(shard, shards);
            if (!mine.empty()) p.events.padding(mine.front(), bytes, this_moment());
        };
        p.started = clock::now();
        write_file(p.settings.endpoints.ca_out, made.ca_pem);
        tick();
    }

    void tick() {
        if (stopped) return;
        const moment now = this_moment();
        p.gate.tick(now.at);
        p.grow.tick(now);
        p.events.tick(now);
        if (p.generator.tick(now)) hurry();
        timer.expires_after(p.settings.tick);
        timer.async_wait([weak = weak_from_this()](error_code ec) {
            const auto me = weak.lock();
            if (me && !ec) me->tick();
        });
    }

    // Saturating load goes on as soon as the loop has done what waits.
    void hurry() {
        if (hurry_posted) return;
        hurry_posted = true;
        asio::post(loop, [weak = weak_from_this()] {
            const auto me = weak.lock();
            if (!me || me->stopped) return;
            me->hurry_posted = false;
            if (me->p.generator.tick(this_moment())) me->hurry();
        });
    }

    json::object ready() const {
        const std::string host = p.settings.endpoints.host;
        const auto address = [&](const char* scheme, std::uint16_t port) {
            return scheme + ("://" + host + ":" + std::to_string(port));
        };
        json::object o;
        o["rest"] = address("http", rest_door.port());
        o["rest_tls"] = "https://localhost:" + std::to_string(rest_tls_door.port());
        o["gateway"] = "wss://localhost:" + std::to_string(gate_door.port());
        o["control"] = address("http", control_door.port());
        std::string events = handler.url();
        while (!events.empty() && events.back() == '/')
            events.pop_back();
        o["handler"] = events;
        o["ca"] = p.settings.endpoints.ca_out;
        o["token"] = p.settings.gateway.token;
        return o;
    }

    void stop() {
        if (stopped) return;
        stopped = true;
        timer.cancel();
        control_door.stop();
        rest_door.stop();
        rest_tls_door.stop();
        gate_door.stop();
        handler.set_down(true);
    }

    json::value guild_list(std::size_t limit) const {
        json::array out;
        for (std::uint32_t i = 0; i < p.guilds.size() && out.size() < limit; ++i) {
            const guild& g = p.guilds.at(i);
            out.push_back(json::object{
                {"id", std::to_string(g.id)}, {"present", g.present}, {"available", g.available}});
        }
        return out;
    }

    http_answer reset(const moment& now) {
        p.generator.stop();
        p.grow.clear();
        p.gate.clear(now.at);
        p.events.clear();
        p.callbacks.clear();
        p.rules.clear(now.at);
        p.rest.clear();
        p.out.clear();
        p.book.clear();
        handler.clear_rules();
        gate_door.revive();
        return json_answer(200, json::object{});
    }

    http_answer get(const std::string& path, const moment& now) {
        if (path == "/state") return json_answer(200, control_state(p, now));
        if (path == "/identifies") return json_answer(200, control_identifies(p));
        if (path == "/interactions") return json_answer(200, p.callbacks.list(now.at, 10000));
        if (path == "/commands") return json_answer(200, p.gate.answers().heard().list(p.started));
        if (path == "/messages") return json_answer(200, p.rest.written().list());
        if (path == "/replies") return json_answer(200, p.rest.replies().list());
        if (path == "/guilds") return json_answer(200, guild_list(100000));
        if (path == "/handler") return json_answer(200, handler.report());
        if (path == "/ready") return json_answer(200, ready());
        if (path == "/account") return json_answer(200, control_account(p, handler.gaps()));
        if (path == "/report") {
            json::value v = control_report(p, now);
            v.as_object()["account"] = control_account(p, handler.gaps());
            v.as_object()["handler"] = handler.report(false);
            return json_answer(200, v);
        }
        return json_answer(404, json::object{{"error", "no such page; see docs/simulator.md"}});
    }

    http_answer post(const std::string& path, const json::value& v, const moment& now) {
        result<json::value> done = failure("no such call; see docs/simulator.md");
        if (path == "/latency") return json_answer(200, p.book.take_latency());
        if (path == "/grow") done = control_grow(p, v, now);
        if (path == "/load") done = control_load(p, v, now);
        if (path == "/emit") done = control_emit(p, v, now);
        if (path == "/expect") done = control_expect(p, v);
        if (path == "/settings") done = control_settings(p, v, now);
        if (path == "/fault") {
            done = control_fault(p, v, now);
            if (v.is_object() && v.get_object().contains("clear")) gate_door.revive();
        }
        if (path == "/handler") {
            const auto answered = handler.control(v);
            if (!answered) return refused(answered.error().detail);
            return json_answer(200, *answered);
        }
        if (!done) return refused(done.error().detail);
        return json_answer(200, *done);
    }
};

simulator::simulator(asio::io_context& loop, options o)
    : impl_(std::make_shared<impl>(loop, std::move(o),
                                   [this](const http_call& call) { return control(call); })) {}

simulator::~simulator() {
    stop();
}

void simulator::start() {
    impl_->start();
    write_file(impl_->p.settings.endpoints.ready_file, ready_line() + "\n");
}

void simulator::stop() {
    impl_->stop();
}

std::string simulator::ready_line() const {
    return json::serialize(impl_->ready());
}

http_answer simulator::control(const http_call& call) {
    const moment now = this_moment();
    const std::string path = call.path();
    if (call.method == "GET") return impl_->get(path, now);
    if (call.method != "POST") return json_answer(405, json::object{{"error", "GET or POST"}});
    if (path == "/reset") return impl_->reset(now);
    if (path == "/quit") {
        if (on_quit) asio::post(impl_->loop, on_quit);
        return json_answer(200, json::object{});
    }
    json::error_code ec;
    json::value v = json::object{};
    if (!call.body.empty()) v = json::parse(call.body, ec);
    if (ec) return refused("the body is not JSON");
    return impl_->post(path, v, now);
}

}  // namespace shardgate::sim
