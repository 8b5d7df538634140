// SPDX-License-Identifier: Apache-2.0
// The simulator as the bot's event handler: an HTTP/1.1 server that takes the daemon's POSTs in
// every envelope, checks secret and signature, tells the truth book what arrived, and misbehaves
// when told to. Fast enough to outrun the daemon on one core. Loop thread only.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "shardgate/base/result.hpp"
#include "shardgate/base/time.hpp"

namespace shardgate::sim {

class truth;

struct handler_options {
    std::string listen = "127.0.0.1:0";     // or "unix:/path"
    std::string secret;                     // expected in Authorization; empty = not checked
    std::vector<std::string> signing_keys;  // not empty: every request needs a signature by one
    bool plain = false;  // events without X-Shardgate-… headers are taken too: other programs'
    std::size_t max_body = 64U << 20;
    std::uint32_t validate_every = 64;        // one body in so many is parsed whole; 0 = none
    std::size_t log_capacity = 1000;          // the last events received
    std::size_t own_events_capacity = 10000;  // SHARDGATE_… events kept whole
};

// What to do with a request. The first rule that fits applies; without one the answer is 204.
struct handler_rule {
    enum class act : std::uint8_t {
        answer,       // `status`
        hang,         // never answer; the connection stays open
        drop,         // close the connection without an answer
        half_header,  // half of a response header, then silence
        huge_body,    // `status` with Content-Length 1 GiB, and the bytes
        nonsense,     // bytes that are not HTTP
    };

    // All that is set must fit; an event of a batch that fits makes the whole request fit.
    std::uint64_t lane = 0;  // guild (or DM channel) id, as the truth book knows it
    std::uint64_t n = 0;     // one event
    std::string event;       // name as forwarded
    std::string path;        // request target begins with it

    act what = act::answer;
    unsigned status = 204;
    std::string retry_after;  // header value, sent when not empty
    duration delay{};         // before answering
    bool close = false;       // Connection: close, and closes
    std::uint64_t times = 0;  // goes away after so many requests; 0 = stays
};

// Reads {"lane","n","event","path","do","status","retry_after","delay_ms","close","times"}; numbers
// may be strings. "do" is an act's name.
[[nodiscard]] result<handler_rule> read_handler_rule(const boost::json::value& json);

class event_handler {
public:
    // `book` outlives the handler.
    event_handler(boost::asio::any_io_executor loop, handler_options options, truth& book);
    ~event_handler();

    // Opens the listener. Fails with a sentence that names the address.
    [[nodiscard]] result<void> start();
    // "http://127.0.0.1:PORT/" or "unix:/path:/": what to put into the daemon's handler.urls.
    [[nodiscard]] std::string url() const;

    // Down: listener and connections are closed, so that connecting is refused; up again: the same
    // address. Coming up arms the in-flight record (see report()).
    void set_down(bool down);
    // Adds a rule behind the others and answers its number.
    std::uint64_t add_rule(handler_rule rule);
    bool remove_rule(std::uint64_t number);
    // Also arms the in-flight record. Requests that hang are dropped.
    void clear_rules();
    void set_idle_close(duration after);    // closes connections idle for so long; zero = never
    void set_close_after_each(bool close);  // Connection: close on every answer
    void arm_in_flight_record();

    // The same over JSON, for the control API: {"down":bool, "rules":[…] (replaces all),
    // "add":{rule}, "remove":number, "clear":true, "idle_close_ms":n, "close_after_each":bool,
    // "arm":true}. Answers {"added":number} or {}. Nothing is applied when something is wrong.
    [[nodiscard]] result<boost::json::object> control(const boost::json::value& command);

    // Counters: requests, events, batches, connections, by status answered, unauthorized,
    // bad_signature, malformed, in_flight (now, max), in_flight_record (requests in flight at each
    // request's start since it was armed, the first 4,096), last_events, own_events. The truth
    // book's report is not in it.
    [[nodiscard]] boost::json::object report(bool with_events = true) const;
    // The gap events it accepted; see gap_book.
    [[nodiscard]] boost::json::object gaps() const;

private:
    struct impl;
    std::shared_ptr<impl> impl_;
};

}  // namespace shardgate::sim
