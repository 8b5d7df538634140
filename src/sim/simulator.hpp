// SPDX-License-Identifier: Apache-2.0
// Everything put together: one world, its gateway, REST, event handler and control port on one
// loop. Owns all of it; built in order, stopped in reverse.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <functional>
#include <memory>
#include <string>

#include "shardgate/base/result.hpp"
#include "sim/http_server.hpp"
#include "sim/options.hpp"

namespace shardgate::sim {

class simulator {
public:
    simulator(boost::asio::io_context& loop, options o);
    ~simulator();

    // Binds every port, writes the CA file. Throws when the system refuses.
    void start();
    void stop();
    // The line a test waits for: addresses and the CA file.
    [[nodiscard]] std::string ready_line() const;

    // One call of the control API (docs/simulator.md).
    [[nodiscard]] http_answer control(const http_call& call);
    std::function<void()> on_quit;

    struct impl;

private:
    std::shared_ptr<impl> impl_;
};

}  // namespace shardgate::sim
