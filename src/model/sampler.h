// From logits to one token: a pure function of (logits, sampling, seed, choice, token lists).
//
// The definition, in order:
//   1. l = logits; repetition penalty over prompt and generated tokens (l > 0 ? l / p : l * p),
//   then
//      l - frequency * count - presence over generated tokens, then logit_bias is added; until
//      min_tokens are generated, stop tokens (and EOS tokens, unless ignore_eos) are masked.
//   2. temperature < 1e-5: the largest l, ties to the lower id.
//   3. Each token weighs the integer w = round(2^40 * exp((l - l_max) / temperature)). Those with
//      w > 0 are ordered by (l descending, id ascending). Every filter keeps a prefix of that
//      order: top-k the first k; top-p the smallest prefix whose weight reaches p of what top-k
//      kept; min-p those with (l - l_max) / temperature >= log(min_p).
//   4. r = (u * W) >> 64, where W is the weight kept and u the 64-bit draw of Philox4x32-10 keyed
//   by
//      (seed, choice, position = generated.size()); the answer is the first token of the order
//      whose cumulative weight exceeds r.
// Weights are integers, so their sums do not depend on the order of addition, and any device can
// compute them its own way. exp and log are our own: mul and add only, one order on every ISA.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "model/model.h"

namespace baton {

/// Working memory of one sampling thread; grows to the vocabulary once and is then reused.
/// Its contents mean nothing between calls.
struct SamplerScratch {
  struct Entry {
    float logit;
    Token token;
    uint64_t weight;
  };
  std::vector<float> logits;        // [vocab] the modified copy, where something modifies them
  std::vector<uint32_t> counts;     // [vocab] zero between calls
  std::vector<Token> touched;       // ids whose count is not zero
  std::vector<uint16_t> bucket_of;  // [vocab]
  std::vector<uint64_t> bucket_mass;
  std::vector<uint32_t> bucket_size;
  std::vector<Entry> entries;  // one bucket, in order
};

/// Draws the token that follows. `logits` has one value per token id. `valid` is false where a
/// logit is NaN or infinite (or everything is masked): such a token must never be used. `sequence`
/// of the result is left 0. logprob and top are of the unmodified logits, filled if
/// sampling.logprobs >= 0.
Sampled sample(std::span<const float> logits, const SampleSpec& spec, SamplerScratch& scratch);

/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
std::array<uint32_t, 4> philox4x32_10(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// e^x for x <= 0 with relative error below 2^-48; 0 below -700. Bits are the same everywhere.
double exact_exp(double x);

/// Natural logarithm of a positive normal x, absolute error below 1e-12. Bits are the same
/// everywhere.
double exact_log(double x);

}  // namespace baton
