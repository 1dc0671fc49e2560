// V: 16 floats in one zmm register. Included by one *_avx512.cc only; see kernel_ops.inc.h.
#pragma once

// GCC 12's own header reads variables that it leaves uninitialised on purpose (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#define BATON_INLINE __attribute__((always_inline)) inline

namespace {

struct V {
  __m512 v;
};

BATON_INLINE V splat(float x) {
  return {_mm512_set1_ps(x)};
}
BATON_INLINE V load(const float* p) {
  return {_mm512_loadu_ps(p)};
}
BATON_INLINE void store(float* p, V a) {
  _mm512_storeu_ps(p, a.v);
}
BATON_INLINE V add(V a, V b) {
  return {_mm512_add_ps(a.v, b.v)};
}
BATON_INLINE V sub(V a, V b) {
  return {_mm512_sub_ps(a.v, b.v)};
}
BATON_INLINE V mul(V a, V b) {
  return {_mm512_mul_ps(a.v, b.v)};
}
BATON_INLINE V div(V a, V b) {
  return {_mm512_div_ps(a.v, b.v)};
}
BATON_INLINE V fma(V a, V b, V c) {
  return {_mm512_fmadd_ps(a.v, b.v, c.v)};
}
BATON_INLINE V sqrt(V a) {
  return {_mm512_sqrt_ps(a.v)};
}
BATON_INLINE V larger(V a, V b) {
  return {_mm512_max_ps(a.v, b.v)};
}
BATON_INLINE V smaller(V a, V b) {
  return {_mm512_min_ps(a.v, b.v)};
}
BATON_INLINE V negate(V a) {
  const __m512i sign = _mm512_set1_epi32(INT32_MIN);
  return {_mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(a.v), sign))};
}

/// x where a >= b or unordered, else 0.
BATON_INLINE V zero_where_less(V a, V b, V x) {
  return {_mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a.v, b.v, _CMP_NLT_US), x.v)};
}

/// 2^n from t = n + 1.5·2^23.
BATON_INLINE V power_of_two(V t) {
  const __m512i bits = _mm512_add_epi32(_mm512_castps_si512(t.v), _mm512_set1_epi32(127));
  return {_mm512_castsi512_ps(_mm512_slli_epi32(bits, 23))};
}

/// Lanes added j + (j + 8), j + (j + 4), j + (j + 2), j + (j + 1); the same with the larger.
BATON_INLINE float tree_sum(V a) {
  const __m256 low = _mm512_castps512_ps256(a.v), high = _mm512_extractf32x8_ps(a.v, 1);
  const __m256 s8 = _mm256_add_ps(low, high);
  const __m128 s4 = _mm_add_ps(_mm256_castps256_ps128(s8), _mm256_extractf128_ps(s8, 1));
  const __m128 s2 = _mm_add_ps(s4, _mm_movehl_ps(s4, s4));
  return _mm_cvtss_f32(_mm_add_ss(s2, _mm_movehdup_ps(s2)));
}
BATON_INLINE float tree_max(V a) {
  const __m256 low = _mm512_castps512_ps256(a.v), high = _mm512_extractf32x8_ps(a.v, 1);
  const __m256 s8 = _mm256_max_ps(low, high);
  const __m128 s4 = _mm_max_ps(_mm256_castps256_ps128(s8), _mm256_extractf128_ps(s8, 1));
  const __m128 s2 = _mm_max_ps(s4, _mm_movehl_ps(s4, s4));
  return _mm_cvtss_f32(_mm_max_ss(s2, _mm_movehdup_ps(s2)));
}

/// Each lane rounded to bf16 (nearest even, NaN stays NaN) and widened again.
BATON_INLINE V round_bf16(V a) {
  const __m512i bits = _mm512_castps_si512(a.v);
  const __m512i last = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  __m512i up = _mm512_add_epi32(bits, _mm512_add_epi32(last, _mm512_set1_epi32(0x7fff)));
  const __mmask16 nan = _mm512_cmp_ps_mask(a.v, a.v, _CMP_UNORD_Q);
  up = _mm512_mask_or_epi32(up, nan, bits, _mm512_set1_epi32(0x400000));
  return {_mm512_castsi512_ps(_mm512_and_si512(up, _mm512_set1_epi32(-0x10000)))};
}

/// 16 pairs of bf16 at p: the first of each pair, the second of each pair.
BATON_INLINE void load_pairs(const uint16_t* p, V& even, V& odd) {
  const __m512i pairs = _mm512_loadu_si512(p);
  even.v = _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16));
  odd.v = _mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32(-0x10000)));
}

}  // namespace
