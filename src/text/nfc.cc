#include "text/nfc.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "text/unicode.h"
#include "text/unicode_data.h"
#include "text/utf8.h"

namespace baton {
namespace {

struct Mark {
  uint32_t code_point;
  uint8_t combining_class;
};

uint8_t combining_class(uint32_t c) {
  const auto ranges = unicode_data::kCombiningClasses;
  const auto it = std::upper_bound(ranges.begin(), ranges.end(), c,
                                   [](uint32_t x, const auto& range) { return x < range.first; });
  if (it == ranges.begin()) return 0;
  const auto& range = *std::prev(it);
  return c <= range.last ? range.combining_class : 0;
}

void decompose(uint32_t c, std::vector<Mark>& out) {
  const auto all = unicode_data::kDecompositions;
  const auto it = std::lower_bound(all.begin(), all.end(), c,
                                   [](const auto& d, uint32_t x) { return d.from < x; });
  if (it == all.end() || it->from != c) {
    out.push_back({c, combining_class(c)});
    return;
  }
  for (const uint32_t part : it->to) {
    if (part != 0) out.push_back({part, combining_class(part)});
  }
}

/// The primary composite of two characters, or 0.
uint32_t compose(uint32_t a, uint32_t b) {
  using namespace hangul;
  if (a >= kLeadFirst && a <= kLeadLast && b >= kVowelFirst && b <= kVowelLast) {
    return kSyllableFirst + ((a - kLeadFirst) * kVowels + (b - kVowelFirst)) * kTrails;
  }
  if (a >= kSyllableFirst && a <= kSyllableLast && b >= kTrailFirst && b <= kTrailLast &&
      (a - kSyllableFirst) % kTrails == 0) {
    return a + (b - kTrailFirst + 1);
  }
  const auto all = unicode_data::kCompositions;
  const auto it = std::lower_bound(
      all.begin(), all.end(), std::pair(a, b),
      [](const auto& c, const auto& key) { return std::pair(c.first, c.second) < key; });
  return it != all.end() && it->first == a && it->second == b ? it->composed : 0;
}

/// Sorts every run of marks (class ≠ 0) by class, keeping the order of equals.
void reorder(std::vector<Mark>& marks) {
  for (size_t i = 0; i < marks.size();) {
    if (marks[i].combining_class == 0) {
      ++i;
      continue;
    }
    size_t end = i;
    while (end < marks.size() && marks[end].combining_class != 0) ++end;
    std::stable_sort(
        marks.begin() + static_cast<ptrdiff_t>(i), marks.begin() + static_cast<ptrdiff_t>(end),
        [](const Mark& a, const Mark& b) { return a.combining_class < b.combining_class; });
    i = end;
  }
}

/// Composes what is not blocked with the last starter (the Unicode standard, D117), in place.
void recompose(std::vector<Mark>& marks) {
  size_t kept = 0;
  size_t starter = SIZE_MAX;
  for (size_t i = 0; i < marks.size(); ++i) {
    const Mark mark = marks[i];
    const bool adjacent = starter != SIZE_MAX && kept == starter + 1;
    const bool blocked =
        !adjacent && kept > 0 && marks[kept - 1].combining_class >= mark.combining_class;
    if (starter != SIZE_MAX && !blocked) {
      if (const uint32_t composed = compose(marks[starter].code_point, mark.code_point)) {
        marks[starter].code_point = composed;
        continue;
      }
    }
    if (mark.combining_class == 0) starter = kept;
    marks[kept++] = mark;
  }
  marks.resize(kept);
}

}  // namespace

std::string_view nfc(std::string_view text, std::string& storage) {
  const UnicodeTable& table = UnicodeTable::get();
  const char* const end = text.data() + text.size();
  const char* copied = text.data();    // all before is in `storage`
  const char* boundary = text.data();  // start of the last character that begins a chunk
  std::vector<Mark> marks;
  storage.clear();
  for (const char* p = text.data(); p < end;) {
    if (end - p >= 8) {  // ASCII is always a boundary
      uint64_t word;
      std::memcpy(&word, p, 8);
      if (!(word & 0x8080808080808080ULL)) {
        p += 8;
        boundary = p - 1;
        continue;
      }
    }
    const char* const start = p;
    if (table.is_nfc_boundary(utf8_next(p))) {
      boundary = start;
      continue;
    }
    // A chunk reaches from the last boundary to the next one; nothing acts across them.
    while (p < end) {
      const char* next = p;
      if (table.is_nfc_boundary(utf8_next(next))) break;
      p = next;
    }
    storage.append(copied, boundary);
    marks.clear();
    for (const char* q = boundary; q < p;) decompose(utf8_next(q), marks);
    reorder(marks);
    recompose(marks);
    for (const Mark& mark : marks) utf8_append(storage, mark.code_point);
    copied = boundary = p;
  }
  if (copied == text.data()) return text;
  storage.append(copied, end);
  return storage;
}

}  // namespace baton
