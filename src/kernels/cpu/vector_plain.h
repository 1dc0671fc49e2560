// V: 16 floats in plain C++. Included by kernels_plain.cc only; see kernel_ops.inc.h.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#define BATON_INLINE __attribute__((always_inline)) inline

namespace {

struct V {
  float v[16];
};

template <class F>
BATON_INLINE V each(F f) {
  V out;
  for (int j = 0; j < 16; ++j) out.v[j] = f(j);
  return out;
}

BATON_INLINE uint32_t bits_of(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return bits;
}
BATON_INLINE float float_of(uint32_t bits) {
  float x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
}

BATON_INLINE V splat(float x) {
  return each([&](int) { return x; });
}
BATON_INLINE V load(const float* p) {
  return each([&](int j) { return p[j]; });
}
BATON_INLINE void store(float* p, const V& a) {
  for (int j = 0; j < 16; ++j) p[j] = a.v[j];
}
BATON_INLINE V add(const V& a, const V& b) {
  return each([&](int j) { return a.v[j] + b.v[j]; });
}
BATON_INLINE V sub(const V& a, const V& b) {
  return each([&](int j) { return a.v[j] - b.v[j]; });
}
BATON_INLINE V mul(const V& a, const V& b) {
  return each([&](int j) { return a.v[j] * b.v[j]; });
}
BATON_INLINE V div(const V& a, const V& b) {
  return each([&](int j) { return a.v[j] / b.v[j]; });
}
BATON_INLINE V fma(const V& a, const V& b, const V& c) {
  return each([&](int j) { return __builtin_fmaf(a.v[j], b.v[j], c.v[j]); });
}
BATON_INLINE V sqrt(const V& a) {
  return each([&](int j) { return __builtin_sqrtf(a.v[j]); });
}
BATON_INLINE V larger(const V& a, const V& b) {
  return each([&](int j) { return a.v[j] > b.v[j] ? a.v[j] : b.v[j]; });
}
BATON_INLINE V smaller(const V& a, const V& b) {
  return each([&](int j) { return a.v[j] < b.v[j] ? a.v[j] : b.v[j]; });
}
BATON_INLINE V negate(const V& a) {
  return each([&](int j) { return -a.v[j]; });
}

/// x where a >= b or unordered, else 0.
BATON_INLINE V zero_where_less(const V& a, const V& b, const V& x) {
  return each([&](int j) { return a.v[j] < b.v[j] ? 0.0f : x.v[j]; });
}

/// 2^n from t = n + 1.5·2^23.
BATON_INLINE V power_of_two(const V& t) {
  return each([&](int j) { return float_of((bits_of(t.v[j]) + 127u) << 23); });
}

/// Lanes added j + (j + 8), j + (j + 4), j + (j + 2), j + (j + 1); the same with the larger.
BATON_INLINE float tree_sum(V a) {
  for (int half = 8; half > 0; half /= 2) {
    for (int j = 0; j < half; ++j) a.v[j] = a.v[j] + a.v[j + half];
  }
  return a.v[0];
}
BATON_INLINE float tree_max(V a) {
  for (int half = 8; half > 0; half /= 2) {
    for (int j = 0; j < half; ++j) a.v[j] = a.v[j] > a.v[j + half] ? a.v[j] : a.v[j + half];
  }
  return a.v[0];
}

/// Each lane rounded to bf16 (nearest even, NaN stays NaN) and widened again.
BATON_INLINE V round_bf16(const V& a) {
  return each([&](int j) {
    const uint32_t bits = bits_of(a.v[j]);
    const bool nan = (bits & 0x7fffffffu) > 0x7f800000u;
    const uint32_t up = nan ? bits | 0x400000u : bits + 0x7fffu + ((bits >> 16) & 1u);
    return float_of(up & 0xffff0000u);
  });
}

/// 16 pairs of bf16 at p: the first of each pair, the second of each pair.
BATON_INLINE void load_pairs(const uint16_t* p, V& even, V& odd) {
  for (int j = 0; j < 16; ++j) {
    even.v[j] = float_of(static_cast<uint32_t>(p[2 * j]) << 16);
    odd.v[j] = float_of(static_cast<uint32_t>(p[2 * j + 1]) << 16);
  }
}

}  // namespace
