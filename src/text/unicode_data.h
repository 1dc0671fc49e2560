// The generated Unicode data (tools/unicode/generate.pl says which versions, and why).
#pragma once

#include <cstdint>
#include <span>

namespace baton::unicode_data {

struct Range {
  uint32_t first, last;  // both included
};
struct ClassRange {
  uint32_t first, last;
  uint8_t combining_class;
};
struct Decomposition {
  uint32_t from;
  uint32_t to[4];  // full canonical decomposition, zero-padded
};
struct Composition {
  uint32_t first, second, composed;
};

// All sorted and without overlap. Hangul syllables are left to arithmetic.
extern const std::span<const Range> kLetters;                 // \p{L}
extern const std::span<const Range> kNumbers;                 // \p{N}
extern const std::span<const Range> kSpaces;                  // \s
extern const std::span<const ClassRange> kCombiningClasses;   // ≠ 0 only
extern const std::span<const Decomposition> kDecompositions;  // by `from`
extern const std::span<const Composition> kCompositions;      // by (first, second)

}  // namespace baton::unicode_data
