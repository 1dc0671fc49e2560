#include "text/bpe.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace baton {
namespace {

BpeSpec bytes_only() {
  BpeSpec spec;
  for (int byte = 0; byte < 256; ++byte) spec.tokens.emplace_back(1, static_cast<char>(byte));
  return spec;
}

/// Adds a merge; the merged token is new unless its text has an id already.
void add_merge(BpeSpec& spec, Token left, Token right) {
  const std::string text =
      spec.tokens[static_cast<size_t>(left)] + spec.tokens[static_cast<size_t>(right)];
  const auto at = std::find(spec.tokens.begin(), spec.tokens.end(), text);
  const auto merged = static_cast<Token>(at - spec.tokens.begin());
  if (at == spec.tokens.end()) spec.tokens.push_back(text);
  spec.merges.push_back({left, right, merged});
}

/// The definition, word by word: look at all pairs, merge the best, begin again.
std::vector<Token> naive(const BpeSpec& spec, std::string_view text) {
  std::map<std::pair<Token, Token>, size_t> ranks;
  for (size_t i = 0; i < spec.merges.size(); ++i) {
    ranks[{spec.merges[i].left, spec.merges[i].right}] = i;
  }
  std::vector<Token> ids;
  for (const char c : text) ids.push_back(static_cast<uint8_t>(c));
  for (;;) {
    size_t best = SIZE_MAX, where = 0;
    for (size_t i = 0; i + 1 < ids.size(); ++i) {
      const auto it = ranks.find({ids[i], ids[i + 1]});
      if (it != ranks.end() && it->second < best) best = it->second, where = i;
    }
    if (best == SIZE_MAX) return ids;
    ids[where] = spec.merges[best].merged;
    ids.erase(ids.begin() + static_cast<ptrdiff_t>(where) + 1);
  }
}

/// A random table over a few letters. `ordered`: no token is made twice.
BpeSpec random_table(std::mt19937_64& random, bool ordered) {
  BpeSpec spec = bytes_only();
  std::vector<Token> usable;
  for (uint64_t letters = 1 + random() % 3; letters > 0; --letters) {
    usable.push_back(static_cast<Token>('a' + letters - 1));
  }
  for (uint64_t tries = random() % 40; tries > 0; --tries) {
    const Token left = usable[random() % usable.size()];
    const Token right = usable[random() % usable.size()];
    const size_t count = spec.tokens.size();
    BpeSpec next = spec;
    add_merge(next, left, right);
    const bool known = next.tokens.size() == count;
    const bool listed = std::any_of(spec.merges.begin(), spec.merges.end(), [&](const auto& m) {
      return m.left == left && m.right == right;
    });
    if (listed || (ordered && known) || next.tokens.back().size() > 12) continue;
    spec = std::move(next);
    if (!known) usable.push_back(static_cast<Token>(count));
  }
  if (!ordered) std::shuffle(spec.merges.begin(), spec.merges.end(), random);
  return spec;
}

TEST(Bpe, EqualsItsDefinition) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  int ordered_tables = 0, other_tables = 0;
  for (int round = 0; round < 3000; ++round) {
    const BpeSpec spec = random_table(random, round % 4 != 0);
    const auto bpe = Bpe::create(spec);
    ASSERT_TRUE(bpe.ok()) << bpe.error().message;
    ++(bpe->is_ordered() ? ordered_tables : other_tables);
    for (int i = 0; i < 10; ++i) {
      std::string text;
      const uint64_t length = random() % (i == 0 ? 400 : 40);
      for (uint64_t n = length; n > 0; --n) text += static_cast<char>('a' + random() % 4);
      const std::vector<Token> expected = naive(spec, text);
      std::vector<Token> ids, merged;
      bpe->encode(text, ids);
      bpe->encode_by_merging(text, merged);
      ASSERT_EQ(ids, expected) << text;
      ASSERT_EQ(merged, expected) << text;
    }
  }
  EXPECT_GT(ordered_tables, 2000);
  EXPECT_GT(other_tables, 200);
}

TEST(Bpe, AppendsAndHandlesLongRuns) {
  BpeSpec spec = bytes_only();
  add_merge(spec, 'a', 'a');
  add_merge(spec, 256, 256);
  const auto bpe = Bpe::create(spec);
  ASSERT_TRUE(bpe.ok());
  std::vector<Token> ids = {7};
  bpe->encode(std::string(100'003, 'a'), ids);
  ASSERT_EQ(ids.size(), 1 + 25'000u + 2);
  EXPECT_EQ(ids[0], 7);
  EXPECT_EQ(ids[25'000], 257);
  EXPECT_EQ(ids[25'001], 256);
  EXPECT_EQ(ids[25'002], 'a');
}

// "abc" is in the table, but "bc" merges first wherever "abc" stands: it never comes to be.
TEST(Bpe, TokensOutOfReachAreNeverChosen) {
  BpeSpec spec = bytes_only();
  add_merge(spec, 'b', 'c');  // 256
  add_merge(spec, 'a', 'b');  // 257
  add_merge(spec, 257, 'c');  // 258
  const auto bpe = Bpe::create(spec);
  ASSERT_TRUE(bpe.ok());
  std::vector<Token> ids;
  bpe->encode("abc", ids);
  EXPECT_EQ(ids, (std::vector<Token>{'a', 256}));
}

TEST(Bpe, RefusesBrokenTables) {
  BpeSpec spec = bytes_only();
  spec.tokens['x'].clear();
  EXPECT_EQ(Bpe::create(spec).error().code, Code::invalid_argument);

  spec = bytes_only();
  spec.tokens.push_back("x");
  EXPECT_EQ(Bpe::create(spec).error().code, Code::invalid_argument);

  spec = bytes_only();
  add_merge(spec, 'a', 'b');
  spec.merges.push_back(spec.merges[0]);
  EXPECT_EQ(Bpe::create(spec).error().code, Code::invalid_argument);

  for (const Token wrong : {-1, 100'000}) {
    spec = bytes_only();
    add_merge(spec, 'a', 'b');
    spec.merges[0].right = wrong;
    EXPECT_EQ(Bpe::create(spec).error().code, Code::invalid_argument);
  }
}

}  // namespace
}  // namespace baton
