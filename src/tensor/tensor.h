// dtype, shape and view: the words of the kernels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace baton {

/// Element types that are stored or computed with.
enum class DType : uint8_t { fp32, fp16, bf16, int8, int4 };

/// "fp32", "fp16", "bf16", "int8", "int4".
std::string_view to_string(DType dtype);

/// Bits per element.
constexpr uint32_t bits_of(DType dtype) {
  switch (dtype) {
    case DType::fp32:
      return 32;
    case DType::fp16:
    case DType::bf16:
      return 16;
    case DType::int8:
      return 8;
    case DType::int4:
      return 4;
  }
  return 0;
}

/// bfloat16: the upper half of an IEEE single.
struct bf16 {
  uint16_t bits = 0;
  bool operator==(const bf16&) const = default;
};

inline float to_float(bf16 value) {
  const uint32_t wide = static_cast<uint32_t>(value.bits) << 16;
  float out;
  static_assert(sizeof out == sizeof wide);
  __builtin_memcpy(&out, &wide, sizeof out);
  return out;
}

/// Round to nearest even; NaN stays NaN (quiet).
inline bf16 to_bf16(float value) {
  uint32_t wide;
  __builtin_memcpy(&wide, &value, sizeof wide);
  if ((wide & 0x7fffffffu) > 0x7f800000u) return bf16{static_cast<uint16_t>((wide >> 16) | 0x40u)};
  wide += 0x7fffu + ((wide >> 16) & 1u);
  return bf16{static_cast<uint16_t>(wide >> 16)};
}

/// IEEE half → single, exact.
float half_to_float(uint16_t half);

}  // namespace baton
