#include "text/byte_level.h"

#include <array>

#include "text/utf8.h"

namespace baton {
namespace {

constexpr uint32_t kAlphabetEnd = 0x144;  // one above the highest character

constexpr bool is_itself(uint32_t c) {
  return (c >= 0x21 && c <= 0x7E) || (c >= 0xA1 && c <= 0xAC) || (c >= 0xAE && c <= 0xFF);
}

struct Alphabet {
  std::array<uint16_t, 256> character = {};
  std::array<int16_t, kAlphabetEnd> byte = {};
};

/// Printable Latin-1 stands for itself; the other bytes get the characters from U+0100 on, in
/// order.
constexpr Alphabet make_alphabet() {
  Alphabet alphabet;
  for (int16_t& b : alphabet.byte) b = -1;
  uint32_t next = 0x100;
  for (uint32_t b = 0; b < 256; ++b) {
    const uint32_t c = is_itself(b) ? b : next++;
    alphabet.character[b] = static_cast<uint16_t>(c);
    alphabet.byte[c] = static_cast<int16_t>(b);
  }
  return alphabet;
}

constexpr Alphabet kAlphabet = make_alphabet();

}  // namespace

std::optional<std::string> bytes_of_byte_level(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (const char* p = text.data(); p < text.data() + text.size();) {
    const uint32_t c = utf8_next(p);
    if (c >= kAlphabetEnd || kAlphabet.byte[c] < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(kAlphabet.byte[c]));
  }
  return bytes;
}

std::string byte_level_of_bytes(std::string_view bytes) {
  std::string text;
  for (const char b : bytes) utf8_append(text, kAlphabet.character[static_cast<uint8_t>(b)]);
  return text;
}

}  // namespace baton
