#include "text/nfc.h"

#include <gtest/gtest.h>

#include <random>

#include "text/unicode_data.h"
#include "text/utf8.h"

namespace baton {
namespace {

std::string normalized(std::string_view text) {
  std::string storage;
  return std::string(nfc(text, storage));
}

std::string utf8(std::initializer_list<uint32_t> code_points) {
  std::string text;
  for (const uint32_t c : code_points) utf8_append(text, c);
  return text;
}

TEST(Nfc, ComposesAndReorders) {
  EXPECT_EQ(normalized("cafe\u0301"), "café");
  EXPECT_EQ(normalized("e\u0302\u0323"), "\u1EC7");  // marks in the wrong order
  EXPECT_EQ(normalized("\u00EA\u0323"), "\u1EC7");   // … on a composed letter
  EXPECT_EQ(normalized("\u212B"), "\u00C5");         // a singleton
  EXPECT_EQ(normalized("\u0958"), "\u0915\u093C");   // excluded from composition
  EXPECT_EQ(normalized("a\u0316\u0301"), "\u00E1\u0316");
  EXPECT_EQ(normalized("a\u0328\u0301\u0301"), "\u0105\u0301\u0301");
  EXPECT_EQ(normalized("\u0301abc"), "\u0301abc");  // nothing before it
  EXPECT_EQ(normalized("\u0344"), "\u0308\u0301");
}

TEST(Nfc, ComposesHangul) {
  EXPECT_EQ(normalized("\u1100\u1161"), "\uAC00");
  EXPECT_EQ(normalized("\u1100\u1161\u11A8"), "\uAC01");
  EXPECT_EQ(normalized("\uAC00\u11A8"), "\uAC01");
  EXPECT_EQ(normalized("\uAC01\u11A8"), "\uAC01\u11A8");
  EXPECT_EQ(normalized("\uAC00\u11A7"), "\uAC00\u11A7");  // not a trailing consonant
}

// Hugging Face's tables end with Unicode 9: later marks keep their place and compose with nothing.
TEST(Nfc, LeavesCharactersAfterUnicode9Alone) {
  const std::string later = utf8({'a', 0x301, 0x8D3});  // U+08D3 is of Unicode 11, class 220
  EXPECT_EQ(normalized(later), utf8({0xE1, 0x8D3}));
  EXPECT_EQ(normalized(utf8({'b', 0x301, 0x8D3})), utf8({'b', 0x301, 0x8D3}));
  EXPECT_EQ(normalized(utf8({'b', 0x301, 0x316})), utf8({'b', 0x316, 0x301}));
  const std::string dives_akuru = utf8({0x11935, 0x11930});  // U+11938 is of Unicode 13
  EXPECT_EQ(normalized(dives_akuru), dives_akuru);
}

TEST(Nfc, EveryDecompositionComesBack) {
  for (const auto& composition : unicode_data::kCompositions) {
    EXPECT_EQ(normalized(utf8({composition.first, composition.second})),
              utf8({composition.composed}));
    EXPECT_EQ(normalized(utf8({composition.composed})), utf8({composition.composed}));
  }
  for (const auto& decomposition : unicode_data::kDecompositions) {
    std::string parts;
    for (const uint32_t part : decomposition.to) {
      if (part != 0) utf8_append(parts, part);
    }
    EXPECT_EQ(normalized(parts), normalized(utf8({decomposition.from})));
  }
}

TEST(Nfc, NormalTextIsNotCopied) {
  const std::string text = "plain text, 中文, naïve, 한국어 🙂";
  std::string storage;
  EXPECT_EQ(nfc(text, storage).data(), text.data());
  EXPECT_EQ(normalized(""), "");
}

TEST(Nfc, IsIdempotentAndLocal) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  const auto pick = [&]() -> uint32_t {
    switch (random() % 6) {
      case 0:
        return 'a' + random() % 26;
      case 1:
        return 0x300 + random() % 0x70;
      case 2:
        return 0x1100 + random() % 0x100;
      case 3:
        return 0xAC00 + random() % 11172;
      case 4:
        return unicode_data::kDecompositions[random() % unicode_data::kDecompositions.size()].from;
      default:
        return 0x900 + random() % 0x400;
    }
  };
  for (int round = 0; round < 5000; ++round) {
    std::string text;
    for (uint64_t n = random() % 12; n > 0; --n) utf8_append(text, pick());
    const std::string once = normalized(text);
    ASSERT_EQ(normalized(once), once) << text;
    // What surrounds it does not matter across a boundary.
    ASSERT_EQ(normalized("中" + text + " 中 "), "中" + once + " 中 ") << text;
  }
}

}  // namespace
}  // namespace baton
