#include "text/unicode.h"

#include <algorithm>

#include "text/nfc.h"
#include "text/unicode_data.h"

namespace baton {

const UnicodeTable& UnicodeTable::get() {
  static const UnicodeTable table;
  return table;
}

UnicodeTable::UnicodeTable() : storage_(std::make_unique<std::array<uint8_t, kCodePoints>>()) {
  auto& flags = *storage_;
  flags_ = flags.data();
  const auto set_kind = [&](std::span<const unicode_data::Range> ranges, CharKind kind) {
    for (const auto& range : ranges) {
      std::fill(flags.begin() + range.first, flags.begin() + range.last + 1,
                static_cast<uint8_t>(kind));
    }
  };
  set_kind(unicode_data::kLetters, CharKind::letter);
  set_kind(unicode_data::kNumbers, CharKind::number);
  set_kind(unicode_data::kSpaces, CharKind::space);

  for (const auto& range : unicode_data::kCombiningClasses) {
    for (uint32_t c = range.first; c <= range.last; ++c) flags[c] |= kActive;
  }
  // What decomposes and does not come back (singletons, exclusions) …
  for (const auto& decomposition : unicode_data::kDecompositions) {
    flags[decomposition.from] |= kActive;
  }
  for (const auto& composition : unicode_data::kCompositions) {
    flags[composition.composed] &= static_cast<uint8_t>(~kActive);
  }
  // … and what may combine with the character before it.
  for (const auto& composition : unicode_data::kCompositions) flags[composition.second] |= kActive;
  for (uint32_t v = hangul::kVowelFirst; v <= hangul::kVowelLast; ++v) flags[v] |= kActive;
  for (uint32_t t = hangul::kTrailFirst; t <= hangul::kTrailLast; ++t) flags[t] |= kActive;
}

}  // namespace baton
