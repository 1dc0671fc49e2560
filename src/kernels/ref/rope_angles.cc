#include "kernels/ref/rope_angles.h"

#include <cmath>

namespace baton {
namespace {

constexpr double kLn2 = 0.69314718055994530942;

/// ln x for x ≥ 1, by halving into [1, 2) and the series of 2·artanh((x − 1) / (x + 1)).
double natural_log(double x) {
  int halvings = 0;
  for (; x >= 2.0; x *= 0.5) ++halvings;
  const double z = (x - 1.0) / (x + 1.0), z2 = z * z;  // z ≤ 1/3: 9 more bits every 3 terms
  double sum = 0.0;
  for (int k = 41; k >= 1; k -= 2) sum = sum * z2 + 1.0 / k;
  return 2.0 * z * sum + halvings * kLn2;
}

/// e^x for 0 ≤ x ≤ 100 by Taylor's series on the remainder of ln 2.
double exponential(double x) {
  const int n = static_cast<int>(x / kLn2);
  const double r = x - n * kLn2;
  double sum = 1.0;
  for (int k = 22; k >= 1; --k) sum = 1.0 + sum * r / k;
  for (int i = 0; i < n; ++i) sum *= 2.0;
  return sum;
}

/// sin and cos of x ≥ 0 below 2^20: quadrant by Cody and Waite in two parts, then Taylor's series
/// on |r| ≤ π/4, which is exact to 1e-16 with these terms.
void sin_cos(double x, float* sin_out, float* cos_out) {
  constexpr double kTwoOverPi = 0.63661977236758134308;
  constexpr double kHalfPiHigh = 1.57079632673412561417;  // 33 bits: n · high is exact
  constexpr double kHalfPiLow = 6.07710050650619224932e-11;
  constexpr double kMagic = 6755399441055744.0;  // 1.5·2⁵²: adding it rounds to nearest
  const double t = x * kTwoOverPi + kMagic;
  const double n = t - kMagic;
  const double r = (x - n * kHalfPiHigh) - n * kHalfPiLow;
  const double r2 = r * r;
  double sine = 1.0, cosine = 1.0;
  for (int k = 20; k >= 2; k -= 2) sine = 1.0 - sine * r2 / (k * (k + 1));
  for (int k = 21; k >= 1; k -= 2) cosine = 1.0 - cosine * r2 / (k * (k + 1));
  sine *= r;
  switch (static_cast<uint32_t>(n) & 3u) {
    case 0:
      *sin_out = static_cast<float>(sine), *cos_out = static_cast<float>(cosine);
      break;
    case 1:
      *sin_out = static_cast<float>(cosine), *cos_out = static_cast<float>(-sine);
      break;
    case 2:
      *sin_out = static_cast<float>(-sine), *cos_out = static_cast<float>(-cosine);
      break;
    default:
      *sin_out = static_cast<float>(-cosine), *cos_out = static_cast<float>(sine);
      break;
  }
}

/// A value in (0, 1] as fp16 would keep it: 11 significant bits, a step of 2^-24 below 2^-14.
float round_to_half(float x) {
  int exponent = 0;
  std::frexp(x, &exponent);
  const int step = exponent - 11 > -24 ? exponent - 11 : -24;
  return std::ldexp(std::nearbyint(std::ldexp(x, -step)), step);
}

}  // namespace

std::vector<float> rope_inverse_frequencies(double theta, uint32_t dim, DType stored) {
  std::vector<float> out(dim / 2);
  for (uint32_t i = 0; i < dim / 2; ++i) {
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(dim);
    out[i] = 1.0f / static_cast<float>(exponential(exponent * natural_log(theta)));
    if (stored == DType::bf16) out[i] = to_float(to_bf16(out[i]));
    if (stored == DType::fp16) out[i] = round_to_half(out[i]);
  }
  return out;
}

void rope_angles(uint32_t position, const std::vector<float>& inv_freq, float* cos, float* sin) {
  for (size_t i = 0; i < inv_freq.size(); ++i) {
    const float angle = static_cast<float>(position) * inv_freq[i];
    sin_cos(angle, &sin[i], &cos[i]);
  }
}

}  // namespace baton
