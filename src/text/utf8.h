// UTF-8: checking, repairing and reading.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace baton {

inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

/// What stands at the start of a byte string.
struct Utf8Step {
  enum class Kind : uint8_t {
    valid,       // a whole character of `length` bytes
    invalid,     // `length` bytes that no continuation can save: one U+FFFD
    incomplete,  // the string ends inside a character that more bytes may complete
  };
  Kind kind;
  uint32_t length;
};

/// Looks at the first character of `bytes` (not empty). Invalid stretches are the "maximal
/// subparts" of the Unicode standard (chapter 3.9), as in Rust's from_utf8_lossy and the web.
Utf8Step utf8_step(std::string_view bytes);

/// True if `bytes` is valid UTF-8.
bool utf8_valid(std::string_view bytes);

/// `bytes` with every invalid or incomplete stretch replaced by one U+FFFD.
std::string utf8_lossy(std::string_view bytes);

/// Reads one code point of valid UTF-8 and moves `p` past it.
inline uint32_t utf8_next(const char*& p) {
  const auto at = [p](int i) { return static_cast<uint32_t>(static_cast<unsigned char>(p[i])); };
  const uint32_t lead = at(0);
  if (lead < 0x80) {
    p += 1;
    return lead;
  }
  if (lead < 0xE0) {
    const uint32_t c = (lead & 0x1F) << 6 | (at(1) & 0x3F);
    p += 2;
    return c;
  }
  if (lead < 0xF0) {
    const uint32_t c = (lead & 0x0F) << 12 | (at(1) & 0x3F) << 6 | (at(2) & 0x3F);
    p += 3;
    return c;
  }
  const uint32_t c =
      (lead & 0x07) << 18 | (at(1) & 0x3F) << 12 | (at(2) & 0x3F) << 6 | (at(3) & 0x3F);
  p += 4;
  return c;
}

/// Appends `code_point` (a scalar value) as UTF-8.
void utf8_append(std::string& out, uint32_t code_point);

}  // namespace baton
