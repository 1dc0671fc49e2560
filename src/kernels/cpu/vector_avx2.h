// V: 16 floats in two ymm registers. Included by one *_avx2.cc only; see kernel_ops.inc.h.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#define BATON_INLINE __attribute__((always_inline)) inline

namespace {

struct V {
  __m256 a, b;
};

BATON_INLINE V splat(float x) {
  return {_mm256_set1_ps(x), _mm256_set1_ps(x)};
}
BATON_INLINE V load(const float* p) {
  return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}
BATON_INLINE void store(float* p, V x) {
  _mm256_storeu_ps(p, x.a);
  _mm256_storeu_ps(p + 8, x.b);
}
BATON_INLINE V add(V x, V y) {
  return {_mm256_add_ps(x.a, y.a), _mm256_add_ps(x.b, y.b)};
}
BATON_INLINE V sub(V x, V y) {
  return {_mm256_sub_ps(x.a, y.a), _mm256_sub_ps(x.b, y.b)};
}
BATON_INLINE V mul(V x, V y) {
  return {_mm256_mul_ps(x.a, y.a), _mm256_mul_ps(x.b, y.b)};
}
BATON_INLINE V div(V x, V y) {
  return {_mm256_div_ps(x.a, y.a), _mm256_div_ps(x.b, y.b)};
}
BATON_INLINE V fma(V x, V y, V z) {
  return {_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b)};
}
BATON_INLINE V sqrt(V x) {
  return {_mm256_sqrt_ps(x.a), _mm256_sqrt_ps(x.b)};
}
BATON_INLINE V larger(V x, V y) {
  return {_mm256_max_ps(x.a, y.a), _mm256_max_ps(x.b, y.b)};
}
BATON_INLINE V smaller(V x, V y) {
  return {_mm256_min_ps(x.a, y.a), _mm256_min_ps(x.b, y.b)};
}
BATON_INLINE V negate(V x) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  return {_mm256_xor_ps(x.a, sign), _mm256_xor_ps(x.b, sign)};
}

/// x where a >= b or unordered, else 0.
BATON_INLINE V zero_where_less(V a, V b, V x) {
  return {_mm256_and_ps(_mm256_cmp_ps(a.a, b.a, _CMP_NLT_US), x.a),
          _mm256_and_ps(_mm256_cmp_ps(a.b, b.b, _CMP_NLT_US), x.b)};
}

BATON_INLINE __m256 power_of_two(__m256 t) {
  const __m256i bits = _mm256_add_epi32(_mm256_castps_si256(t), _mm256_set1_epi32(127));
  return _mm256_castsi256_ps(_mm256_slli_epi32(bits, 23));
}
/// 2^n from t = n + 1.5·2^23.
BATON_INLINE V power_of_two(V t) {
  return {power_of_two(t.a), power_of_two(t.b)};
}

/// Lanes added j + (j + 8), j + (j + 4), j + (j + 2), j + (j + 1); the same with the larger.
BATON_INLINE float tree_sum(V x) {
  const __m256 s8 = _mm256_add_ps(x.a, x.b);
  const __m128 s4 = _mm_add_ps(_mm256_castps256_ps128(s8), _mm256_extractf128_ps(s8, 1));
  const __m128 s2 = _mm_add_ps(s4, _mm_movehl_ps(s4, s4));
  return _mm_cvtss_f32(_mm_add_ss(s2, _mm_movehdup_ps(s2)));
}
BATON_INLINE float tree_max(V x) {
  const __m256 s8 = _mm256_max_ps(x.a, x.b);
  const __m128 s4 = _mm_max_ps(_mm256_castps256_ps128(s8), _mm256_extractf128_ps(s8, 1));
  const __m128 s2 = _mm_max_ps(s4, _mm_movehl_ps(s4, s4));
  return _mm_cvtss_f32(_mm_max_ss(s2, _mm_movehdup_ps(s2)));
}

BATON_INLINE __m256 round_bf16(__m256 a) {
  const __m256i bits = _mm256_castps_si256(a);
  const __m256i last = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i up = _mm256_add_epi32(bits, _mm256_add_epi32(last, _mm256_set1_epi32(0x7fff)));
  const __m256 quiet = _mm256_castsi256_ps(_mm256_or_si256(bits, _mm256_set1_epi32(0x400000)));
  const __m256 nan = _mm256_cmp_ps(a, a, _CMP_UNORD_Q);
  return _mm256_and_ps(_mm256_blendv_ps(_mm256_castsi256_ps(up), quiet, nan),
                       _mm256_castsi256_ps(_mm256_set1_epi32(-0x10000)));
}
/// Each lane rounded to bf16 (nearest even, NaN stays NaN) and widened again.
BATON_INLINE V round_bf16(V x) {
  return {round_bf16(x.a), round_bf16(x.b)};
}

/// 16 pairs of bf16 at p: the first of each pair, the second of each pair.
BATON_INLINE void load_pairs(const uint16_t* p, V& even, V& odd) {
  const __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 16));
  const __m256i mask = _mm256_set1_epi32(-0x10000);
  even = {_mm256_castsi256_ps(_mm256_slli_epi32(a, 16)),
          _mm256_castsi256_ps(_mm256_slli_epi32(b, 16))};
  odd = {_mm256_castsi256_ps(_mm256_and_si256(a, mask)),
         _mm256_castsi256_ps(_mm256_and_si256(b, mask))};
}

}  // namespace
