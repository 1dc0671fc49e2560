#include "kernels/ref/rope_angles.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace baton {
namespace {

/// Distance of `value` from `truth` in units of the last place of the nearest float.
double error_ulp(float value, double truth) {
  const float near = static_cast<float>(truth);
  const double ulp = std::nextafter(std::fabs(near), INFINITY) - std::fabs(near);
  return std::fabs(value - truth) / ulp;
}

TEST(RopeAngles, frequencies_are_those_of_the_formula) {
  for (double theta : {10000.0, 1e6}) {
    for (uint32_t dim : {64u, 128u}) {
      const std::vector<float> frequencies = rope_inverse_frequencies(theta, dim);
      ASSERT_EQ(frequencies.size(), dim / 2);
      for (uint32_t i = 0; i < dim / 2; ++i) {
        // transformers rounds the power to fp32, then its reciprocal
        const float power = static_cast<float>(std::pow(theta, 2.0 * i / dim));
        EXPECT_EQ(frequencies[i], 1.0f / power) << theta << " " << dim << " " << i;
      }
    }
  }
}

TEST(RopeAngles, cos_and_sin_are_right_to_the_last_place) {
  std::mt19937 random(1);
  const std::vector<float> frequencies = rope_inverse_frequencies(10000.0, 128);
  std::vector<float> cos(64), sin(64);
  double worst = 0.0;
  auto check = [&](uint32_t position) {
    rope_angles(position, frequencies, cos.data(), sin.data());
    for (size_t i = 0; i < 64; ++i) {
      const double angle = static_cast<float>(position) * frequencies[i];
      worst =
          std::max({worst, error_ulp(cos[i], std::cos(angle)), error_ulp(sin[i], std::sin(angle))});
    }
  };
  for (uint32_t position = 0; position < 2000; ++position) check(position);
  for (int i = 0; i < 2000; ++i) check(random() % 131072);
  for (uint32_t position : {131071u, 131072u, 1048575u}) check(position);
  EXPECT_LE(worst, 0.501);
}

}  // namespace
}  // namespace baton
