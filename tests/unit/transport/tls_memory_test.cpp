// SPDX-License-Identifier: Apache-2.0
// What OpenSSL gives back and takes again. In processes of their own: once OpenSSL has asked for
// memory it is too late to say where that comes from.
#include "shardgate/transport/tls_memory.hpp"

#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "shardgate/base/sanitizer.hpp"

namespace shardgate {
namespace {

constexpr std::size_t read_buffer = 65536 + 320;  // what SSL_read() wants, and a little

// Exit codes of the child.
constexpr int as_wanted = 0, not_so = 1, does_not_keep = 2;

void end(bool well) {
    std::_Exit(well ? as_wanted : not_so);
}

class TlsMemoryDeathTest : public ::testing::Test {
protected:
    void SetUp() override {
        GTEST_FLAG_SET(death_test_style, "threadsafe");  // runs this test alone, from the start
        if (address_sanitizer) GTEST_SKIP() << "AddressSanitizer sees every block come and go";
    }
};

void expect_the_same_block_again() {
    if (!tls_memory::keep()) std::_Exit(does_not_keep);
    bool same = true;
    for (const std::size_t size : {std::size_t{40}, read_buffer}) {
        void* const first = OPENSSL_malloc(size);
        std::memset(first, 'x', size);
        OPENSSL_free(first);
        void* const second = OPENSSL_malloc(size + 8);
        std::memset(second, 'y', size + 8);
        same = same && first == second;
        OPENSSL_free(second);
    }
    end(same);
}

TEST_F(TlsMemoryDeathTest, ABlockIsThereForTheNextOne) {
    EXPECT_EXIT(expect_the_same_block_again(), ::testing::ExitedWithCode(as_wanted), "");
}

void use_it_in_every_size() {
    if (!tls_memory::keep()) std::_Exit(does_not_keep);
    bool whole = true;
    std::vector<std::vector<char*>> rounds(3);
    for (auto& blocks : rounds) {
        // Many more than are kept, of sizes on both sides of each bound.
        for (std::size_t size : {1U, 32U, 33U, 64U, 65U, 40960U, 40961U, 65536U, 81920U, 81921U})
            for (int i = 0; i < 100; ++i) {
                auto* const block = static_cast<char*>(OPENSSL_malloc(size));
                std::memset(block, i, size);
                blocks.push_back(block);
            }
        for (std::size_t i = 0; i < blocks.size(); ++i) {
            whole = whole && *blocks[i] == static_cast<char>(i % 100);
            blocks[i] = static_cast<char*>(OPENSSL_realloc(blocks[i], 70 + i));
            whole = whole && *blocks[i] == static_cast<char>(i % 100);
        }
        for (char* const block : blocks)
            OPENSSL_free(block);
    }
    OPENSSL_free(nullptr);
    end(whole);
}

TEST_F(TlsMemoryDeathTest, NoTwoHaveTheSameBlockAtATime) {
    EXPECT_EXIT(use_it_in_every_size(), ::testing::ExitedWithCode(as_wanted), "");
}

void give_back_from_another_thread() {
    if (!tls_memory::keep()) std::_Exit(does_not_keep);
    for (int round = 0; round < 20; ++round) {
        std::vector<void*> blocks;
        for (int i = 0; i < 100; ++i)
            blocks.push_back(OPENSSL_malloc(i % 2 == 0 ? 40 : read_buffer));
        std::thread([&blocks] {
            for (void* const block : blocks)
                OPENSSL_free(block);
            OPENSSL_free(OPENSSL_malloc(50));
        }).join();  // what that thread kept goes with it
    }
    end(true);
}

TEST_F(TlsMemoryDeathTest, AnotherThreadMayGiveItBack) {
    EXPECT_EXIT(give_back_from_another_thread(), ::testing::ExitedWithCode(as_wanted), "");
}

void keep_too_late() {
    OPENSSL_free(OPENSSL_malloc(1));
    end(!tls_memory::keep());
}

TEST_F(TlsMemoryDeathTest, OnceOpensslHasAskedItIsTooLate) {
    EXPECT_EXIT(keep_too_late(), ::testing::ExitedWithCode(as_wanted), "");
}

}  // namespace
}  // namespace shardgate
