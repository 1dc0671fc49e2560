// Time of one draw from a full vocabulary: logits as a trained model gives them (a few high above a
// broad bulk), and flat ones, where nothing can be skipped.
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "model/sampler.h"

namespace baton {
namespace {

constexpr size_t kVocab = 151'936;

std::vector<float> make_logits(bool flat) {
  std::mt19937_64 random(1);
  std::normal_distribution<float> bulk(0.0f, flat ? 1.0f : 2.5f);
  std::vector<float> logits(kVocab);
  for (float& l : logits) l = bulk(random);
  if (!flat) {
    for (int i = 0; i < 40; ++i) logits[random() % kVocab] = 24.0f - 0.3f * static_cast<float>(i);
  }
  return logits;
}

void run(benchmark::State& state, const Sampling& sampling, bool flat) {
  const std::vector<float> logits = make_logits(flat);
  const std::vector<Token> prompt(1000, 5);
  SamplerScratch scratch;
  SampleSpec spec{&sampling, 0, 0, prompt, {}};
  for (auto _ : state) {
    ++spec.seed;
    benchmark::DoNotOptimize(sample(logits, spec, scratch).token);
  }
}

BENCHMARK_CAPTURE(run, greedy, Sampling{.temperature = 0.0f}, false);
BENCHMARK_CAPTURE(run, top_p, Sampling{.temperature = 0.6f, .top_p = 0.95f}, false);
BENCHMARK_CAPTURE(run, top_p_flat, Sampling{.temperature = 1.0f, .top_p = 0.95f}, true);
BENCHMARK_CAPTURE(run, top_k_top_p_flat,
                  (Sampling{.temperature = 1.0f, .top_p = 0.95f, .top_k = 50}), true);
BENCHMARK_CAPTURE(run, penalties,
                  (Sampling{.temperature = 0.6f, .top_p = 0.95f, .repetition_penalty = 1.1f}),
                  false);
BENCHMARK_CAPTURE(run, top_p_logprobs_20,
                  (Sampling{.temperature = 0.6f, .top_p = 0.95f, .logprobs = 20}), false);

}  // namespace
}  // namespace baton

BENCHMARK_MAIN();
