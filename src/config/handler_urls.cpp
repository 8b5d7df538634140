// SPDX-License-Identifier: Apache-2.0
// handler.urls given by somebody else than the file: the same rules.
#include <algorithm>
#include <string>
#include <vector>

#include "config/rules.hpp"
#include "shardgate/config/address.hpp"

namespace shardgate::config {

std::string check_handler_urls(const std::vector<std::string>& urls) {
    if (urls.empty() || urls.size() > max_handler_urls)
        return "urls has " + std::to_string(urls.size()) + " entries, allowed: 1 to " +
               std::to_string(max_handler_urls);
    for (std::size_t i = 0; i < urls.size(); ++i) {
        std::string url = urls[i];
        if (const std::string wrong = handler_url_rule(url); !wrong.empty())
            return "urls[" + std::to_string(i) + "] " + wrong;
        const auto before = urls.begin() + static_cast<std::ptrdiff_t>(i);
        if (std::find(urls.begin(), before, urls[i]) != before)
            return "urls[" + std::to_string(i) + "] is there twice";
    }
    return {};
}

}  // namespace shardgate::config
