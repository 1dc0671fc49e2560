// The plain definitions of every operation: the words in which "the right bits" are stated.
//
// Scalar code that follows the definition, over plain row-major arrays; slow. The CPU kernels must
// give the same bytes (kernels/cpu/ops_test.cc). Callers set DAZ and FTZ (FlushDenormals).
//
// Class revision 1:
// - dot: blocks of 32 elements; in a block an FMA chain over the even and one over the odd
// elements,
//   both from +0; C = C + (even + odd), blocks in order from C = +0. K is padded with zeros. This
//   is what AMX's tdpbf16ps computes.
// - other sums: lane j of 16 takes elements ≡ j (mod 16) in order, then lanes are added j + (j +
// 8),
//   j + (j + 4), j + (j + 2), j + (j + 1).
// - activations are kept in fp32 arrays; in dtype bf16 every input of a dot is rounded to bf16.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tensor/tensor.h"

namespace baton::ref {

/// Positions per attention split, cut at absolute positions.
inline constexpr uint32_t kSplitPositions = 256;

/// `value` as a dot's input sees it: rounded to bf16 or unchanged.
float round_to(float value, DType dtype);

/// Σ a[i·a_step]·b[i·b_step] over `count` elements.
float dot(const float* a, size_t a_step, const float* b, size_t b_step, size_t count);

/// Sum in 16 lanes.
float lane_sum(const float* values, size_t count);

/// e^x: 2 ulp; 0 below −87, at most e^88.
float exp(float x);

/// x / (1 + e^−x)
float silu(float x);

/// out[rows][n] = x[rows][k] · w[n][k]ᵀ (+ bias[n] if not null)
void gemm(const float* x, size_t rows, size_t k, const float* w, size_t n, const float* bias,
          float* out);

/// out[i] = round(x[i] · (1 / √(Σx² / width + eps)) · weight[i])
void rms_norm(const float* x, const float* weight, size_t width, float eps, DType dtype,
              float* out);

/// out[i] = round(silu(gate[i]) · up[i])
void swiglu(const float* gate, const float* up, size_t width, DType dtype, float* out);

/// Rotates pairs (i, i + dim/2) of one head; result rounded to `dtype`. cos, sin: [dim/2].
void rope(const float* x, const float* cos, const float* sin, size_t dim, DType dtype, float* out);

/// One query row against `count` positions. q: [dim]; k, v: [count][dim]; out: [dim].
/// Splits of kSplitPositions: m = max s, p = e^(s−m), l = lane_sum(p), o = dot of round(p) and v
/// along positions; splits are merged in order: with M = max(m, m'), L = fma(l, e^(m−M),
/// l'·e^(m'−M)), o likewise; out = round(o / l).
void attention(const float* q, const float* k, const float* v, size_t count, size_t dim,
               float scale, DType dtype, float* out);

}  // namespace baton::ref
