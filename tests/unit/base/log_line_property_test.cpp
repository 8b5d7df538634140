// SPDX-License-Identifier: Apache-2.0
// Hostile text and the shape of a log line. Boost.JSON is compiled in: the base layer has no use
// for the library.
#include <gtest/gtest.h>

#include <boost/json/src.hpp>
#include <string>
#include <vector>

#include "base/log_line.hpp"
#include "shardgate/base/random.hpp"

namespace shardgate::log {
namespace {

const wall_ms moment{std::chrono::milliseconds(1795286647123)};

TEST(LogLineProperty, AnyBytesMakeOneParsableLine) {
    constexpr std::uint64_t seed = 20261121;
    random_source random(seed);
    for (int i = 0; i < 5000; ++i) {
        std::string value(random.below(40), ' ');
        for (char& c : value)
            c = static_cast<char>(static_cast<unsigned char>(random.below(256)));

        const std::vector<field> facts{{"v", std::string_view(value)}};
        const std::string as_text = render(format::text, level::info, moment, value, facts);
        const std::string as_json = render(format::json, level::info, moment, value, facts);

        for (const std::string& line : {as_text, as_json})
            for (const char c : line)
                ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) << "seed " << seed;
        boost::json::error_code ec;
        const auto parsed = boost::json::parse(as_json, ec);
        ASSERT_FALSE(ec) << "seed " << seed << ' ' << as_json;
        ASSERT_EQ(parsed.as_object().size(), 4U);
    }
}

}  // namespace
}  // namespace shardgate::log
