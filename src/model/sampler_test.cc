#include "model/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <random>
#include <set>

namespace baton {
namespace {

// ---- The definition of sampler.h, word by word: sort everything, add everything. ----

struct Candidate {
  float logit;
  Token token;
  uint64_t weight;
};

std::vector<float> naive_modified(std::span<const float> logits, const SampleSpec& spec) {
  const Sampling& s = *spec.sampling;
  std::vector<float> l(logits.begin(), logits.end());
  std::set<Token> seen(spec.prompt.begin(), spec.prompt.end());
  seen.insert(spec.generated.begin(), spec.generated.end());
  for (Token t : seen) {
    float& v = l[static_cast<size_t>(t)];
    if (s.repetition_penalty != 1.0f) {
      v = v > 0 ? v / s.repetition_penalty : v * s.repetition_penalty;
    }
  }
  std::map<Token, int> counts;
  for (Token t : spec.generated) ++counts[t];
  for (auto [t, n] : counts) {
    float& v = l[static_cast<size_t>(t)];
    v = v - s.frequency_penalty * static_cast<float>(n) - s.presence_penalty;
  }
  for (auto [t, bias] : s.logit_bias) l[static_cast<size_t>(t)] += bias;
  if (spec.generated.size() < s.min_tokens) {
    const float masked = -std::numeric_limits<float>::infinity();
    for (Token t : s.stop_tokens) l[static_cast<size_t>(t)] = masked;
    if (!s.ignore_eos) {
      for (Token t : s.eos_tokens) l[static_cast<size_t>(t)] = masked;
    }
  }
  return l;
}

std::vector<Candidate> naive_order(const std::vector<float>& l, double temperature) {
  const double max = *std::max_element(l.begin(), l.end());
  std::vector<Candidate> order;
  for (size_t i = 0; i < l.size(); ++i) {
    const double x = (l[i] - max) * (1.0 / temperature);
    const auto w = static_cast<uint64_t>(std::nearbyint(std::ldexp(exact_exp(x), 40)));
    if (w > 0) order.push_back({l[i], static_cast<Token>(i), w});
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const Candidate& a, const Candidate& b) { return a.logit > b.logit; });
  return order;
}

uint64_t total(const std::vector<Candidate>& order) {
  uint64_t sum = 0;
  for (const Candidate& c : order) sum += c.weight;
  return sum;
}

Token naive_sample(std::span<const float> logits, const SampleSpec& spec) {
  const Sampling& s = *spec.sampling;
  const std::vector<float> l = naive_modified(logits, spec);
  if (s.temperature < 1e-5f) {
    return static_cast<Token>(std::max_element(l.begin(), l.end()) - l.begin());
  }
  const double max = *std::max_element(l.begin(), l.end());
  std::vector<Candidate> order = naive_order(l, s.temperature);
  if (s.top_k > 0 && order.size() > static_cast<size_t>(s.top_k)) {
    order.resize(static_cast<size_t>(s.top_k));
  }
  if (s.top_p < 1.0f) {
    const double need = std::ceil(static_cast<double>(s.top_p) * static_cast<double>(total(order)));
    uint64_t sum = 0;
    size_t kept = 0;
    while (kept < order.size() && (kept == 0 || static_cast<double>(sum) < need)) {
      sum += order[kept++].weight;
    }
    order.resize(kept);
  }
  if (s.min_p > 0) {
    const double x_min = exact_log(s.min_p);
    while ((order.back().logit - max) * (1.0 / s.temperature) < x_min) order.pop_back();
  }
  const auto bits =
      philox4x32_10({static_cast<uint32_t>(spec.generated.size()), spec.choice, 0, 0},
                    {static_cast<uint32_t>(spec.seed), static_cast<uint32_t>(spec.seed >> 32)});
  const uint64_t u = bits[0] | uint64_t{bits[1]} << 32;
  __extension__ using Wide = unsigned __int128;
  const auto r = static_cast<uint64_t>((static_cast<Wide>(u) * total(order)) >> 64);
  uint64_t sum = 0;
  for (const Candidate& c : order) {
    sum += c.weight;
    if (sum > r) return c.token;
  }
  ADD_FAILURE() << "the draw is beyond the mass";
  return -1;
}

// ---- Random cases ----

struct Case {
  Sampling sampling;
  std::vector<float> logits;
  std::vector<Token> prompt, generated;
  uint64_t seed = 0;
  uint32_t choice = 0;

  SampleSpec spec() const { return {&sampling, seed, choice, prompt, generated}; }
};

template <class T>
T pick(std::mt19937_64& random, std::initializer_list<T> values) {
  return values.begin()[random() % values.size()];
}

std::vector<float> random_logits(std::mt19937_64& random, size_t vocab) {
  const float scale = pick(random, {0.0f, 0.01f, 1.0f, 3.0f, 10.0f, 1000.0f});
  const bool coarse = random() % 3 == 0;  // many ties
  std::normal_distribution<float> normal(0.0f, 1.0f);
  std::vector<float> logits(vocab);
  for (float& l : logits) {
    l = scale * normal(random);
    if (coarse) l = std::round(l);
  }
  return logits;
}

std::vector<Token> random_tokens(std::mt19937_64& random, size_t vocab, size_t most) {
  std::vector<Token> tokens(random() % (most + 1));
  for (Token& t : tokens) t = static_cast<Token>(random() % vocab);
  return tokens;
}

Case random_case(std::mt19937_64& random) {
  Case c;
  const size_t vocab = pick<size_t>(random, {2, 3, 7, 64, 257, 1000, 5003});
  c.logits = random_logits(random, vocab);
  c.prompt = random_tokens(random, vocab, 20);
  c.generated = random_tokens(random, vocab, 20);
  c.seed = random();
  c.choice = static_cast<uint32_t>(random() % 4);
  Sampling& s = c.sampling;
  s.temperature = pick(random, {0.0f, 1e-6f, 2e-5f, 0.1f, 0.6f, 1.0f, 1.7f, 100.0f});
  s.top_p = pick(random, {1.0f, 1.0f, 0.95f, 0.5f, 0.01f, 1e-9f});
  s.top_k = pick(random, {0, 0, 1, 2, 5, 50, 4000, 1'000'000});
  s.min_p = pick(random, {0.0f, 0.0f, 0.05f, 0.5f, 1.0f, 1e-12f});
  s.repetition_penalty = pick(random, {1.0f, 1.0f, 1.3f, 0.7f});
  s.presence_penalty = pick(random, {0.0f, 0.0f, 1.5f, -2.0f});
  s.frequency_penalty = pick(random, {0.0f, 0.0f, 0.3f, -1.0f});
  if (random() % 4 == 0) {
    for (Token t : random_tokens(random, vocab, 5)) {
      s.logit_bias.emplace_back(t, pick(random, {-100.0f, 100.0f, 1.5f}));
    }
  }
  if (vocab > 60 && random() % 4 == 0) {
    s.min_tokens = static_cast<uint32_t>(random() % 20);
    s.eos_tokens = random_tokens(random, vocab, 3);
    s.stop_tokens = random_tokens(random, vocab, 3);
    s.ignore_eos = random() % 2 == 0;
  }
  return c;
}

TEST(Sampler, DrawsTheTokenOfTheDefinition) {
  SamplerScratch scratch;  // shared, so that a case which leaves something behind shows up
  for (uint64_t seed = 1; seed <= 6000; ++seed) {
    std::mt19937_64 random(seed);
    const Case c = random_case(random);
    const Sampled got = sample(c.logits, c.spec(), scratch);
    ASSERT_TRUE(got.valid) << "seed " << seed;
    ASSERT_EQ(got.token, naive_sample(c.logits, c.spec())) << "seed " << seed;
  }
}

TEST(Sampler, DrawsTheTokenOfTheDefinitionFromAFullVocabulary) {
  SamplerScratch scratch;
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    std::mt19937_64 random(seed);
    Case c = random_case(random);
    c.logits = random_logits(random, 151'936);
    ASSERT_EQ(sample(c.logits, c.spec(), scratch).token, naive_sample(c.logits, c.spec()))
        << "seed " << seed;
  }
}

TEST(Sampler, LogprobsAreThoseOfTheUnmodifiedLogits) {
  SamplerScratch scratch;
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    std::mt19937_64 random(seed);
    Case c = random_case(random);
    c.sampling.logprobs = static_cast<int32_t>(random() % (kMaxTopLogprobs + 1));
    const Sampled got = sample(c.logits, c.spec(), scratch);
    double sum = 0;
    const double max = *std::max_element(c.logits.begin(), c.logits.end());
    for (float l : c.logits) sum += std::exp(l - max);
    const double log_sum = max + std::log(sum);
    const auto expected = [&](Token t) { return c.logits[static_cast<size_t>(t)] - log_sum; };
    const auto near = [](double v) { return 1e-6 + 1e-6 * std::fabs(v); };
    ASSERT_NEAR(got.logprob, expected(got.token), near(expected(got.token))) << "seed " << seed;

    std::vector<Token> ids(c.logits.size());
    for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<Token>(i);
    std::stable_sort(ids.begin(), ids.end(), [&](Token a, Token b) {
      return c.logits[static_cast<size_t>(a)] > c.logits[static_cast<size_t>(b)];
    });
    const size_t count = std::min(static_cast<size_t>(c.sampling.logprobs), ids.size());
    ASSERT_EQ(got.top.size(), count) << "seed " << seed;
    for (size_t i = 0; i < count; ++i) {
      ASSERT_EQ(got.top[i].token, ids[i]) << "seed " << seed;
      ASSERT_NEAR(got.top[i].logprob, expected(ids[i]), near(expected(ids[i]))) << "seed " << seed;
    }
  }
}

TEST(Sampler, FrequenciesFollowTheDistribution) {
  SamplerScratch scratch;
  Case c;
  c.logits = {0.5f, -1.0f, 2.0f, 0.0f, 1.0f, -0.5f, 1.5f, -3.0f};
  c.sampling.temperature = 0.8f;
  constexpr int kDraws = 40'000;
  std::vector<double> expected(c.logits.size());
  double sum = 0;
  for (size_t i = 0; i < expected.size(); ++i) sum += expected[i] = std::exp(c.logits[i] / 0.8);
  for (double& e : expected) e *= kDraws / sum;

  // Draws differ by seed, by choice or by position: each must be as good as the others.
  for (int by = 0; by < 3; ++by) {
    std::vector<int> seen(c.logits.size());
    for (int i = 0; i < kDraws; ++i) {
      c.seed = by == 0 ? static_cast<uint64_t>(i) : 42;
      c.choice = by == 1 ? static_cast<uint32_t>(i) : 0;
      c.generated.resize(by == 2 ? static_cast<size_t>(i) : 3);
      ++seen[static_cast<size_t>(sample(c.logits, c.spec(), scratch).token)];
    }
    double chi2 = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
      chi2 += (seen[i] - expected[i]) * (seen[i] - expected[i]) / expected[i];
    }
    EXPECT_LT(chi2, 24.3) << "7 degrees of freedom, p = 0.001; draws keyed by " << by;
    EXPECT_GT(chi2, 0.6) << "too good to be random; draws keyed by " << by;
  }
}

TEST(Sampler, NonFiniteLogitsAreInvalid) {
  SamplerScratch scratch;
  for (size_t vocab : {1u, 3u, 4u, 5u, 8u, 1001u}) {
    for (float bad : {std::nanf(""), std::numeric_limits<float>::infinity(),
                      -std::numeric_limits<float>::infinity()}) {
      for (size_t at : {size_t{0}, vocab / 2, vocab - 1}) {
        Case c;
        c.logits.assign(vocab, 1.0f);
        EXPECT_TRUE(sample(c.logits, c.spec(), scratch).valid);
        c.logits[at] = bad;
        EXPECT_FALSE(sample(c.logits, c.spec(), scratch).valid) << vocab << " " << at;
      }
    }
  }
}

TEST(Sampler, MaskingEverythingIsInvalid) {
  SamplerScratch scratch;
  Case c;
  c.logits = {1.0f, 2.0f};
  c.sampling.min_tokens = 1;
  c.sampling.stop_tokens = {0, 1};
  EXPECT_FALSE(sample(c.logits, c.spec(), scratch).valid);
}

TEST(Sampler, MinTokensMasksUntilThatManyAreGenerated) {
  SamplerScratch scratch;
  Case c;
  c.logits = {1.0f, 5.0f, 3.0f, 2.0f};
  c.sampling.temperature = 0.0f;
  c.sampling.min_tokens = 2;
  c.sampling.eos_tokens = {1};
  c.sampling.stop_tokens = {2};
  c.sampling.logit_bias = {{1, 100.0f}};  // a bias does not undo the mask
  EXPECT_EQ(sample(c.logits, c.spec(), scratch).token, 3);
  c.generated = {0};
  EXPECT_EQ(sample(c.logits, c.spec(), scratch).token, 3);
  c.sampling.ignore_eos = true;  // EOS is then a token like any other
  EXPECT_EQ(sample(c.logits, c.spec(), scratch).token, 1);
  c.sampling.ignore_eos = false;
  c.generated = {0, 0};
  EXPECT_EQ(sample(c.logits, c.spec(), scratch).token, 1);
}

TEST(Sampler, PromptTokensCountForRepetitionOnly) {
  SamplerScratch scratch;
  Case c;
  c.logits = {2.0f, 1.9f};
  c.prompt = {0, 0, 0};
  c.sampling.temperature = 0.0f;
  c.sampling.presence_penalty = c.sampling.frequency_penalty = 1.0f;
  EXPECT_EQ(sample(c.logits, c.spec(), scratch).token, 0);
  c.sampling.repetition_penalty = 1.1f;  // once, however often the token was seen
  EXPECT_EQ(sample(c.logits, c.spec(), scratch).token, 1);
  c.sampling.repetition_penalty = 1.0f;
  c.generated = {0};
  EXPECT_EQ(sample(c.logits, c.spec(), scratch).token, 1);
}

TEST(Sampler, WorkingMemoryLeavesNoTrace) {
  SamplerScratch used;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    std::mt19937_64 random(seed);
    const Case c = random_case(random);
    SamplerScratch fresh;
    EXPECT_EQ(sample(c.logits, c.spec(), used).token, sample(c.logits, c.spec(), fresh).token);
  }
}

// Random123's published vectors (kat_vectors, philox4x32 10 rounds).
TEST(Philox, KnownAnswers) {
  using Four = std::array<uint32_t, 4>;
  EXPECT_EQ(philox4x32_10({0, 0, 0, 0}, {0, 0}),
            (Four{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox4x32_10({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Four{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(
      philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
      (Four{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(ExactMath, ExpAndLogAreClose) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> uniform(-700.0, 0.0);
  for (int i = 0; i < 100'000; ++i) {
    const double x = i % 2 == 0 ? uniform(random) : uniform(random) / 50.0;
    EXPECT_NEAR(exact_exp(x) / std::exp(x), 1.0, 0x1p-48) << x;
    const double y = std::exp(x);
    EXPECT_NEAR(exact_log(y), std::log(y), 1e-12) << y;
    EXPECT_NEAR(exact_log(1.0 / y), std::log(1.0 / y), 1e-12) << y;
  }
  EXPECT_EQ(exact_exp(0.0), 1.0);
  EXPECT_EQ(exact_log(1.0), 0.0);
  EXPECT_EQ(exact_exp(-std::numeric_limits<double>::infinity()), 0.0);
}

// The bits themselves: they are part of the numeric class and must be the same on every machine.
TEST(ExactMath, BitsArePinned) {
  uint64_t h = 0;
  for (int i = 0; i < 4096; ++i) {
    const double x = -i * (700.0 / 4096.0);
    for (double v : {exact_exp(x), exact_log(1.0 + i * 0.37)}) {
      uint64_t bits;
      std::memcpy(&bits, &v, sizeof bits);
      h = hash_combine(h, bits);
    }
  }
  EXPECT_EQ(h, 14233953276898244452u);
}

}  // namespace
}  // namespace baton
