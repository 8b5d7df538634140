// SPDX-License-Identifier: Apache-2.0
// Counts a program's allocations while it runs: preloaded (LD_PRELOAD), it stands before malloc and
// its kin (operator new goes through them) and keeps its numbers in the file SHARDGATE_COUNTS,
// which the benchmark maps as well. glibc only: it calls the library's own entries. Depends on
// nothing of ours.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

// NOLINTBEGIN(bugprone-reserved-identifier): glibc's names.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}
// NOLINTEND(bugprone-reserved-identifier)

namespace {

// The file from its first byte.
struct counters {
    std::atomic<std::uint64_t> calls;  // malloc, calloc, realloc, and the aligned ones
    std::atomic<std::uint64_t> bytes;  // asked for
};

counters early;  // until the file is mapped, and without one
counters* current = &early;

__attribute__((constructor)) void map_file() {
    const char* const path = std::getenv("SHARDGATE_COUNTS");
    if (path == nullptr) return;
    const int file = ::open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) return;
    void* const at = ::mmap(nullptr, sizeof(counters), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    if (at != MAP_FAILED) current = static_cast<counters*>(at);
}

void count(std::size_t size) noexcept {
    current->calls.fetch_add(1, std::memory_order_relaxed);
    current->bytes.fetch_add(size, std::memory_order_relaxed);
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) {
    count(size);
    return __libc_malloc(size);
}
void* calloc(std::size_t number, std::size_t size) {
    count(number * size);
    return __libc_calloc(number, size);
}
void* realloc(void* old, std::size_t size) {
    count(size);
    return __libc_realloc(old, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
    count(size);
    return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
    return memalign(alignment, size);
}
int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
    *out = memalign(alignment, size);
    return *out == nullptr ? 12 : 0;  // ENOMEM
}
}
