// SPDX-License-Identifier: Apache-2.0
// The state directory: made, locked, private; and files that are not ours to touch.
#include <sqlite3.h>
#include <sys/stat.h>

#include "fixture.hpp"

namespace shardgate {
namespace {

using namespace testing;

class StateDirectory : public store_fixture {
public:
    // Runs SQL on a file of ours while no daemon has it.
    void sql(const std::string& name, const char* text) {
        sqlite3* db = nullptr;
        ASSERT_EQ(sqlite3_open(file(name).c_str(), &db), SQLITE_OK);
        ASSERT_EQ(sqlite3_exec(db, text, nullptr, nullptr, nullptr), SQLITE_OK)
            << sqlite3_errmsg(db);
        sqlite3_close(db);
    }
    [[nodiscard]] unsigned mode(const std::string& name) const {
        struct stat is {};
        return ::stat(file(name).c_str(), &is) == 0 ? is.st_mode & 0777U : 0U;
    }
};

TEST_F(StateDirectory, IsMadeForItsOwnerAlone) {
    open();
    store_rows({row_of(1, {})});
    EXPECT_EQ(mode(""), 0700U);
    for (const char* name : {"spool.db", "ledger.db", "lock", "spool.db-wal", "ledger.db-wal"})
        EXPECT_EQ(mode(name), 0600U) << name;
    EXPECT_FALSE(fs::exists(file("spool.db-shm")));
}

TEST_F(StateDirectory, TakesPermissionsBackThatAFileShouldNotHave) {
    open();
    close();
    ::chmod(file("spool.db").c_str(), 0644);
    open();
    EXPECT_EQ(mode("spool.db"), 0600U);
}

TEST_F(StateDirectory, RefusesASecondDaemonAndSaysWhoHasIt) {
    open();
    EXPECT_EQ(open_error(), "state.directory \"" + options.directory +
                                "\" is in use by another shardgate (process " +
                                std::to_string(::getpid()) + ")");
    close();
    EXPECT_EQ(open_error(), "");
}

TEST_F(StateDirectory, ReadsNoWordsFromTheLockFile) {
    open();
    overwrite(file("lock"), 0, "evil\nwords");
    EXPECT_EQ(open_error(),
              "state.directory \"" + options.directory + "\" is in use by another shardgate");
}

TEST_F(StateDirectory, SaysWhatIsWrongWithItself) {
    options.directory = (root / "missing" / "deep").string();
    EXPECT_EQ(open_error(), "state.directory \"" + options.directory +
                                "\" cannot be created: No such file or directory");
    options.directory = (root / "file").string();
    std::ofstream(options.directory) << "x";
    EXPECT_EQ(open_error(), "state.directory \"" + options.directory + "\" is not a directory");
    options.directory = (root / "odd").string();
    fs::create_directories(root / "odd" / "lock");
    EXPECT_EQ(open_error(),
              "state.directory \"" + options.directory + "\" cannot be written to: Is a directory");
}

TEST_F(StateDirectory, MayEndInASlash) {
    options.directory += '/';
    open();
    store_rows({row_of(1, {})});
    reopen();
    EXPECT_EQ(state.spool.rows, 1U);
}

TEST_F(StateDirectory, LeavesALaterVersionsFileAlone) {
    for (const std::string name : {"spool.db", "ledger.db"}) {
        open();
        close();
        sql(name, "PRAGMA user_version=2");
        const std::string before = bytes_of(file(name));
        EXPECT_EQ(open_error(), file(name).string() +
                                    " has version 2, made by a later shardgate; this one knows "
                                    "versions up to 1");
        EXPECT_EQ(bytes_of(file(name)), before);
        EXPECT_TRUE(files_with("damaged").empty());
        sql(name, "PRAGMA user_version=1");
    }
}

TEST_F(StateDirectory, LeavesAnotherProgramsDatabaseAlone) {
    fs::create_directory(options.directory);
    sql("spool.db", "CREATE TABLE theirs(x); INSERT INTO theirs VALUES(1)");
    const std::string before = bytes_of(file("spool.db"));
    EXPECT_EQ(open_error(), file("spool.db").string() + " is another program's database");
    EXPECT_EQ(bytes_of(file("spool.db")), before);
    EXPECT_TRUE(files_with("damaged").empty());
}

TEST_F(StateDirectory, AnUnfinishedFileIsFinished) {
    fs::create_directory(options.directory);
    std::ofstream(file("spool.db")).flush();  // made, and then the power went
    open();
    EXPECT_FALSE(state.spool_lost);
    store_rows({row_of(1, {})});
}

}  // namespace
}  // namespace shardgate
