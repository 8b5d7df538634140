// SPDX-License-Identifier: Apache-2.0
#include "admin/guilds.hpp"

#include <boost/json/object.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "admin/json_text.hpp"
#include "admin/problem.hpp"
#include "admin/strict.hpp"

namespace shardgate::admin {

namespace {

constexpr std::size_t piece_size = 64 * 1024;

// Ids as strings: most languages' numbers do not hold them. Eight bytes a guild until they are
// sent.
class id_lines final : public body_stream {
public:
    explicit id_lines(std::vector<std::uint64_t> ids) : ids_(std::move(ids)) {}

    [[nodiscard]] next read(std::string& into, time_point) override {
        const std::size_t full = into.size() + piece_size;
        for (; at_ < ids_.size() && into.size() < full; ++at_)
            into.append("\"").append(std::to_string(ids_[at_])).append("\"\n");
        return at_ == ids_.size() ? next::end : next::more;
    }

private:
    std::vector<std::uint64_t> ids_;
    std::size_t at_ = 0;
};

}  // namespace

http_response guilds(const daemon_view& view, const target& t) {
    if (auto no = refuse_others(t, {"ids"}, "ids=1")) return *no;
    const std::string* const ids = t.parameter("ids");
    if (ids != nullptr && *ids != "0" && *ids != "1") return problem(400, "ids is 0 or 1.");
    const bool with_ids = ids != nullptr && *ids == "1";
    guild_list all = view.guilds(with_ids);
    http_response answer;
    if (with_ids) {
        answer.content_type = "application/x-ndjson";
        answer.headers.emplace_back("X-Shardgate-Complete", all.complete ? "true" : "false");
        answer.stream = std::make_shared<id_lines>(std::move(all.ids));
        return answer;
    }
    boost::json::object body;
    body["count"] = all.count;
    body["unavailable"] = all.unavailable;
    body["complete"] = all.complete;
    answer.body = to_text(body);
    return answer;
}

}  // namespace shardgate::admin
