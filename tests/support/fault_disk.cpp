// SPDX-License-Identifier: Apache-2.0
// A disk that fails on demand: preloaded into the daemon (LD_PRELOAD), it stands before the calls
// that write and sync files below SHARDGATE_FAULT_DIRECTORY, and obeys the file
// SHARDGATE_FAULT_CONTROL, which the test writes while the daemon runs. Linux on 64 bits. Depends
// on nothing of ours.
//
// The control file is one page of 4,096 bytes, mapped by both sides. From byte 0: words, ended by a
// zero byte; none is no fault. From byte 2,048: our counters, see `counters`.
//   match=TEXT     only files whose path contains TEXT; all of the directory's without it
//   write=eio      writes, truncations and reservations fail with EIO
//   write=full     what would make a file longer fails with ENOSPC; the rest goes through
//   sync=eio       fsync and fdatasync fail with EIO
//   delay_ms=N     each write takes so much longer; ends early when the words change
//   sync_delay_ms=N  each sync likewise
//   torn=1         the next write of 512 bytes or more gets half of them to the disk, then the
//                  process is gone, exit code 99
//   after=N        the first N calls that `write`, `sync` or `torn` would meet are spared
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <mutex>
#include <string>
#include <string_view>

static_assert(sizeof(long) == 8, "the calls below take 64-bit offsets in one register");

namespace {

constexpr std::size_t page = 4096, words_max = 1024, counters_at = 2048, torn_least = 512;
constexpr int torn_exit = 99;

struct counters {
    std::uint64_t writes, syncs, bytes, failed, delayed, torn;
};

enum class outcome : std::uint8_t { fine, eio, full };

struct plan {
    std::string match;
    outcome write = outcome::fine, sync = outcome::fine;
    long delay_ms = 0, sync_delay_ms = 0;
    bool torn = false;
    std::uint64_t after = 0;
};

class disk {
public:
    disk() {
        const char* directory = std::getenv("SHARDGATE_FAULT_DIRECTORY");
        const char* control = std::getenv("SHARDGATE_FAULT_CONTROL");
        std::array<char, PATH_MAX> real{};
        if (directory == nullptr || control == nullptr) return;
        // The directory may be made later; its parent has to be there.
        root_ = ::realpath(directory, real.data()) != nullptr ? real.data() : directory;
        const int fd = ::open(control, O_RDWR | O_CLOEXEC);
        if (fd < 0) return;
        void* at = ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        ::close(fd);
        if (at != MAP_FAILED) page_ = static_cast<char*>(at);
    }

    // Whether the file behind `fd` is one that the test may make fail. Counted if it is ours at
    // all.
    bool meets(int fd, bool sync, std::size_t bytes, plan& now) {
        if (page_ == nullptr || fd <= 2) return false;
        std::array<char, 32> link{};
        std::array<char, PATH_MAX> target{};
        (void)std::snprintf(link.data(), link.size(), "/proc/self/fd/%d", fd);
        const auto size = ::readlink(link.data(), target.data(), target.size() - 1);
        if (size <= 0) return false;
        const std::string_view path(target.data(), static_cast<std::size_t>(size));
        if (!path.starts_with(root_) || path.size() <= root_.size() || path[root_.size()] != '/')
            return false;
        const std::lock_guard guard(lock_);
        counters& c = count();
        ++(sync ? c.syncs : c.writes);
        c.bytes += bytes;
        now = read();
        return now.match.empty() || path.find(now.match) != std::string_view::npos;
    }

    // Whether it strikes now; the first `after` times it does not.
    bool strikes() {
        const std::lock_guard guard(lock_);
        return ++struck_ > plan_.after;
    }

    void linger(long ms, bool sync) {
        if (ms <= 0) return;
        {
            const std::lock_guard guard(lock_);
            ++count().delayed;
        }
        constexpr long step = 5;
        for (long done = 0; done < ms; done += step) {
            const timespec rest{0, step * 1000000};
            (void)::clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, nullptr);
            const std::lock_guard guard(lock_);
            const plan& now = read();
            if ((sync ? now.sync_delay_ms : now.delay_ms) <= 0) return;
        }
    }

    int fail(int error) {
        const std::lock_guard guard(lock_);
        ++count().failed;
        return error;
    }

    [[noreturn]] void tear(int fd, const void* data, std::size_t size, off_t at) {
        (void)::syscall(SYS_pwrite64, fd, data, size / 2, at);
        {
            const std::lock_guard guard(lock_);
            ++count().torn;
        }
        ::_exit(torn_exit);
    }

private:
    counters& count() { return *reinterpret_cast<counters*>(page_ + counters_at); }

    // The plan as the page has it; parsed when its words are others than last time.
    const plan& read() {
        std::array<char, words_max> words{};
        std::memcpy(words.data(), page_, words.size() - 1);
        if (words == seen_) return plan_;
        seen_ = words;
        plan_ = {};
        struck_ = 0;
        std::string_view left(words.data());
        while (!left.empty()) {
            const auto end = std::min(left.find(' '), left.size());
            const std::string_view word = left.substr(0, end);
            left.remove_prefix(std::min(end + 1, left.size()));
            const auto equals = word.find('=');
            if (equals != std::string_view::npos)
                set(word.substr(0, equals), std::string(word.substr(equals + 1)));
        }
        return plan_;
    }

    void set(std::string_view key, const std::string& value) {
        const long number = std::strtol(value.c_str(), nullptr, 10);
        const outcome what = value == "eio"    ? outcome::eio
                             : value == "full" ? outcome::full
                                               : outcome::fine;
        if (key == "match") plan_.match = value;
        if (key == "write") plan_.write = what;
        if (key == "sync") plan_.sync = what;
        if (key == "delay_ms") plan_.delay_ms = number;
        if (key == "sync_delay_ms") plan_.sync_delay_ms = number;
        if (key == "torn") plan_.torn = number != 0;
        if (key == "after") plan_.after = static_cast<std::uint64_t>(number);
    }

    std::string root_;
    char* page_ = nullptr;
    std::mutex lock_;
    std::array<char, words_max> seen_{};
    plan plan_;
    std::uint64_t struck_ = 0;  // since the plan is this one
};

disk& the_disk() {
    // Never destroyed: other threads may write until the very end.
    static disk& one = *new disk;
    return one;
}

off_t end_of(int fd) {
    struct stat about {};
    return ::fstat(fd, &about) == 0 ? about.st_size : 0;
}

// The error of a write of [at, at + size), 0 for none. Torn writes do not come back.
int before_write(int fd, const void* data, std::size_t size, off_t at) {
    plan now;
    disk& d = the_disk();
    if (!d.meets(fd, false, size, now)) return 0;
    d.linger(now.delay_ms, false);
    if (now.torn && data != nullptr && size >= torn_least && d.strikes())
        d.tear(fd, data, size, at);
    const bool longer = at + static_cast<off_t>(size) > end_of(fd);
    if (now.write == outcome::eio && d.strikes()) return d.fail(EIO);
    if (now.write == outcome::full && longer && d.strikes()) return d.fail(ENOSPC);
    return 0;
}

int before_sync(int fd) {
    plan now;
    disk& d = the_disk();
    if (!d.meets(fd, true, 0, now)) return 0;
    d.linger(now.sync_delay_ms, true);
    return now.sync == outcome::eio && d.strikes() ? d.fail(EIO) : 0;
}

// A truncation takes no room.
int before_truncate(int fd) {
    plan now;
    disk& d = the_disk();
    if (!d.meets(fd, false, 0, now)) return 0;
    return now.write == outcome::eio && d.strikes() ? d.fail(EIO) : 0;
}

template <class... Args>
long answer(int error, long number, Args... args) {
    if (error == 0) return ::syscall(number, args...);
    errno = error;
    return -1;
}

}  // namespace

// The parameters' names are ours; the declarations are libc's.
extern "C" {

ssize_t write(int fd, const void* data, std::size_t size) {
    int error = 0;
    if (fd > 2) {
        const off_t at = static_cast<off_t>(::syscall(SYS_lseek, fd, 0L, SEEK_CUR));
        if (at >= 0) error = before_write(fd, data, size, at);  // a socket has no offset
    }
    return answer(error, SYS_write, fd, data, size);
}

ssize_t pwrite(int fd, const void* data, std::size_t size, off_t at) {
    return answer(before_write(fd, data, size, at), SYS_pwrite64, fd, data, size, at);
}

ssize_t pwrite64(int fd, const void* data, std::size_t size, off64_t at) {
    return answer(before_write(fd, data, size, at), SYS_pwrite64, fd, data, size, at);
}

int fsync(int fd) {
    return static_cast<int>(answer(before_sync(fd), SYS_fsync, fd));
}

int fdatasync(int fd) {
    return static_cast<int>(answer(before_sync(fd), SYS_fdatasync, fd));
}

int ftruncate(int fd, off_t size) noexcept {
    return static_cast<int>(answer(before_truncate(fd), SYS_ftruncate, fd, size));
}

int ftruncate64(int fd, off64_t size) noexcept {
    return static_cast<int>(answer(before_truncate(fd), SYS_ftruncate, fd, size));
}

int fallocate(int fd, int mode, off_t at, off_t size) {
    const int error = before_write(fd, nullptr, static_cast<std::size_t>(size), at);
    return static_cast<int>(answer(error, SYS_fallocate, fd, mode, at, size));
}

int fallocate64(int fd, int mode, off64_t at, off64_t size) {
    return fallocate(fd, mode, at, size);
}

// Answers its error, and falls back on nothing: what cannot reserve is to say so.
int posix_fallocate(int fd, off_t at, off_t size) {
    return fallocate(fd, 0, at, size) == 0 ? 0 : errno;
}

int posix_fallocate64(int fd, off64_t at, off64_t size) {
    return posix_fallocate(fd, at, size);
}

}  // extern "C"
