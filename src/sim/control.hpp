// SPDX-License-Identifier: Apache-2.0
// The control API: state, load, single events, faults, settings, report (docs/simulator.md).
// Pure but for the time it is told; the shell adds what concerns sockets and the handler.
#pragma once

#include <boost/json/value.hpp>
#include <string_view>

#include "shardgate/base/result.hpp"
#include "sim/parts.hpp"

namespace shardgate::sim {

// Bodies of the calls of that name; the answer's JSON, or what is wrong with the request.
[[nodiscard]] result<boost::json::value> control_load(parts& p, const boost::json::value& v,
                                                      const moment& now);
[[nodiscard]] result<boost::json::value> control_grow(parts& p, const boost::json::value& v,
                                                      const moment& now);
[[nodiscard]] result<boost::json::value> control_emit(parts& p, const boost::json::value& v,
                                                      const moment& now);
[[nodiscard]] result<boost::json::value> control_fault(parts& p, const boost::json::value& v,
                                                       const moment& now);
[[nodiscard]] result<boost::json::value> control_expect(parts& p, const boost::json::value& v);
[[nodiscard]] result<boost::json::value> control_settings(parts& p, const boost::json::value& v,
                                                          const moment& now);
[[nodiscard]] boost::json::value control_state(const parts& p, const moment& now);
// Per shard total: sessions, guilds, IDENTIFYs.
[[nodiscard]] boost::json::object control_totals(const parts& p);
[[nodiscard]] boost::json::value control_identifies(const parts& p);
// Losses, copies, order, resumes and pacing in one flat object; `gaps` as the handler tells them.
[[nodiscard]] boost::json::object control_account(const parts& p, boost::json::object gaps);
[[nodiscard]] boost::json::value control_report(parts& p, const moment& now);

}  // namespace shardgate::sim
