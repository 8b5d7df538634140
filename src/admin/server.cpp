// SPDX-License-Identifier: Apache-2.0
#include "shardgate/admin/server.hpp"

#include <utility>

#include "admin/listener.hpp"
#include "admin/server_core.hpp"
#include "shardgate/runtime/address.hpp"

namespace shardgate {

struct admin_server::impl : admin::server_core {
    using server_core::server_core;
};

admin_server::admin_server(std::shared_ptr<impl> i) : impl_(std::move(i)) {}

admin_server::~admin_server() {
    stop();
}

result<std::unique_ptr<admin_server>> admin_server::listen(boost::asio::any_io_executor loop,
                                                           const config::admin& settings,
                                                           daemon_view& view) {
    const auto where = parse_address(settings.listen);
    if (!where)
        return failure("admin.listen = \"" + settings.listen + "\": " + where.error().detail);
    // The configuration is checked for this too; an open door is worth a second look.
    if (settings.token.empty() && !is_local(*where))
        return failure("admin.listen = \"" + settings.listen +
                       "\" can be reached from other machines and needs admin.token_file");
    result<admin::listener> opened = admin::listener::open(loop, *where);
    if (!opened) return opened.error();
    admin::guard_rules rules;
    rules.token = settings.token;
    rules.metrics_token = settings.metrics_token;
    rules.any_host = opened->is_unix();
    auto core = std::make_shared<impl>(std::move(loop), std::move(*opened), std::move(rules), view,
                                       admin::server_limits{});
    admin::server_core::start(core);
    return std::unique_ptr<admin_server>(new admin_server(std::move(core)));
}

std::string admin_server::address() const {
    return impl_->address();
}

void admin_server::set_tokens(const config::admin& settings) {
    impl_->set_tokens(settings.token, settings.metrics_token);
}

void admin_server::stop() {
    impl_->stop();
}

boost::asio::awaitable<bool> admin_server::join(time_point deadline) {
    const std::shared_ptr<impl> keep = impl_;
    const bool done = co_await keep->tasks().join(deadline);
    co_return done;
}

}  // namespace shardgate
