// SPDX-License-Identifier: Apache-2.0
// The real file system and environment, in a directory of the test's own.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/system/errc.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "shardgate/config/load.hpp"

namespace shardgate::config {
namespace {

class Surroundings : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "shardgate-config-XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        directory_ = pattern;
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    std::string write(const std::string& name, const std::string& content) {
        const std::string path = directory_ + '/' + name;
        std::ofstream(path, std::ios::binary) << content;
        return path;
    }

    std::string directory_;
    const surroundings real_ = surroundings::real();
};

TEST_F(Surroundings, ReadAFileWhole) {
    const std::string content = "a\nb\0c" + std::string(100'000, 'x');
    const auto read = real_.read_file(write("f", content));
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(*read, content);
}

TEST_F(Surroundings, SayWhyAFileCannotBeRead) {
    const auto missing = real_.read_file(directory_ + "/none");
    ASSERT_FALSE(missing.has_value());
    EXPECT_EQ(missing.error().code, boost::system::errc::no_such_file_or_directory);
    EXPECT_EQ(missing.error().detail, "No such file or directory");
    const auto directory = real_.read_file(directory_);
    ASSERT_FALSE(directory.has_value());
    EXPECT_EQ(directory.error().detail, "Is a directory");
}

TEST_F(Surroundings, ReadNoMoreThanOneMebibyte) {
    EXPECT_TRUE(real_.read_file(write("fits", std::string(1U << 20, 'x'))).has_value());
    const auto read = real_.read_file(write("large", std::string((1U << 20) + 1, 'x')));
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().detail, "larger than 1 MiB");
    EXPECT_FALSE(real_.read_file("/dev/zero").has_value());
}

TEST_F(Surroundings, ReadFromAPipe) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    std::thread writer([end = ends[1]] {
        EXPECT_EQ(::write(end, "through a pipe", 14), 14);
        ::close(end);
    });
    const auto read = real_.read_file("/dev/fd/" + std::to_string(ends[0]));
    writer.join();
    ::close(ends[0]);
    ASSERT_TRUE(read.has_value()) << read.error().detail;
    EXPECT_EQ(*read, "through a pipe");
}

TEST_F(Surroundings, KnowTheEnvironment) {
    ASSERT_EQ(::setenv("SHARDGATE_TEST_VARIABLE", "value", 1), 0);
    EXPECT_EQ(real_.environment("SHARDGATE_TEST_VARIABLE"), "value");
    ::unsetenv("SHARDGATE_TEST_VARIABLE");
    EXPECT_FALSE(real_.environment("SHARDGATE_TEST_VARIABLE"));
}

}  // namespace
}  // namespace shardgate::config
