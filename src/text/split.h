// The Qwen2 split pattern, by hand:
//
//   (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*
//   |\s*[\r\n]+|\s+(?!\S)|\s+
//
// An alternation tries its branches in order at every position, each greedy; every character begins
// some branch, so the pieces tile the text.
#pragma once

#include <cstddef>
#include <string_view>

#include "text/unicode.h"

namespace baton {

/// The pattern as tokenizer.json spells it.
extern const std::string_view kQwen2SplitPattern;

/// Cuts valid UTF-8 into the pieces that the pattern isolates. Linear time, no allocation.
class Splitter {
 public:
  explicit Splitter(std::string_view text)
      : p_(text.data()), end_(text.data() + text.size()), table_(UnicodeTable::get()) {}

  /// The next piece; empty at the end of the text.
  std::string_view next();

 private:
  struct Char {
    CharKind kind;
    const char* next;  // the position after it
  };

  Char read(const char* p) const;
  const char* skip(const char* p, CharKind kind) const;  // past a run of `kind`
  const char* contraction(const char* p) const;          // p: after the apostrophe; null: none
  const char* symbols(const char* p) const;              // [^\s\p{L}\p{N}]+[\r\n]*, from inside
  const char* spaces(const char* start) const;           // the three branches of white space
  const char* piece_end(const char* start) const;

  const char* p_;
  const char* end_;
  const UnicodeTable& table_;
};

}  // namespace baton
