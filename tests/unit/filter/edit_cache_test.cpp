// SPDX-License-Identifier: Apache-2.0
#include "filter/edit_cache.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <list>
#include <random>
#include <string>
#include <unordered_map>
#include <utility>

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

// A put is kept by the call after it (the header): what each of them makes of one that is not.
TEST(EditCachePending, IsCountedOnce) {
    edit_cache cache(2);
    cache.put(id(1), 1);
    EXPECT_EQ(cache.size(), 1u);
    cache.put(id(1), 2);
    EXPECT_EQ(cache.size(), 1u);
    cache.put(id(2), 3);
    EXPECT_EQ(cache.size(), 2u);
    cache.put(id(1), 4);  // full, of a known message
    EXPECT_EQ(cache.size(), 2u);
    cache.put(id(3), 5);  // full, of another
    EXPECT_EQ(cache.size(), 2u);
    EXPECT_EQ(cache.find(id(2)), 0u);
    EXPECT_EQ(cache.find(id(1)), 4u);
    EXPECT_EQ(cache.find(id(3)), 5u);
}

TEST(EditCachePending, IsErased) {
    edit_cache cache(3);
    cache.put(id(1), 1);
    cache.erase(id(1));
    EXPECT_EQ(cache.size(), 0u);
    EXPECT_EQ(cache.find(id(1)), 0u);
    cache.put(id(2), 2);
    cache.put(id(2), 3);
    cache.erase(id(2));  // as an update of a known message
    EXPECT_EQ(cache.size(), 0u);
    EXPECT_EQ(cache.find(id(2)), 0u);
}

TEST(EditCachePending, IsNewerThanWhatIsTouchedAfterIt) {
    edit_cache cache(2);
    cache.put(id(1), 1);
    cache.put(id(2), 2);
    EXPECT_EQ(cache.find(id(1)), 1u);  // 2 is the oldest
    cache.put(id(3), 3);
    EXPECT_EQ(cache.find(id(2)), 0u);
    EXPECT_EQ(cache.find(id(1)), 1u);
    EXPECT_EQ(cache.find(id(3)), 3u);
}

TEST(EditCachePending, OfOneEntryIsUpdatedErasedAndEvicted) {
    edit_cache cache(1);
    cache.put(id(1), 1);
    cache.put(id(1), 2);
    EXPECT_EQ(cache.find(id(1)), 2u);
    cache.put(id(2), 3);
    EXPECT_EQ(cache.size(), 1u);
    cache.erase(id(1));  // which the one put has driven out
    EXPECT_EQ(cache.size(), 1u);
    EXPECT_EQ(cache.find(id(2)), 3u);
    cache.put(id(3), 4);
    cache.put(id(4), 5);
    EXPECT_EQ(cache.find(id(3)), 0u);
    EXPECT_EQ(cache.find(id(4)), 5u);
    cache.put(id(5), 6);
    cache.erase(id(5));
    EXPECT_EQ(cache.size(), 0u);
    EXPECT_EQ(cache.find(id(4)), 0u);
}

TEST(EditCachePending, MovesWithItsCache) {
    edit_cache cache(2);
    cache.put(id(1), 1);
    edit_cache other(5);
    other.put(id(9), 9);
    other = std::move(cache);
    EXPECT_EQ(other.size(), 1u);
    EXPECT_EQ(other.find(id(1)), 1u);
    EXPECT_EQ(other.find(id(9)), 0u);
}

// Two messages whose hashes are the same in the 32 bits that the index keeps.
std::pair<snowflake, snowflake> of_one_tag() {
    std::unordered_map<std::uint32_t, std::uint64_t> seen;
    for (std::uint64_t n = 1;; ++n) {
        const auto tag = static_cast<std::uint32_t>(std::hash<snowflake>()(id(n)));
        if (const auto [at, fresh] = seen.emplace(tag, n); !fresh) return {id(at->second), id(n)};
    }
}

TEST(EditCache, MessagesOfOneTagAreToldApart) {
    const auto [one, other] = of_one_tag();
    ASSERT_NE(one, other);
    edit_cache cache(3);
    cache.put(one, 1);
    EXPECT_EQ(cache.find(other), 0u);
    cache.erase(other);
    cache.put(other, 2);
    EXPECT_EQ(cache.size(), 2u);
    EXPECT_EQ(cache.find(one), 1u);
    EXPECT_EQ(cache.find(other), 2u);
    cache.erase(one);  // the other moves to its slot
    EXPECT_EQ(cache.find(one), 0u);
    EXPECT_EQ(cache.find(other), 2u);
}

// The same by a list and a map into it, the plain way.
class plain_lru {
public:
    explicit plain_lru(std::size_t capacity) : capacity_(capacity) {}
    std::uint64_t find(std::uint64_t key) {
        const auto known = places_.find(key);
        if (known == places_.end()) return 0;
        list_.splice(list_.begin(), list_, known->second);
        return known->second->second;
    }
    void put(std::uint64_t key, std::uint64_t value) {
        erase(key);
        if (list_.size() == capacity_) erase(list_.back().first);
        list_.emplace_front(key, value);
        places_[key] = list_.begin();
    }
    void erase(std::uint64_t key) {
        const auto known = places_.find(key);
        if (known == places_.end()) return;
        list_.erase(known->second);
        places_.erase(known);
    }
    std::size_t size() const { return list_.size(); }

private:
    using entries = std::list<std::pair<std::uint64_t, std::uint64_t>>;

    std::size_t capacity_;
    entries list_;
    std::unordered_map<std::uint64_t, entries::iterator> places_;
};

void compare_with_plain_lru(std::size_t capacity, std::mt19937_64& random) {
    SCOPED_TRACE("capacity " + std::to_string(capacity));
    edit_cache cache(capacity);
    plain_lru model(capacity);
    for (int step = 0; step < 100000; ++step) {
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

TEST(EditCacheProperty, BehavesLikeAPlainLruUnderRandomUse) {
    const unsigned seed = 271828;
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    for (const std::size_t capacity : {1u, 2u, 3u, 7u, 17u, 64u, 1000u})
        compare_with_plain_lru(capacity, random);
}

}  // namespace
}  // namespace shardgate
