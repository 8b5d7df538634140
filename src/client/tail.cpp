// SPDX-License-Identifier: Apache-2.0
#include "client/tail.hpp"

#include <array>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <ostream>

#include "client/fields.hpp"
#include "client/text.hpp"

namespace shardgate::client {

namespace {

using boost::json::object;

std::string time_of_day(std::uint64_t unix_ms) {
    std::array<char, 16> text{};
    const auto in_day = static_cast<unsigned>(unix_ms % 86'400'000);
    std::snprintf(text.data(), text.size(), "%02u:%02u:%02u.%03u", in_day / 3'600'000,
                  in_day / 60'000 % 60, in_day / 1000 % 60, in_day % 1000);
    return text.data();
}

void add(std::string& line, const char* word, const std::string& value) {
    if (!value.empty() && value != "0") line += std::string("  ") + word + ' ' + value;
}

std::string target_of(const config::admin_options& o) {
    std::string target = "/v1/events";
    char before = '?';
    const auto parameter = [&](const char* name, const std::string& value) {
        target += before + std::string(name) + '=' + value;
        before = '&';
    };
    for (const std::string& type : o.types)
        parameter("type", type);
    for (const std::uint64_t guild : o.guilds)
        parameter("guild", std::to_string(guild));
    if (o.shard) parameter("shard", std::to_string(*o.shard));
    if (o.payload) parameter("payload", "1");
    return target;
}

}  // namespace

void event_stream::feed(std::string_view bytes) {
    for (const char c : bytes) {
        if (c == '\n') {
            if (!line_.empty() && line_.back() == '\r') line_.pop_back();
            line(line_);
            line_.clear();
        } else if (line_.size() < longest) {
            line_ += c;
        } else {
            too_long_ = true;
        }
    }
}

void event_stream::line(std::string_view text) {
    if (text.empty()) {
        if (has_data_ && !too_long_)
            take_(name_.empty() ? "message" : std::string_view(name_), data_);
        name_.clear();
        data_.clear();
        has_data_ = too_long_ = false;
        return;
    }
    const std::size_t colon = text.find(':');
    const std::string_view field = text.substr(0, colon);
    std::string_view value = colon == std::string_view::npos ? "" : text.substr(colon + 1);
    if (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    if (field == "event") name_ = value;
    if (field != "data") return;
    if (has_data_) data_ += '\n';
    has_data_ = true;
    if (data_.size() + value.size() > longest)
        too_long_ = true;
    else
        data_ += value;
}

std::string tail_line(std::string_view data) {
    boost::json::error_code bad;
    boost::json::parse_options deep;
    deep.max_depth = 256;
    const boost::json::value v = boost::json::parse({data.data(), data.size()}, bad, {}, deep);
    if (bad || !v.is_object()) return printable(data);
    const object& o = v.get_object();
    std::string line = time_of_day(count_of(o, "at")) + "  " + printable(text_of(o, "t"));
    line += "  shard " + std::to_string(count_of(o, "shard")) + '/' +
            std::to_string(count_of(o, "shards"));
    add(line, "guild", printable(text_of(o, "guild")));
    add(line, "channel", printable(text_of(o, "channel")));
    add(line, "is", printable(text_of(o, "mark")));
    line += "  " + bytes_text(count_of(o, "bytes"));
    if (const auto* d = o.if_contains("d"); d != nullptr && !d->is_null())
        line += "  " + printable(boost::json::serialize(*d));
    return line;
}

int tail(const session& s) {
    event_stream events([&s](std::string_view name, std::string_view data) {
        if (name == "message")
            s.at.out << (s.options.json ? std::string(data) : tail_line(data)) << '\n';
        else if (name == "dropped")
            s.at.err << "shardgate: too slow, events were left out: " << printable(data) << '\n';
        s.at.out << std::flush;
    });
    const result<admin_answer> end =
        s.with.follow({"GET", target_of(s.options), ""}, [&](std::string_view piece) {
            events.feed(piece);
            return static_cast<bool>(s.at.out);  // a pipe that nobody reads any more
        });
    if (end && end->status == 200) return exit_done;  // the daemon stops, or we were to
    (void)read_answer(s, end, boost::json::kind::object);
    return exit_unavailable;
}

}  // namespace shardgate::client
