// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "store/state_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "shardgate/base/time_text.hpp"

namespace shardgate::store {
namespace {

// What SQLite puts beside a database.
constexpr std::array<std::string_view, 4> companions{"", "-wal", "-shm", "-journal"};

std::string reason(int error) {
    return std::generic_category().message(error);
}

failure wrong(const std::string& path, std::string_view what, int error) {
    std::string text = "state.directory \"" + path + "\" " + std::string(what);
    if (error != 0) text += ": " + reason(error);
    return failure(error_code(error, boost::system::system_category()), std::move(text));
}

// Digits only: another program's file must not put words into our log.
std::string read_pid(int fd) {
    std::array<char, 20> text{};
    const ssize_t n = ::pread(fd, text.data(), text.size(), 0);
    std::string pid;
    for (ssize_t i = 0; i < n && text[static_cast<std::size_t>(i)] >= '0' &&
                        text[static_cast<std::size_t>(i)] <= '9';
         ++i)
        pid += text[static_cast<std::size_t>(i)];
    return pid;
}

// For people; the lock itself is flock's, which ends with the process however that ends.
void write_pid(int fd) {
    const std::string text = std::to_string(::getpid()) + "\n";
    if (::ftruncate(fd, 0) != 0) return;
    [[maybe_unused]] const ssize_t n = ::pwrite(fd, text.data(), text.size(), 0);
}

void sync_directory(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    ::fsync(fd);
    ::close(fd);
}

bool exists(const std::string& path) {
    struct stat unused {};
    return ::lstat(path.c_str(), &unused) == 0;
}

// "20261121T184407Z"
std::string compact(wall_ms when) {
    const std::string full = rfc3339(when);  // 2026-11-21T18:44:07.123Z
    std::string out;
    for (const char c : std::string_view(full).substr(0, full.find('.')))
        if (c != '-' && c != ':') out += c;
    return out + "Z";
}

}  // namespace

std::uint64_t file_size(const std::string& path) noexcept {
    struct stat is {};
    return ::stat(path.c_str(), &is) == 0 ? static_cast<std::uint64_t>(is.st_size) : 0;
}

std::int64_t free_space(const std::string& path) noexcept {
    struct statvfs is {};
    if (::statvfs(path.c_str(), &is) != 0) return 0;
    return static_cast<std::int64_t>(is.f_bavail) * static_cast<std::int64_t>(is.f_frsize);
}

state_directory::state_directory(std::string path, int lock)
    : path_(std::move(path)), lock_(lock) {}

state_directory::~state_directory() {
    ::close(lock_);
}

std::string state_directory::file(std::string_view name) const {
    std::string out = path_;
    if (!out.ends_with('/')) out += '/';
    return out.append(name);
}

result<std::unique_ptr<state_directory>> state_directory::take(std::string path) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
        return wrong(path, "cannot be created", errno);
    struct stat is {};
    if (::stat(path.c_str(), &is) != 0) return wrong(path, "cannot be read", errno);
    if (!S_ISDIR(is.st_mode)) return wrong(path, "is not a directory", 0);

    std::string name = path;
    if (!name.ends_with('/')) name += '/';
    name += "lock";
    const int fd = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return wrong(path, "cannot be written to", errno);
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
        const int error = errno;
        const std::string pid = read_pid(fd);
        ::close(fd);
        if (error != EWOULDBLOCK) return wrong(path, "cannot be locked", error);
        std::string text = "state.directory \"" + path + "\" is in use by another shardgate";
        if (!pid.empty()) text += " (process " + pid + ")";
        return failure(error_code(error, boost::system::system_category()), std::move(text));
    }
    write_pid(fd);
    return std::unique_ptr<state_directory>(new state_directory(std::move(path), fd));
}

void state_directory::make_private(std::string_view name) const noexcept {
    // SQLite gives the files it puts beside a database the database's own mode.
    const int fd = ::open(file(name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd < 0) return;
    struct stat is {};
    if (::fstat(fd, &is) == 0 && S_ISREG(is.st_mode) && (is.st_mode & 077) != 0) ::fchmod(fd, 0600);
    ::close(fd);
}

result<std::string> state_directory::set_aside(std::string_view name, wall_ms now) const {
    const std::string base = std::string(name) + ".damaged-" + compact(now);
    std::string target = base;
    const auto taken = [this, &target] {
        for (const std::string_view end : companions)
            if (exists(file(target) + std::string(end))) return true;
        return false;
    };
    // Ours is the only process in here, so that what is free stays free.
    for (unsigned n = 2; taken(); ++n)
        target = base + "-" + std::to_string(n);
    // The database last: were we killed in between, it would be found damaged once more.
    for (auto end = companions.rbegin(); end != companions.rend(); ++end) {
        const std::string from = file(name) + std::string(*end);
        const std::string to = file(target) + std::string(*end);
        if (::rename(from.c_str(), to.c_str()) == 0 || errno == ENOENT) continue;
        const int error = errno;
        return failure(error_code(error, boost::system::system_category()),
                       from + " cannot be moved aside: " + reason(error));
    }
    sync_directory(path_);
    return result<std::string>(boost::system::in_place_value, std::move(target));
}

}  // namespace shardgate::store
