// SPDX-License-Identifier: Apache-2.0
// Takes the answers to the daemon's own member requests out of the stream of events, and their
// time. Loop thread only. Owner: daemon.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "shardgate/admin/daemon_view.hpp"
#include "shardgate/fleet/loop_stage.hpp"
#include "shardgate/protocol/envelope.hpp"
#include "shardgate/runtime/lazy_timer.hpp"
#include "shardgate/shard/command.hpp"
#include "shardgate/shard/member_requests.hpp"

namespace shardgate {

class bot_answers final : public answer_taker {
public:
    // Sends to the shard of the command's guild.
    using send_command = std::function<send_reply(gateway_command)>;

    bot_answers(boost::asio::any_io_executor loop, std::string_view run, send_command send);

    // Accepted: the reader hears of it, at the latest that it came to nothing.
    [[nodiscard]] send_reply ask(const members_request& wanted,
                                 std::shared_ptr<member_reader> reader);
    [[nodiscard]] bool take(const dispatch& event) override;

    [[nodiscard]] const member_requests& book() const noexcept { return book_; }

private:
    void again(const std::string& nonce);
    void arm() { timer_.arm(book_.deadline()); }

    send_command send_;
    member_requests book_;
    scanner scanner_;
    lazy_timer timer_;
    // What was asked under a nonce, for once more: bounded by the book.
    std::map<std::string, gateway_command, std::less<>> asked_;
};

}  // namespace shardgate
