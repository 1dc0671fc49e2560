// Unicode normalisation form C as Hugging Face's tokenizers computes it: with the data of
// Unicode 9.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace baton {

namespace hangul {  // the Unicode standard, chapter 3.12
inline constexpr uint32_t kLeadFirst = 0x1100, kLeadLast = 0x1112;
inline constexpr uint32_t kVowelFirst = 0x1161, kVowelLast = 0x1175;
inline constexpr uint32_t kTrailFirst = 0x11A8, kTrailLast = 0x11C2;
inline constexpr uint32_t kSyllableFirst = 0xAC00, kSyllableLast = 0xD7A3;
inline constexpr uint32_t kVowels = 21, kTrails = 28;  // kTrails counts "none" too
}  // namespace hangul

/// NFC of valid UTF-8. Returns `text` itself if it is normalised already; otherwise the result lies
/// in `storage`. O(n log n) in the longest run of combining marks, linear otherwise.
std::string_view nfc(std::string_view text, std::string& storage);

}  // namespace baton
