#include "engine/validate.h"

#include <gtest/gtest.h>

#include <cmath>

namespace baton {
namespace {

/// The field that validate() refuses; empty if it takes the request.
std::string refused(const Sampling& sampling) {
  ModelInfo info;
  info.vocab_size = 10;
  TokenRequest request;
  request.prompt = {1};
  request.max_tokens = 1;
  request.sampling = sampling;
  const Result<void> result = validate(request, info);
  return result.ok() ? std::string() : result.error().param;
}

// A generation_config.json is read within the same limits, as doubles.
TEST(Validate, TheLimitsOfSamplingThemselvesAreTaken) {
  const auto below = [](double value) { return std::nextafter(static_cast<float>(value), -1.0f); };
  const auto above = [](double value) { return std::nextafter(static_cast<float>(value), 1e9f); };
  Sampling least, most;
  least.temperature = 0;
  least.top_p = static_cast<float>(kTopPLeast);
  least.repetition_penalty = static_cast<float>(kRepetitionPenaltyLeast);
  most.temperature = static_cast<float>(kTemperatureMost);
  most.repetition_penalty = static_cast<float>(kRepetitionPenaltyMost);
  EXPECT_EQ(refused(least), "");
  EXPECT_EQ(refused(most), "");

  EXPECT_EQ(refused({.temperature = below(0)}), "temperature");
  EXPECT_EQ(refused({.temperature = above(kTemperatureMost)}), "temperature");
  EXPECT_EQ(refused({.temperature = std::nanf("")}), "temperature");
  EXPECT_EQ(refused({.top_p = below(kTopPLeast)}), "top_p");
  EXPECT_EQ(refused({.top_p = above(1)}), "top_p");
  EXPECT_EQ(refused({.repetition_penalty = below(kRepetitionPenaltyLeast)}), "repetition_penalty");
  EXPECT_EQ(refused({.repetition_penalty = above(kRepetitionPenaltyMost)}), "repetition_penalty");
}

}  // namespace
}  // namespace baton
