// SPDX-License-Identifier: Apache-2.0
#include "filter/edit_cache.hpp"

#include <gtest/gtest.h>

#include <list>
#include <random>
#include <string>

namespace shardgate {
namespace {

snowflake id(std::uint64_t n) {
    return snowflake(n);
}

TEST(EditCache, GivesBackWhatWasPutLast) {
    edit_cache cache(10);
    EXPECT_EQ(cache.find(id(1)), 0u);
    cache.put(id(1), 5);
    cache.put(id(1), 6);
    EXPECT_EQ(cache.find(id(1)), 6u);
    EXPECT_EQ(cache.size(), 1u);
}

TEST(EditCache, ForgetsTheLeastRecentlyTouched) {
    edit_cache cache(3);
    for (std::uint64_t n = 1; n <= 3; ++n)
        cache.put(id(n), n);
    EXPECT_EQ(cache.find(id(1)), 1u);  // touched: 2 is the oldest
    cache.put(id(3), 33);
    cache.put(id(4), 4);
    EXPECT_EQ(cache.find(id(2)), 0u);
    EXPECT_EQ(cache.find(id(1)), 1u);
    EXPECT_EQ(cache.find(id(3)), 33u);
    EXPECT_EQ(cache.find(id(4)), 4u);
    EXPECT_EQ(cache.size(), 3u);
}

TEST(EditCache, ErasedEntriesMakeRoom) {
    edit_cache cache(2);
    cache.erase(id(9));
    cache.put(id(1), 1);
    cache.put(id(2), 2);
    cache.erase(id(1));
    cache.erase(id(1));
    EXPECT_EQ(cache.size(), 1u);
    cache.put(id(3), 3);
    EXPECT_EQ(cache.find(id(2)), 2u);
    EXPECT_EQ(cache.find(id(3)), 3u);
}

TEST(EditCache, OneWithoutCapacityKeepsNothing) {
    edit_cache cache(0);
    cache.put(id(1), 1);
    cache.erase(id(1));
    EXPECT_EQ(cache.find(id(1)), 0u);
    EXPECT_EQ(cache.size(), 0u);
}

TEST(EditCache, OneOfOneEntryKeepsTheNewest) {
    edit_cache cache(1);
    for (std::uint64_t n = 1; n <= 100; ++n) {
        cache.put(id(n), n);
        EXPECT_EQ(cache.find(id(n)), n);
        EXPECT_EQ(cache.find(id(n - 1)), 0u);
    }
    EXPECT_EQ(cache.size(), 1u);
}

// The same by a list, the plain way.
class plain_lru {
public:
    explicit plain_lru(std::size_t capacity) : capacity_(capacity) {}
    std::uint64_t find(std::uint64_t key) {
        for (auto it = list_.begin(); it != list_.end(); ++it)
            if (it->first == key) {
                list_.splice(list_.begin(), list_, it);
                return it->second;
            }
        return 0;
    }
    void put(std::uint64_t key, std::uint64_t value) {
        erase(key);
        if (list_.size() == capacity_) list_.pop_back();
        list_.emplace_front(key, value);
    }
    void erase(std::uint64_t key) {
        list_.remove_if([key](const auto& e) { return e.first == key; });
    }
    std::size_t size() const { return list_.size(); }

private:
    std::size_t capacity_;
    std::list<std::pair<std::uint64_t, std::uint64_t>> list_;
};

TEST(EditCacheProperty, BehavesLikeAPlainLruUnderRandomUse) {
    const unsigned seed = 271828;
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    for (const std::size_t capacity : {1u, 2u, 7u, 64u, 100u}) {
        edit_cache cache(capacity);
        plain_lru model(capacity);
        for (int step = 0; step < 20000; ++step) {
            const std::uint64_t key = 1 + random() % (capacity * 2);
            switch (random() % 4) {
            case 0:
                cache.erase(id(key));
                model.erase(key);
                break;
            case 1: ASSERT_EQ(cache.find(id(key)), model.find(key)) << step; break;
            default: {
                const std::uint64_t value = 1 + random() % 1000;
                cache.put(id(key), value);
                model.put(key, value);
            }
            }
            ASSERT_EQ(cache.size(), model.size()) << step;
        }
        for (std::uint64_t key = 1; key <= capacity * 2; ++key)
            EXPECT_EQ(cache.find(id(key)), model.find(key));
    }
}

}  // namespace
}  // namespace shardgate
