// SPDX-License-Identifier: Apache-2.0
#include "sim/front.hpp"

#include <algorithm>
#include <cmath>

namespace shardgate::sim {

namespace {

namespace json = boost::json;

// A shared limit is not the caller's fault and is not counted.
bool is_invalid(const http_answer& a) {
    if (a.status == 401 || a.status == 403) return true;
    return a.status == 429 && std::none_of(a.headers.begin(), a.headers.end(), [](const auto& h) {
               return h.first == "X-RateLimit-Scope" && h.second == "shared";
           });
}

}  // namespace

http_answer front_page(std::chrono::duration<double> left) {
    http_answer a(429, "<html><body>error code: 1015</body></html>");
    a.content_type = "text/html";
    a.headers.emplace_back("Retry-After", std::to_string(std::llround(std::ceil(left.count()))));
    return a;
}

std::optional<http_answer> front::refuse(const std::string& source, time_point now) {
    const auto at = visitors_.find(source);
    if (at == visitors_.end() || !at->second.blocked_until) return std::nullopt;
    visitor& v = at->second;
    if (now >= *v.blocked_until) {
        v.blocked_until.reset();
        v.made = {};
        v.in_window = 0;
        return std::nullopt;
    }
    ++v.refused;
    ++refused_;
    return front_page(*v.blocked_until - now);
}

void front::answered(const std::string& source, const http_answer& a, time_point now) {
    const gateway_options& g = options_.gateway;
    if (g.invalid_limit == 0 || !is_invalid(a)) return;
    visitor& v = visitor_for(source);
    slide(v, now);
    ++v.made[static_cast<std::size_t>(v.step) % steps];
    ++v.in_window;
    ++v.invalid;
    v.last = now;
    if (v.blocked_until || v.in_window < g.invalid_limit) return;
    v.blocked_until = now + options_.scaled(g.invalid_block);
    ++blocks_;
}

void front::slide(visitor& v, time_point now) const {
    const duration width = std::max(
        duration(1), options_.scaled(options_.gateway.invalid_window) / std::int64_t{steps});
    const std::int64_t step = now.time_since_epoch() / width;
    // Backwards: the window's length was changed, and nothing counted so far says when it was.
    if (step < v.step || step - v.step >= static_cast<std::int64_t>(steps)) {
        v.made = {};
        v.in_window = 0;
        v.step = step;
    }
    while (v.step < step) {
        std::uint32_t& old = v.made[static_cast<std::size_t>(++v.step) % steps];
        v.in_window -= old;
        old = 0;
    }
}

front::visitor& front::visitor_for(const std::string& source) {
    if (visitors_.size() >= sources_max && !visitors_.contains(source)) {
        const auto quiet = std::min_element(
            visitors_.begin(), visitors_.end(),
            [](const auto& a, const auto& b) { return a.second.last < b.second.last; });
        visitors_.erase(quiet);
        ++forgotten_;
    }
    return visitors_[source];
}

json::object front::report(time_point now) const {
    json::object sources;
    for (const auto& [source, v] : visitors_) {
        json::object one{{"invalid", v.invalid}, {"refused", v.refused}};
        const bool blocked = v.blocked_until && now < *v.blocked_until;
        one["blocked"] = blocked;
        if (blocked)
            one["left_ms"] =
                std::chrono::duration<double, std::milli>(*v.blocked_until - now).count();
        sources[source] = std::move(one);
    }
    return {{"sources", std::move(sources)},
            {"blocks", blocks_},
            {"refused", refused_},
            {"sources_forgotten", forgotten_}};
}

void front::clear() {
    visitors_.clear();
    blocks_ = refused_ = forgotten_ = 0;
}

}  // namespace shardgate::sim
