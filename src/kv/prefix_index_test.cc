#include "kv/prefix_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace baton {
namespace {

std::vector<Token> run_of(std::initializer_list<Token> per_block) {
  std::vector<Token> tokens;
  for (Token t : per_block) tokens.insert(tokens.end(), kBlockTokens, t);
  return tokens;
}

/// Takes a block for each full block of `tokens` beyond the cached ones, announces it, and returns
/// the table.
std::vector<BlockId> fill(PrefixIndex& index, uint64_t salt, std::span<const Token> tokens) {
  std::vector<BlockId> table = index.match(salt, tokens);
  for (size_t b = table.size(); b < tokens.size() / kBlockTokens; ++b) {
    const auto block = index.take();
    if (!block) break;
    const BlockId parent = b == 0 ? kNoBlock : table[b - 1];
    table.push_back(
        index.insert(salt, parent, tokens.subspan(b * kBlockTokens, kBlockTokens), *block));
  }
  return table;
}

TEST(PrefixIndex, FindsTheLongestKnownRun) {
  BlockPool pool(8);
  PrefixIndex index(pool, true);
  const std::vector<BlockId> table = fill(index, 0, run_of({1, 2, 3}));
  EXPECT_EQ(index.match_length(0, run_of({1, 2, 3, 4})), 3u);
  EXPECT_EQ(index.match_length(0, run_of({1, 2, 9})), 2u);
  EXPECT_EQ(index.match_length(0, run_of({2, 3})), 0u) << "the same tokens elsewhere are no hit";
  EXPECT_EQ(index.match_length(1, run_of({1, 2, 3})), 0u) << "another salt";
  std::vector<Token> partial = run_of({1, 2});
  partial.pop_back();
  EXPECT_EQ(index.match_length(0, partial), 1u) << "full blocks only";
  const std::vector<BlockId> again = index.match(0, run_of({1, 2, 9}));
  EXPECT_EQ(again, (std::vector<BlockId>{table[0], table[1]}));
  EXPECT_EQ(pool.refs(table[0]), 2u);
  index.release(again);
  index.release(table);
  index.check();
}

TEST(PrefixIndex, EqualContentIsKeptOnce) {
  BlockPool pool(8);
  PrefixIndex index(pool, true);
  const BlockId first = *index.take();
  const BlockId second = *index.take();
  const std::vector<Token> tokens = run_of({1});
  EXPECT_EQ(index.insert(0, kNoBlock, tokens, first), first);
  EXPECT_EQ(index.insert(0, kNoBlock, tokens, second), first);
  EXPECT_EQ(pool.refs(first), 2u);
  EXPECT_EQ(pool.free_count(), 7u);
  index.release({{first}});
  index.release({{first}});
  index.check();
}

TEST(PrefixIndex, EvictsTheLeastRecentlyUsedLeafFirst) {
  BlockPool pool(4);
  PrefixIndex index(pool, true);
  index.release(fill(index, 0, run_of({1, 2})));
  index.release(fill(index, 0, run_of({3, 4})));
  EXPECT_EQ(index.available(), 4u);
  index.release(index.match(0, run_of({1, 2})));  // used again: now the younger one
  const auto take_one = [&] { return *index.take(); };
  std::vector<BlockId> taken = {take_one()};
  EXPECT_EQ(index.match_length(0, run_of({3, 4})), 1u) << "the tail goes before the head";
  taken.push_back(take_one());
  EXPECT_EQ(index.match_length(0, run_of({3, 4})), 0u);
  EXPECT_EQ(index.match_length(0, run_of({1, 2})), 2u);
  taken.push_back(take_one());
  taken.push_back(take_one());
  EXPECT_FALSE(index.take().has_value());
  EXPECT_EQ(index.cached(), 0u);
  for (BlockId block : taken) index.release({{block}});
  index.check();
}

TEST(PrefixIndex, HeldBlocksAreNeverEvicted) {
  BlockPool pool(3);
  PrefixIndex index(pool, true);
  const std::vector<BlockId> table = fill(index, 0, run_of({1, 2}));
  const BlockId other = *index.take();
  EXPECT_FALSE(index.take().has_value());
  EXPECT_EQ(index.match_length(0, run_of({1, 2})), 2u);
  index.release({{other}});
  index.release(table);
  index.check();
}

TEST(PrefixIndex, DisabledKeepsNothing) {
  BlockPool pool(4);
  PrefixIndex index(pool, false);
  index.release(fill(index, 0, run_of({1, 2})));
  EXPECT_EQ(index.match_length(0, run_of({1, 2})), 0u);
  EXPECT_EQ(pool.free_count(), 4u);
  index.check();
}

// Random tables against a plain map of contents: what is found holds those tokens, nothing held is
// ever given away, and releasing everything makes every block available.
TEST(PrefixIndex, RandomUseKeepsContentsRight) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    BlockPool pool(1 + static_cast<uint32_t>(random() % 12));
    PrefixIndex index(pool, true);
    std::map<BlockId, std::vector<Token>> contents;  // all tokens up to the end of the block
    std::vector<std::vector<BlockId>> tables;
    for (int i = 0; i < 200; ++i) {
      if (!tables.empty() && random() % 2 == 0) {
        const size_t at = random() % tables.size();
        index.release(tables[at]);
        tables.erase(tables.begin() + static_cast<ptrdiff_t>(at));
      } else {
        std::vector<Token> tokens;
        for (uint64_t b = random() % 5; b > 0; --b) {
          tokens.insert(tokens.end(), kBlockTokens, static_cast<Token>(random() % 2));
        }
        const size_t known = index.match_length(0, tokens);
        const std::vector<BlockId> table = fill(index, 0, tokens);
        for (size_t b = 0; b < table.size(); ++b) {
          const std::vector<Token> upto(
              tokens.begin(), tokens.begin() + static_cast<ptrdiff_t>((b + 1) * kBlockTokens));
          if (b < known) {
            ASSERT_EQ(contents[table[b]], upto);
          } else {
            for (const auto& other : tables) {
              ASSERT_EQ(std::count(other.begin(), other.end(), table[b]), 0);
            }
          }
          contents[table[b]] = upto;
        }
        tables.push_back(table);
      }
      index.check();
    }
    for (const auto& table : tables) index.release(table);
    index.check();
    ASSERT_EQ(index.available(), pool.size());
  }
}

}  // namespace
}  // namespace baton
