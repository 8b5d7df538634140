// SPDX-License-Identifier: Apache-2.0
#include "admin/process_stats.hpp"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <limits>
#include <memory>
#include <string>

namespace shardgate::admin {

namespace {

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (read.ec != std::errc{}) return std::nullopt;
    return value;
}

std::string whole_file(const char* path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::uint64_t count_open_fds() {
    const auto close = [](DIR* d) { ::closedir(d); };
    const std::unique_ptr<DIR, decltype(close)> dir(::opendir("/proc/self/fd"), close);
    std::uint64_t n = 0;
    while (dir) {
        const dirent* const entry = ::readdir(dir.get());
        if (entry == nullptr) break;
        if (entry->d_name[0] != '.') ++n;
    }
    return n > 0 ? n - 1 : 0;  // not the directory itself
}

double fd_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    return limit.rlim_cur == RLIM_INFINITY ? std::numeric_limits<double>::infinity()
                                           : static_cast<double>(limit.rlim_cur);
}

}  // namespace

std::optional<stat_fields> parse_stat(std::string_view text) {
    // The name stands in parentheses and may hold parentheses and spaces: the last one ends it.
    const std::size_t close = text.rfind(')');
    if (close == std::string_view::npos) return std::nullopt;
    text.remove_prefix(close + 1);
    std::array<std::string_view, 25> fields;  // fields[i] is proc(5)'s number i, from 3 on
    for (std::size_t i = 3; i < fields.size(); ++i) {
        const std::size_t begin = text.find_first_not_of(' ');
        if (begin == std::string_view::npos) return std::nullopt;
        text.remove_prefix(begin);
        fields[i] = text.substr(0, text.find_first_of(" \n"));
        text.remove_prefix(fields[i].size());
    }
    const auto user = number(fields[14]), system = number(fields[15]), threads = number(fields[20]),
               start = number(fields[22]), size = number(fields[23]), resident = number(fields[24]);
    if (!user || !system || !threads || !start || !size || !resident) return std::nullopt;
    return stat_fields{*user, *system, *threads, *start, *size, *resident};
}

std::optional<std::uint64_t> parse_boot_time(std::string_view text) {
    constexpr std::string_view key = "btime ";
    std::size_t at = text.starts_with(key) ? 0 : text.find("\nbtime ");
    if (at == std::string_view::npos) return std::nullopt;
    if (text[at] == '\n') ++at;
    return number(text.substr(at + key.size()));
}

std::optional<process_stats> read_process_stats() {
    const std::optional<stat_fields> stat = parse_stat(whole_file("/proc/self/stat"));
    if (!stat) return std::nullopt;
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    // The machine's start does not change; /proc/stat is long on a machine of many cores.
    static const std::uint64_t boot = parse_boot_time(whole_file("/proc/stat")).value_or(0);
    process_stats out;
    out.cpu_seconds = static_cast<double>(stat->user_ticks + stat->system_ticks) / ticks;
    out.resident_bytes = stat->resident_pages * static_cast<std::uint64_t>(::getpagesize());
    out.virtual_bytes = stat->virtual_bytes;
    out.threads = stat->threads;
    out.open_fds = count_open_fds();
    out.max_fds = fd_limit();
    out.start_time_seconds =
        static_cast<double>(boot) + static_cast<double>(stat->start_ticks) / ticks;
    return out;
}

}  // namespace shardgate::admin
