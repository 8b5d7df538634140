// SPDX-License-Identifier: Apache-2.0
// What the kernel says about this process, for the process_* metrics. /proc is memory: reading it
// does not hold the loop.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace shardgate::admin {

struct process_stats {
    double cpu_seconds = 0;
    std::uint64_t resident_bytes = 0;
    std::uint64_t virtual_bytes = 0;
    std::uint64_t threads = 0;
    std::uint64_t open_fds = 0;
    double max_fds = 0;             // infinite when there is no limit
    double start_time_seconds = 0;  // unix time
};

// Fields of /proc/<pid>/stat (proc(5)); the command's name in it may hold anything.
struct stat_fields {
    std::uint64_t user_ticks = 0, system_ticks = 0, threads = 0, start_ticks = 0;
    std::uint64_t virtual_bytes = 0, resident_pages = 0;
};
[[nodiscard]] std::optional<stat_fields> parse_stat(std::string_view text);
// The "btime" line of /proc/stat: when the machine started, unix seconds.
[[nodiscard]] std::optional<std::uint64_t> parse_boot_time(std::string_view text);

// nullopt where there is no /proc.
[[nodiscard]] std::optional<process_stats> read_process_stats();

}  // namespace shardgate::admin
