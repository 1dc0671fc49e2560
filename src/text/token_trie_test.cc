#include "text/token_trie.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

namespace baton {
namespace {

using Keys = std::vector<std::string_view>;

uint32_t naive_longest(const Keys& keys, std::string_view text) {
  uint32_t longest = TokenTrie::kNone;
  for (uint32_t key = 0; key < keys.size(); ++key) {
    if (keys[key].empty() || !text.starts_with(keys[key])) continue;
    if (longest == TokenTrie::kNone || keys[key].size() > keys[longest].size()) longest = key;
  }
  return longest;
}

TEST(TokenTrie, FindsTheLongestKey) {
  const Keys keys = {"a", "abc", "", "\xE4\xB8", "\xE4", "中", "中\xE6\x96", "\x96\x87x"};
  const auto trie = TokenTrie::create(keys);
  ASSERT_TRUE(trie);
  EXPECT_EQ(trie->longest_prefix("abd"), 0u);
  EXPECT_EQ(trie->longest_prefix("abcd"), 1u);
  EXPECT_EQ(trie->longest_prefix("b"), TokenTrie::kNone);
  EXPECT_EQ(trie->longest_prefix(""), TokenTrie::kNone);
  EXPECT_EQ(trie->longest_prefix("中文"), 6u);
  EXPECT_EQ(trie->longest_prefix("中国"), 5u);
  EXPECT_EQ(trie->longest_prefix("且"), 3u);          // E4 B8 94: two bytes of it
  EXPECT_EQ(trie->longest_prefix("\x96\x87xy"), 7u);  // begins inside a character
  EXPECT_EQ(trie->longest_prefix("\xE4\xB8"), 3u);    // ends inside a character
  EXPECT_EQ(trie->shorter(1), 0u);
  EXPECT_EQ(trie->shorter(6), 5u);
  EXPECT_EQ(trie->shorter(5), 3u);
  EXPECT_EQ(trie->shorter(4), TokenTrie::kNone);
}

TEST(TokenTrie, EqualsTryingEveryKey) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  const std::vector<std::string> characters = {"a", "b", "é", "中", "丮", "文", "🙂", "🙃"};
  const auto text_of = [&](uint64_t count) {
    std::string text;
    for (; count > 0; --count) text += characters[random() % characters.size()];
    return text;
  };
  for (int round = 0; round < 300; ++round) {
    std::set<std::string> set;
    for (int i = 0; i < 60; ++i) {  // stretches that may begin and end inside a character
      const std::string text = text_of(1 + random() % 4);
      const size_t begin = random() % 3 == 0 ? random() % text.size() : 0;
      set.insert(text.substr(begin, 1 + random() % (text.size() - begin)));
    }
    const Keys keys(set.begin(), set.end());
    const auto trie = TokenTrie::create(keys);
    ASSERT_TRUE(trie);
    for (int i = 0; i < 60; ++i) {
      const std::string whole = text_of(1 + random() % 5);
      const std::string_view text = std::string_view(whole).substr(random() % whole.size());
      ASSERT_EQ(trie->longest_prefix(text), naive_longest(keys, text)) << text;
    }
    for (uint32_t key = 0; key < keys.size(); ++key) {
      ASSERT_EQ(trie->shorter(key), naive_longest(keys, keys[key].substr(0, keys[key].size() - 1)));
    }
  }
}

}  // namespace
}  // namespace baton
