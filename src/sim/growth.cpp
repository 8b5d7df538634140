// SPDX-License-Identifier: Apache-2.0
#include "sim/growth.hpp"

#include <algorithm>
#include <string_view>

namespace shardgate::sim {

namespace {

namespace json = boost::json;

bool read(const json::object& o, std::string_view key, double& to) {
    const json::value* v = o.if_contains(key);
    if (!v) return true;
    if (!v->is_number() || v->to_number<double>() < 0) return false;
    to = v->to_number<double>();
    return true;
}

bool read_shard(const json::object& o, growth_plan& plan) {
    const json::value* v = o.if_contains("shard");
    if (!v) return true;
    if (!v->is_array() || v->get_array().size() != 2) return false;
    const json::array& pair = v->get_array();
    if (!pair[0].is_int64() || !pair[1].is_int64()) return false;
    const std::int64_t shard = pair[0].get_int64(), shards = pair[1].get_int64();
    if (shard < 0 || shard >= shards || shards > 65536) return false;
    plan.on = {static_cast<std::uint32_t>(shard), static_cast<std::uint32_t>(shards)};
    return true;
}

}  // namespace

result<growth_plan> read_growth(const json::value& v) {
    if (!v.is_object()) return failure("an object is wanted");
    const json::object& o = v.get_object();
    growth_plan plan;
    double count = 0, seconds = 0, until = 0;
    if (!read(o, "join", plan.join) || !read(o, "leave", plan.leave) || !read(o, "count", count) ||
        !read(o, "seconds", seconds) || !read(o, "until", until))
        return failure("join, leave, count, seconds, until: numbers from 0 on");
    if (!read_shard(o, plan)) return failure("shard: [id, count]");
    if (plan.join <= 0 && plan.leave <= 0) return failure("join or leave: guilds per second");
    if (plan.join > 10000 || plan.leave > 10000) return failure("at most 10,000 guilds per second");
    if (count > 4e9 || until > 4e9) return failure("count, until: too many");
    plan.count = static_cast<std::uint64_t>(count);
    plan.guilds = static_cast<std::uint32_t>(until);
    if (seconds > 0)
        plan.lasts = std::chrono::duration_cast<duration>(
            std::chrono::duration<double>(std::min(seconds, 1e6)));
    return plan;
}

void growth::start(growth_plan plan, time_point now) {
    plan_ = std::move(plan);
    start_ = last_ = now;
    joins_owed_ = leaves_owed_ = 0;
    made_ = 0;
}

bool growth::finished(time_point now) const {
    if (plan_->lasts && now - start_ >= *plan_->lasts) return true;
    if (plan_->guilds != 0 && plan_->join > 0 && world_.present() >= plan_->guilds) return true;
    return plan_->count != 0 && made_ >= plan_->count;
}

void growth::join(const moment& now) {
    if (director_.join_guild(now, plan_->on) == 0) ++unseen_;
    ++joined_;
    ++made_;
}

void growth::leave(const moment& now) {
    const auto at = world_.pick_even(director_.random());
    if (!at) return;
    if (!director_.leave_guild(*at, now)) ++unseen_;
    ++left_;
}

void growth::tick(const moment& now) {
    if (!plan_) return;
    const double seconds = std::chrono::duration<double>(now.at - last_).count();
    last_ = now.at;
    joins_owed_ = std::min(joins_owed_ + plan_->join * seconds, owed_max);
    leaves_owed_ = std::min(leaves_owed_ + plan_->leave * seconds, owed_max);
    for (; joins_owed_ >= 1 && !finished(now.at); joins_owed_ -= 1)
        join(now);
    for (; leaves_owed_ >= 1; leaves_owed_ -= 1)
        leave(now);
    if (finished(now.at)) plan_.reset();
}

json::object growth::report() const {
    return {{"running", running()}, {"joined", joined_}, {"left", left_}, {"unseen", unseen_}};
}

void growth::clear() {
    plan_.reset();
    joined_ = left_ = unseen_ = 0;
}

}  // namespace shardgate::sim
