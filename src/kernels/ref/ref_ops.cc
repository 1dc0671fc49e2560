#include "kernels/ref/ref_ops.h"

#include <cmath>
#include <cstring>

namespace baton::ref {

float round_to(float value, DType dtype) {
  return dtype == DType::bf16 ? to_float(to_bf16(value)) : value;
}

float dot(const float* a, size_t a_step, const float* b, size_t b_step, size_t count) {
  float sum = 0.0f;
  for (size_t block = 0; block < count; block += 32) {
    float even = 0.0f, odd = 0.0f;
    for (size_t i = block; i < block + 32 && i < count; ++i) {
      float& chain = i % 2 == 0 ? even : odd;
      chain = std::fma(a[i * a_step], b[i * b_step], chain);
    }
    sum = sum + (even + odd);
  }
  return sum;
}

float lane_sum(const float* values, size_t count) {
  float lanes[16] = {};
  for (size_t i = 0; i < count; ++i) lanes[i % 16] = lanes[i % 16] + values[i];
  for (size_t half = 8; half > 0; half /= 2) {
    for (size_t j = 0; j < half; ++j) lanes[j] = lanes[j] + lanes[j + half];
  }
  return lanes[0];
}

float exp(float x) {
  // Cephes: x = n·ln 2 + r, |r| ≤ ln 2 / 2, e^r by a polynomial. Adding 1.5·2²³ rounds to nearest.
  constexpr float kMagic = 12582912.0f;
  if (x < -87.0f) return 0.0f;
  const float clamped = 88.0f < x ? 88.0f : x;
  const float t = std::fma(clamped, 1.44269504088896341f, kMagic);
  const float n = t - kMagic;
  float r = std::fma(n, -0.693359375f, clamped);
  r = std::fma(n, 2.12194440e-4f, r);
  float p = 1.9875691500e-4f;
  for (float c :
       {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f}) {
    p = std::fma(p, r, c);
  }
  p = std::fma(p, r * r, r) + 1.0f;
  uint32_t bits;
  std::memcpy(&bits, &t, sizeof bits);
  bits = (bits + 127u) << 23;  // 2^n
  float scale;
  std::memcpy(&scale, &bits, sizeof scale);
  return p * scale;
}

float silu(float x) {
  return x / (1.0f + exp(-x));
}

void gemm(const float* x, size_t rows, size_t k, const float* w, size_t n, const float* bias,
          float* out) {
  for (size_t row = 0; row < rows; ++row) {
    for (size_t column = 0; column < n; ++column) {
      float sum = dot(x + row * k, 1, w + column * k, 1, k);
      if (bias != nullptr) sum = sum + bias[column];
      out[row * n + column] = sum;
    }
  }
}

void rms_norm(const float* x, const float* weight, size_t width, float eps, DType dtype,
              float* out) {
  float lanes[16] = {};
  for (size_t i = 0; i < width; ++i) lanes[i % 16] = std::fma(x[i], x[i], lanes[i % 16]);
  const float mean = lane_sum(lanes, 16) / static_cast<float>(width);
  const float scale = 1.0f / std::sqrt(mean + eps);
  for (size_t i = 0; i < width; ++i) out[i] = round_to((x[i] * scale) * weight[i], dtype);
}

void swiglu(const float* gate, const float* up, size_t width, DType dtype, float* out) {
  for (size_t i = 0; i < width; ++i) out[i] = round_to(silu(gate[i]) * up[i], dtype);
}

void rope(const float* x, const float* cos, const float* sin, size_t dim, DType dtype, float* out) {
  const size_t half = dim / 2;
  for (size_t i = 0; i < half; ++i) {
    out[i] = round_to(x[i] * cos[i] - x[i + half] * sin[i], dtype);
    out[i + half] = round_to(x[i + half] * cos[i] + x[i] * sin[i], dtype);
  }
}

void attention(const float* q, const float* k, const float* v, size_t count, size_t dim,
               float scale, DType dtype, float* out) {
  float m = 0.0f, l = 0.0f;
  std::vector<float> o(dim), p(kSplitPositions), rounded(kSplitPositions);
  for (size_t begin = 0; begin < count; begin += kSplitPositions) {
    const size_t size = count - begin < kSplitPositions ? count - begin : kSplitPositions;
    float split_m = -INFINITY;
    for (size_t i = 0; i < size; ++i) {
      p[i] = dot(q, 1, k + (begin + i) * dim, 1, dim) * scale;
      split_m = split_m > p[i] ? split_m : p[i];
    }
    for (size_t i = 0; i < size; ++i) {
      p[i] = exp(p[i] - split_m);
      rounded[i] = round_to(p[i], dtype);
    }
    const float split_l = lane_sum(p.data(), size);
    const float merged_m = begin == 0 || split_m > m ? split_m : m;
    const float old_weight = begin == 0 ? 0.0f : exp(m - merged_m);
    const float new_weight = exp(split_m - merged_m);
    for (size_t d = 0; d < dim; ++d) {
      const float split_o = dot(rounded.data(), 1, v + begin * dim + d, dim, size);
      o[d] = begin == 0 ? split_o : std::fma(o[d], old_weight, split_o * new_weight);
    }
    l = begin == 0 ? split_l : std::fma(l, old_weight, split_l * new_weight);
    m = merged_m;
  }
  for (size_t d = 0; d < dim; ++d) out[d] = round_to(o[d] / l, dtype);
}

}  // namespace baton::ref
