#include "cli/sampling_defaults.h"

#include <random>

namespace baton::cli {

Sampling default_sampling(const GenerationConfig& generation) {
  Sampling sampling;
  sampling.temperature = generation.do_sample ? generation.temperature.value_or(1.0f) : 0.0f;
  sampling.top_p = generation.top_p.value_or(1.0f);
  sampling.top_k = generation.top_k.value_or(0);
  sampling.min_p = generation.min_p.value_or(0.0f);
  sampling.repetition_penalty = generation.repetition_penalty.value_or(1.0f);
  sampling.eos_tokens = generation.eos_tokens;
  return sampling;
}

uint64_t random_seed() {
  std::random_device device;
  return ((uint64_t{device()} << 32) | device()) >> 11;
}

}  // namespace baton::cli
