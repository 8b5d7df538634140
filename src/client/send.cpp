// SPDX-License-Identifier: Apache-2.0
#include "client/send.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <istream>
#include <iterator>
#include <ostream>
#include <string>

namespace shardgate::client {

namespace {

// Larger ones the daemon refuses; what is typed here is not sent for an hour of reading.
constexpr std::size_t longest_payload = 64U << 10;

std::string payload_of(const session& s) {
    if (s.options.payload_text != "-") return s.options.payload_text;
    std::string text;
    for (std::istreambuf_iterator<char> at(s.at.in), end;
         at != end && text.size() <= longest_payload; ++at)
        text += *at;
    return text;
}

}  // namespace

int send(const session& s) {
    const std::string text = payload_of(s);
    boost::json::error_code bad;
    const boost::json::value v = boost::json::parse(text, bad);
    if (bad || !v.is_object() || text.size() > longest_payload) {
        s.at.err << "shardgate: the payload is no JSON object of at most 64 KiB; it looks like "
                    R"({"op":3,"d":{"since":null,"activities":[],"status":"idle","afk":false}})"
                    "\n";
        return exit_usage;
    }
    const std::string target =
        s.options.shard ? "/v1/shards/" + std::to_string(*s.options.shard) + "/send" : "/v1/send";
    const auto answer = answer_of(s, {"POST", target, text}, boost::json::kind::object);
    if (!answer) return exit_unavailable;
    s.at.out << (s.options.json ? answer->text : std::string("accepted\n"));
    return exit_done;
}

}  // namespace shardgate::client
