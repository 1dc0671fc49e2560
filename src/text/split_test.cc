#include "text/split.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "text/utf8.h"

namespace baton {
namespace {

std::vector<std::string> pieces_of(std::string_view text) {
  std::vector<std::string> pieces;
  Splitter splitter(text);
  for (std::string_view p = splitter.next(); !p.empty(); p = splitter.next())
    pieces.emplace_back(p);
  return pieces;
}

using Pieces = std::vector<std::string>;

TEST(Split, CutsLikeThePattern) {
  EXPECT_EQ(pieces_of(""), Pieces{});
  EXPECT_EQ(pieces_of("Hello world"), (Pieces{"Hello", " world"}));
  EXPECT_EQ(pieces_of("a  b"), (Pieces{"a", " ", " b"}));
  EXPECT_EQ(pieces_of("a \n\n  b"), (Pieces{"a", " \n\n", " ", " b"}));
  EXPECT_EQ(pieces_of("a   "), (Pieces{"a", "   "}));
  EXPECT_EQ(pieces_of("12x3"), (Pieces{"1", "2", "x", "3"}));
  EXPECT_EQ(pieces_of("x != y;\n\nz"), (Pieces{"x", " !=", " y", ";\n\n", "z"}));
  EXPECT_EQ(pieces_of("\tint"), (Pieces{"\tint"}));
  EXPECT_EQ(pieces_of("\nint"), (Pieces{"\n", "int"}));
  EXPECT_EQ(pieces_of(" 1"), (Pieces{" ", "1"}));
  EXPECT_EQ(pieces_of("(中文)"), (Pieces{"(中文", ")"}));
}

TEST(Split, ContractionsIgnoreCase) {
  EXPECT_EQ(pieces_of("don't"), (Pieces{"don", "'t"}));
  EXPECT_EQ(pieces_of("WE'VE I'Ll"), (Pieces{"WE", "'VE", " I", "'Ll"}));
  EXPECT_EQ(pieces_of("'sx"), (Pieces{"'s", "x"}));
  EXPECT_EQ(pieces_of("'rx 'r"), (Pieces{"'rx", " '", "r"}));
  EXPECT_EQ(pieces_of("''s"), (Pieces{"''", "s"}));
  EXPECT_EQ(pieces_of("x'\u017Fy"), (Pieces{"x", "'\u017F", "y"}));  // the long s folds to s
  EXPECT_EQ(pieces_of("isn\u2019t"), (Pieces{"isn", "\u2019t"}));    // not an apostrophe
}

TEST(Split, KnowsOddCharacters) {
  EXPECT_EQ(pieces_of("a\u180E\u180Eb"), (Pieces{"a", "\u180E\u180E", "b"}));  // not white space
  EXPECT_EQ(pieces_of("a\u00A0\u3000b"), (Pieces{"a", "\u00A0", "\u3000b"}));
  EXPECT_EQ(pieces_of("\u0661\u0662\u00BD"), (Pieces{"\u0661", "\u0662", "\u00BD"}));
  EXPECT_EQ(pieces_of("e\u0301"), (Pieces{"e", "\u0301"}));  // a mark is no letter
  EXPECT_EQ(pieces_of("\u200Bx"), (Pieces{"\u200Bx"}));
  EXPECT_EQ(pieces_of("!\U0002EBF0!"), (Pieces{"!\U0002EBF0", "!"}));  // a letter of Unicode 15.1
}

// ---- against a literal reading of the pattern ----

struct Pattern {
  std::vector<uint32_t> text;

  CharKind kind(size_t i) const { return UnicodeTable::get().kind(text[i]); }
  bool newline(size_t i) const { return text[i] == '\n' || text[i] == '\r'; }
  size_t run(size_t i, auto matches) const {
    while (i < text.size() && matches(i)) ++i;
    return i;
  }
  uint32_t folded(size_t i) const {
    if (i >= text.size()) return 0;
    if (text[i] == 0x17F) return 's';
    return text[i] < 128 ? static_cast<uint32_t>(std::tolower(static_cast<int>(text[i]))) : text[i];
  }

  /// Where the match at `i` ends.
  size_t match(size_t i) const {
    const auto letter = [&](size_t k) { return kind(k) == CharKind::letter; };
    const auto space = [&](size_t k) { return kind(k) == CharKind::space; };
    const auto symbol = [&](size_t k) { return kind(k) == CharKind::other; };
    const auto line_end = [&](size_t k) { return newline(k); };
    for (const char* suffix : {"s", "t", "re", "ve", "m", "ll", "d"}) {
      const std::string_view s = suffix;
      if (text[i] != '\'' || folded(i + 1) != static_cast<uint32_t>(s[0])) continue;
      if (s.size() == 1) return i + 2;
      if (folded(i + 2) == static_cast<uint32_t>(s[1])) return i + 3;
    }
    const bool optional = !newline(i) && kind(i) != CharKind::letter && kind(i) != CharKind::number;
    for (const size_t begin : {i + (optional ? 1 : 0), i}) {
      const size_t end = run(begin, letter);
      if (end > begin) return end;
    }
    if (kind(i) == CharKind::number) return i + 1;
    for (const size_t begin : {i + (text[i] == ' ' ? 1 : 0), i}) {
      const size_t end = run(begin, symbol);
      if (end > begin) return run(end, line_end);
    }
    const size_t spaces = run(i, space);
    for (size_t end = spaces; end > i; --end) {  // \s* gives back one character after another
      const size_t lines = run(end - 1, line_end);
      if (lines > end - 1) return lines;
    }
    for (size_t end = spaces; end > i; --end) {  // so does \s+(?!\S)
      if (end == text.size() || space(end)) return end;
    }
    return spaces;
  }
};

TEST(Split, EqualsALiteralReadingOfThePattern) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  const std::vector<uint32_t> alphabet = {
      'a', 'S', 't', 'r',  'e',  'V',    'l',    'M',    'd',    0x17F,   '\'', '\'',   '\'',
      '1', ' ', ' ', '\n', '\r', '\t',   '!',    '-',    0xA0,   0x3000,  0x85, 0x180E, 0x200B,
      '9', '(', '.', 'x',  '\'', 0x4E2D, 0x0661, 0x0301, 0x2028, 0x1F642, 0xBD, 0xAC00, 0x378};
  for (int round = 0; round < 20'000; ++round) {
    Pattern pattern;
    std::string text;
    for (uint64_t n = 1 + random() % 14; n > 0; --n) {
      pattern.text.push_back(alphabet[random() % alphabet.size()]);
      utf8_append(text, pattern.text.back());
    }
    Pieces expected;
    for (size_t i = 0; i < pattern.text.size();) {
      const size_t end = pattern.match(i);
      ASSERT_GT(end, i);
      expected.emplace_back();
      for (; i < end; ++i) utf8_append(expected.back(), pattern.text[i]);
    }
    ASSERT_EQ(pieces_of(text), expected) << text;
  }
}

}  // namespace
}  // namespace baton
