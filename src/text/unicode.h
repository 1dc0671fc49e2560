// What the tokenizer needs to know of a character: its kind for the split pattern and whether NFC
// can touch it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

namespace baton {

enum class CharKind : uint8_t { other, letter, number, space };

/// One byte a code point, expanded from the generated ranges on first use (1.1 MB, below 1 ms).
/// Immutable, shared by all threads.
class UnicodeTable {
 public:
  static constexpr uint32_t kCodePoints = 0x110000;

  static const UnicodeTable& get();

  /// \p{L}, \p{N} (Unicode 16) and \s; `code_point` below kCodePoints.
  CharKind kind(uint32_t code_point) const { return static_cast<CharKind>(flags_[code_point] & 3); }

  /// True if NFC leaves the character alone wherever it stands and nothing before it can combine
  /// with it: combining class 0 and NFC_Quick_Check=Yes (Unicode 9).
  bool is_nfc_boundary(uint32_t code_point) const { return !(flags_[code_point] & kActive); }

 private:
  static constexpr uint8_t kActive = 4;

  UnicodeTable();

  std::unique_ptr<std::array<uint8_t, kCodePoints>> storage_;
  const uint8_t* flags_;
};

}  // namespace baton
