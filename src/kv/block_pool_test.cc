#include "kv/block_pool.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace baton {
namespace {

TEST(BlockPool, HandsOutEachBlockOnce) {
  BlockPool pool(5);
  std::vector<BlockId> taken;
  while (const auto block = pool.take()) taken.push_back(*block);
  std::sort(taken.begin(), taken.end());
  EXPECT_EQ(taken, (std::vector<BlockId>{0, 1, 2, 3, 4}));
  EXPECT_EQ(pool.held_count(), 5u);
  pool.check();
}

TEST(BlockPool, AReleasedBlockIsParkedUntilPutBack) {
  BlockPool pool(1);
  const BlockId block = *pool.take();
  EXPECT_EQ(pool.retain(block), 2u);
  EXPECT_EQ(pool.release(block), 1u);
  EXPECT_EQ(pool.release(block), 0u);
  pool.check();
  EXPECT_FALSE(pool.take().has_value()) << "parked is not free";
  EXPECT_EQ(pool.retain(block), 1u);
  EXPECT_EQ(pool.release(block), 0u);
  pool.put_back(block);
  EXPECT_EQ(pool.free_count(), 1u);
  EXPECT_TRUE(pool.take().has_value());
  pool.check();
}

TEST(BlockPool, FreshNamesEachTakenBlockOnce) {
  BlockPool pool(3);
  const BlockId a = *pool.take();
  const BlockId b = *pool.take();
  pool.release(a);
  pool.put_back(a);
  EXPECT_EQ(*pool.take(), a);  // taken twice since the last call
  std::vector<BlockId> fresh = pool.take_fresh();
  std::sort(fresh.begin(), fresh.end());
  EXPECT_EQ(fresh, (std::vector<BlockId>{std::min(a, b), std::max(a, b)}));
  EXPECT_TRUE(pool.take_fresh().empty());
  pool.check();
}

TEST(BlockPoolDeathTest, MisuseEndsTheProcess) {
  BlockPool pool(2);
  const BlockId block = *pool.take();
  EXPECT_DEATH(pool.put_back(block), "CHECK failed");
  EXPECT_DEATH(pool.release(7), "CHECK failed");
  pool.release(block);
  EXPECT_DEATH(pool.release(block), "CHECK failed");
}

}  // namespace
}  // namespace baton
