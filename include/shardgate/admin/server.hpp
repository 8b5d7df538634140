// SPDX-License-Identifier: Apache-2.0
// The admin API's HTTP server: host:port or a unix socket, bounded headers, bodies, connections and
// time. Loop thread only. Routes and answers: admin/router.hpp (pure).
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

#include "shardgate/admin/daemon_view.hpp"
#include "shardgate/base/result.hpp"
#include "shardgate/base/time.hpp"
#include "shardgate/config/config.hpp"

namespace shardgate {

class admin_server {
public:
    // Binds at once; fails with a sentence that names the address. `view` outlives the server.
    [[nodiscard]] static result<std::unique_ptr<admin_server>> listen(
        boost::asio::any_io_executor loop, const config::admin& settings, daemon_view& view);
    ~admin_server();

    // As bound: "127.0.0.1:7600" (the port chosen when 0 was asked for) or "unix:/path".
    [[nodiscard]] std::string address() const;
    // Other tokens, of the next request on; open connections stay. An admin token may only become
    // empty on an address that only this machine reaches.
    void set_tokens(const config::admin& settings);
    // Accepts nothing more and drops what is open; `view` is not asked again. The coroutines end on
    // the loop's next turn.
    void stop();
    // After stop(): waits until they have ended; false when `deadline` came first.
    [[nodiscard]] boost::asio::awaitable<bool> join(time_point deadline);

private:
    struct impl;
    explicit admin_server(std::shared_ptr<impl> i);
    std::shared_ptr<impl> impl_;
};

}  // namespace shardgate
