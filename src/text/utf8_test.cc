#include "text/utf8.h"

#include <gtest/gtest.h>

namespace baton {
namespace {

TEST(Utf8, ReplacesMaximalSubparts) {
  // Table 3-8 of the Unicode standard.
  EXPECT_EQ(utf8_lossy("\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64"),
            "a\uFFFD\uFFFD\uFFFDb\uFFFDc\uFFFD\uFFFDd");
  EXPECT_EQ(utf8_lossy("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"),
            "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\x41");
  EXPECT_EQ(utf8_lossy("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"),
            "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\x41");
  EXPECT_EQ(utf8_lossy("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"),
            "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\x41\uFFFD\uFFFD\x42");
  EXPECT_EQ(utf8_lossy("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), "\uFFFD\uFFFD\uFFFD\uFFFD\x41");
}

TEST(Utf8, TellsIncompleteFromInvalid) {
  EXPECT_EQ(utf8_step("\xE4\xB8").kind, Utf8Step::Kind::incomplete);
  EXPECT_EQ(utf8_step("\xE4\xB8").length, 2u);
  EXPECT_EQ(utf8_step("\xE0\x80").kind, Utf8Step::Kind::invalid);
  EXPECT_EQ(utf8_step("\xE0\x80").length, 1u);
  EXPECT_EQ(utf8_step("\xF0\x9F\x99\x82x").kind, Utf8Step::Kind::valid);
  EXPECT_EQ(utf8_step("\xF0\x9F\x99\x82x").length, 4u);
}

TEST(Utf8, EveryCodePointSurvives) {
  for (uint32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    std::string text;
    utf8_append(text, c);
    ASSERT_TRUE(utf8_valid(text)) << c;
    const char* p = text.data();
    ASSERT_EQ(utf8_next(p), c);
    ASSERT_EQ(p, text.data() + text.size());
  }
}

TEST(Utf8, ChecksBeyondLongAscii) {
  EXPECT_TRUE(utf8_valid(std::string(100, 'a') + "中"));
  EXPECT_FALSE(utf8_valid(std::string(100, 'a') + "\x80" + std::string(100, 'b')));
  EXPECT_FALSE(utf8_valid("中\xE4\xB8"));
}

}  // namespace
}  // namespace baton
