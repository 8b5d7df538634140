// SPDX-License-Identifier: Apache-2.0
// The directory that holds the state: made if missing, locked against a second daemon, and the
// place where damaged files are moved aside. Blocks; owner: storage.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "shardgate/base/result.hpp"
#include "shardgate/base/time.hpp"

namespace shardgate::store {

class state_directory {
public:
    // Creates it (one level, mode 0700) and takes the lock. Fails with a sentence that names it.
    [[nodiscard]] static result<std::unique_ptr<state_directory>> take(std::string path);
    ~state_directory();  // gives the lock back
    state_directory(const state_directory&) = delete;
    state_directory& operator=(const state_directory&) = delete;

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] std::string file(std::string_view name) const;

    // Makes the file if it is missing; only its owner may read it, whatever it was before. What
    // cannot be done shows when SQLite opens it.
    void make_private(std::string_view name) const noexcept;

    // Renames a database and what belongs to it, never over an earlier one. The new name, or a
    // sentence.
    [[nodiscard]] result<std::string> set_aside(std::string_view name, wall_ms now) const;

private:
    state_directory(std::string path, int lock);
    std::string path_;
    int lock_;
};

// Bytes of a file; 0 when there is none.
[[nodiscard]] std::uint64_t file_size(const std::string& path) noexcept;

// What is free on a file's disk, for those who are not root; 0 when that is not known.
[[nodiscard]] std::int64_t free_space(const std::string& path) noexcept;

}  // namespace shardgate::store
