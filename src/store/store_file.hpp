// SPDX-License-Identifier: Apache-2.0
// One database file through good and bad days: opened, moved aside and made anew when damaged,
// opened again when the disk had failed. Owner: spool_file, ledger_file. Blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "shardgate/base/result.hpp"
#include "store/database.hpp"
#include "store/schema.hpp"
#include "store/state_directory.hpp"

namespace shardgate::store {

enum class file_result : std::uint8_t {
    done,
    failed,  // nothing has changed; the same may be tried again
    reset,   // it was damaged and moved aside: the file is new, or will be at the next try
};
struct file_outcome {
    file_result what = file_result::failed;
    bool full = false;
    std::string detail;  // a sentence; empty when done
};

class store_file {
public:
    // False: see the database's status.
    using work = std::function<bool(database&)>;

    // `prepare` runs whenever the file has been opened, before anything else. `directory` is
    // borrowed.
    store_file(const state_directory& directory, const file_format& format, std::string vfs,
               work prepare);

    // At start. The new name of a damaged file that was there; empty: there was none. Fails with a
    // sentence that names the file.
    [[nodiscard]] result<std::string> open();

    // Does `what` in a transaction, or for reading without one.
    [[nodiscard]] file_outcome write(const work& what);
    [[nodiscard]] file_outcome read(const work& what);

    [[nodiscard]] database& db() noexcept { return db_; }
    [[nodiscard]] std::string path() const { return directory_.file(format_.name); }

private:
    [[nodiscard]] bool connect(std::string& refused);
    [[nodiscard]] file_outcome run(const work& what, bool transaction);
    [[nodiscard]] file_outcome after_error();
    [[nodiscard]] result<std::string> replace();

    // Failures in a row after which the connection is given up for a new one: a descriptor may be
    // dead (a network disk) while the file is well again.
    static constexpr unsigned patience = 3;

    const state_directory& directory_;
    const file_format format_;
    const std::string vfs_;
    const work prepare_;
    database db_;
    unsigned failures_ = 0;
};

}  // namespace shardgate::store
