#include "model/sampler.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/check.h"

namespace baton {
namespace {

// GCC's vector extension at the width that every x86-64 has: the compiler maps each operation to
// one instruction, lanes never meet, so bits equal those of plain scalar code.
using Float4 = float __attribute__((vector_size(16)));
using Int4 = int32_t __attribute__((vector_size(16)));
using Double2 = double __attribute__((vector_size(16)));
using Long2 = int64_t __attribute__((vector_size(16)));
using ULong2 = uint64_t __attribute__((vector_size(16)));
using Short8 = int16_t __attribute__((vector_size(16)));

__extension__ using Wide = unsigned __int128;

constexpr float kGreedyBelow = 1e-5f;
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr int kWeightBits = 40;
constexpr double kExponentMin = -29.0;  // 2^40 * e^-29 < 1/2: the weight is zero from here on
constexpr uint32_t kBuckets = 2048;     // of equal width over [kExponentMin, 0]
constexpr uint16_t kNoBucket = 0x7fff;
constexpr size_t kVocabMax = size_t{1} << 22;  // 2^22 weights of at most 2^40 fit 63 bits

template <class V, class T>
V load(const T* p) {
  V v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

template <class V>
bool any(V mask) {
  const Long2 m = reinterpret_cast<Long2>(mask);
  return (m[0] | m[1]) != 0;
}

constexpr double kLn2High = 0.693147180369123816490;  // 33 bits: k * kLn2High is exact
constexpr double kLn2Low = 1.90821492927058770002e-10;
constexpr double kRound = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to an integer
constexpr double kStep = 1.0 / 32.0;           // powers of two are tabled in these steps

constexpr double kPowers[32] = {
    // 2^(j / 32)
    0x1.0000000000000p+0, 0x1.059b0d3158574p+0, 0x1.0b5586cf9890fp+0, 0x1.11301d0125b51p+0,
    0x1.172b83c7d517bp+0, 0x1.1d4873168b9aap+0, 0x1.2387a6e756238p+0, 0x1.29e9df51fdee1p+0,
    0x1.306fe0a31b715p+0, 0x1.371a7373aa9cbp+0, 0x1.3dea64c123422p+0, 0x1.44e086061892dp+0,
    0x1.4bfdad5362a27p+0, 0x1.5342b569d4f82p+0, 0x1.5ab07dd485429p+0, 0x1.6247eb03a5585p+0,
    0x1.6a09e667f3bcdp+0, 0x1.71f75e8ec5f74p+0, 0x1.7a11473eb0187p+0, 0x1.82589994cce13p+0,
    0x1.8ace5422aa0dbp+0, 0x1.93737b0cdc5e5p+0, 0x1.9c49182a3f090p+0, 0x1.a5503b23e255dp+0,
    0x1.ae89f995ad3adp+0, 0x1.b7f76f2fb5e47p+0, 0x1.c199bdd85529cp+0, 0x1.cb720dcef9069p+0,
    0x1.d5818dcfba487p+0, 0x1.dfc97337b9b5fp+0, 0x1.ea4afa2a490dap+0, 0x1.f50765b6e4540p+0,
};

// 2^shift * e^x for x in [-700, 0]: x = (32 n + j) ln2 / 32 + r with |r| <= ln2 / 64, so that
// e^x = 2^n * kPowers[j] * e^r, the last by Taylor to r^5 / 5! (relative error below 2^-48).
Double2 scaled_exp(Double2 x, int64_t shift) {
  constexpr double kLog2E = 1.4426950408889634074;
  const Double2 t = x * (kLog2E / kStep) + kRound;
  const Double2 k = t - kRound;
  const Double2 r = (x - k * (kLn2High * kStep)) - k * (kLn2Low * kStep);
  // 32 (n + 1024) + j, never negative.
  const Long2 steps =
      (reinterpret_cast<Long2>(t) - reinterpret_cast<Long2>(Double2{} + kRound)) + 32 * 1024;
  const Double2 power = {kPowers[steps[0] & 31], kPowers[steps[1] & 31]};
  const Long2 exponent =
      reinterpret_cast<Long2>(reinterpret_cast<ULong2>(steps) >> 5) + (shift - 1);
  Double2 p = r * (1.0 / 120.0) + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  p = p * r + 1.0;
  p = p * r + 1.0;
  return (p * power) * reinterpret_cast<Double2>(exponent << 52);
}

// round(2^40 * e^x) for x <= 0, -infinity included.
Long2 weights_of(Double2 x) {
  x = x < kExponentMin ? Double2{} + kExponentMin : x;
  constexpr double kToInteger = 4503599627370496.0;  // 2^52: the mantissa's last bit is a one
  const Double2 y = scaled_exp(x, kWeightBits) + kToInteger;
  return reinterpret_cast<Long2>(y) - reinterpret_cast<Long2>(Double2{} + kToInteger);
}

uint64_t weight_of(double x) {
  return static_cast<uint64_t>(weights_of(Double2{x, x})[0]);
}

struct Scan {
  float max = -kInfinity;
  bool finite = true;  // no NaN and no infinity
};

Scan scan_logits(std::span<const float> logits) {
  const Int4 exponent_mask = Int4{} + 0x7f800000;
  Float4 max = Float4{} - kInfinity;
  Int4 broken = {};
  size_t i = 0;
  for (; i + 4 <= logits.size(); i += 4) {
    const Float4 v = load<Float4>(logits.data() + i);
    broken |= (reinterpret_cast<Int4>(v) & exponent_mask) == exponent_mask;
    max = v > max ? v : max;
  }
  Scan scan{std::max(std::max(max[0], max[1]), std::max(max[2], max[3])), !any(broken)};
  for (; i < logits.size(); ++i) {
    scan.finite = scan.finite && std::isfinite(logits[i]);
    scan.max = std::max(scan.max, logits[i]);
  }
  return scan;
}

Token first_equal(std::span<const float> logits, float value) {
  size_t i = 0;
  for (; i + 4 <= logits.size(); i += 4) {
    if (any(load<Float4>(logits.data() + i) == value)) break;
  }
  while (i < logits.size() && logits[i] != value) ++i;
  CHECK(i < logits.size());
  return static_cast<Token>(i);
}

bool in_vocabulary(Token token, size_t vocab) {
  return token >= 0 && static_cast<size_t>(token) < vocab;
}

void count_tokens(std::span<const Token> tokens, size_t vocab, SamplerScratch& scratch) {
  for (Token token : tokens) {
    if (!in_vocabulary(token, vocab)) continue;
    uint32_t& count = scratch.counts[static_cast<size_t>(token)];
    if (count++ == 0) scratch.touched.push_back(token);
  }
}

void clear_counts(SamplerScratch& scratch) {
  for (Token token : scratch.touched) scratch.counts[static_cast<size_t>(token)] = 0;
  scratch.touched.clear();
}

void mask_tokens(std::span<const Token> tokens, std::span<float> logits) {
  for (Token token : tokens) {
    if (in_vocabulary(token, logits.size())) logits[static_cast<size_t>(token)] = -kInfinity;
  }
}

// Step 1 of the definition, in place.
void modify_logits(std::span<float> logits, const SampleSpec& spec, SamplerScratch& scratch) {
  const Sampling& s = *spec.sampling;
  scratch.counts.resize(std::max(scratch.counts.size(), logits.size()), 0);
  if (s.repetition_penalty != 1.0f) {
    count_tokens(spec.prompt, logits.size(), scratch);
    count_tokens(spec.generated, logits.size(), scratch);
    for (Token token : scratch.touched) {
      float& l = logits[static_cast<size_t>(token)];
      l = l > 0.0f ? l / s.repetition_penalty : l * s.repetition_penalty;
    }
    clear_counts(scratch);
  }
  if (s.presence_penalty != 0.0f || s.frequency_penalty != 0.0f) {
    count_tokens(spec.generated, logits.size(), scratch);
    for (Token token : scratch.touched) {
      float& l = logits[static_cast<size_t>(token)];
      const float count = static_cast<float>(scratch.counts[static_cast<size_t>(token)]);
      l = (l - s.frequency_penalty * count) - s.presence_penalty;
    }
    clear_counts(scratch);
  }
  for (const auto& [token, bias] : s.logit_bias) {
    if (in_vocabulary(token, logits.size())) logits[static_cast<size_t>(token)] += bias;
  }
  if (spec.generated.size() < s.min_tokens) {
    mask_tokens(s.stop_tokens, logits);
    if (!s.ignore_eos) mask_tokens(s.eos_tokens, logits);
  }
}

bool is_modified(const SampleSpec& spec) {
  const Sampling& s = *spec.sampling;
  return s.repetition_penalty != 1.0f || s.presence_penalty != 0.0f ||
         s.frequency_penalty != 0.0f || !s.logit_bias.empty() ||
         spec.generated.size() < s.min_tokens;
}

// The order of step 3, cut into buckets of equal width in x = (l - l_max) / temperature, so that a
// place in the order is found by sorting one bucket instead of the vocabulary.
class Order {
 public:
  Order(std::span<const float> logits, float max, float temperature, SamplerScratch& scratch)
      : logits_(logits), max_(max), inverse_(1.0 / temperature), scratch_(scratch) {
    fill_buckets();
  }

  uint64_t mass() const { return mass_; }

  /// Weight of the first k tokens.
  uint64_t mass_of_first(uint64_t k) {
    uint64_t before = 0;
    for (uint32_t b = 0; b < kBuckets; ++b) {
      const uint32_t size = scratch_.bucket_size[b];
      if (k < size) {
        gather(b);
        for (uint64_t i = 0; i < k; ++i) before += scratch_.entries[i].weight;
        return before;
      }
      k -= size;
      before += scratch_.bucket_mass[b];
    }
    return mass_;
  }

  /// Weight of all tokens with x >= `x_min`.
  uint64_t mass_of_at_least(double x_min) {
    if (x_min <= kExponentMin) return mass_;
    x_min = std::min(x_min, 0.0);
    const uint32_t last = bucket_of(x_min);
    uint64_t total = 0;
    for (uint32_t b = 0; b < last; ++b) total += scratch_.bucket_mass[b];
    gather(last);
    for (const auto& entry : scratch_.entries) {
      if (exponent(entry.logit) >= x_min) total += entry.weight;
    }
    return total;
  }

  struct Place {
    Token token;
    uint64_t mass;  // of the prefix that ends with `token`
  };

  /// The first token whose cumulative weight exceeds `r`; r < mass().
  Place find(uint64_t r) {
    uint64_t before = 0;
    uint32_t b = 0;
    while (before + scratch_.bucket_mass[b] <= r) {
      before += scratch_.bucket_mass[b++];
      CHECK(b < kBuckets);
    }
    gather(b);
    for (const auto& entry : scratch_.entries) {
      before += entry.weight;
      if (before > r) return {entry.token, before};
    }
    CHECK(!"the weights of a bucket add up to its mass");
    return {};
  }

 private:
  double exponent(float logit) const {
    return (static_cast<double>(logit) - static_cast<double>(max_)) * inverse_;
  }
  // Monotone in x, as IEEE products and truncation are: the order across buckets is the order.
  static uint32_t bucket_of(double x) {
    return static_cast<uint32_t>(x * ((kBuckets - 1) / kExponentMin));
  }

  void fill_buckets() {
    scratch_.bucket_of.resize(std::max(scratch_.bucket_of.size(), logits_.size()));
    scratch_.bucket_mass.assign(kBuckets, 0);
    scratch_.bucket_size.assign(kBuckets, 0);
    const size_t pairs = logits_.size() / 2;
    for (size_t i = 0; i < pairs; ++i) {
      const float* l = logits_.data() + 2 * i;
      const Double2 x = {exponent(l[0]), exponent(l[1])};
      uint16_t* bucket = scratch_.bucket_of.data() + 2 * i;
      bucket[0] = bucket[1] = kNoBucket;
      if (!any(x > kExponentMin)) continue;
      const Long2 w = weights_of(x);
      add(x[0], static_cast<uint64_t>(w[0]), bucket[0]);
      add(x[1], static_cast<uint64_t>(w[1]), bucket[1]);
    }
    if (logits_.size() % 2 != 0) {
      const double x = exponent(logits_.back());
      uint16_t& bucket = scratch_.bucket_of[logits_.size() - 1];
      bucket = kNoBucket;
      add(x, weight_of(x), bucket);
    }
    for (uint64_t m : scratch_.bucket_mass) mass_ += m;
  }

  void add(double x, uint64_t weight, uint16_t& bucket) {
    if (weight == 0) return;
    const uint32_t b = bucket_of(x);
    bucket = static_cast<uint16_t>(b);
    scratch_.bucket_mass[b] += weight;
    scratch_.bucket_size[b] += 1;
  }

  /// Fills scratch.entries with one bucket, in order.
  void gather(uint32_t b) {
    if (gathered_ == b) return;
    gathered_ = b;
    auto& entries = scratch_.entries;
    entries.clear();
    const auto take = [&](size_t i) {
      const float l = logits_[i];
      entries.push_back({l, static_cast<Token>(i), weight_of(exponent(l))});
    };
    const uint16_t* bucket = scratch_.bucket_of.data();
    const auto wanted = static_cast<int16_t>(b);
    size_t i = 0;
    for (; i + 8 <= logits_.size(); i += 8) {
      if (!any(load<Short8>(bucket + i) == wanted)) continue;
      for (size_t j = i; j < i + 8; ++j) {
        if (bucket[j] == b) take(j);
      }
    }
    for (; i < logits_.size(); ++i) {
      if (bucket[i] == b) take(i);
    }
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& c) {
      return a.logit != c.logit ? a.logit > c.logit : a.token < c.token;
    });
  }

  std::span<const float> logits_;
  float max_;
  double inverse_;
  SamplerScratch& scratch_;
  uint64_t mass_ = 0;
  uint32_t gathered_ = kBuckets;
};

uint64_t random_bits(const SampleSpec& spec) {
  const auto out =
      philox4x32_10({static_cast<uint32_t>(spec.generated.size()), spec.choice, 0, 0},
                    {static_cast<uint32_t>(spec.seed), static_cast<uint32_t>(spec.seed >> 32)});
  return out[0] | static_cast<uint64_t>(out[1]) << 32;
}

// Steps 3 and 4 of the definition.
Token draw(std::span<const float> logits, float max, const SampleSpec& spec,
           SamplerScratch& scratch) {
  const Sampling& s = *spec.sampling;
  Order order(logits, max, s.temperature, scratch);
  uint64_t kept = order.mass();
  if (s.top_k > 0) kept = order.mass_of_first(static_cast<uint64_t>(s.top_k));
  if (s.top_p < 1.0f) {
    const double share = std::ceil(static_cast<double>(s.top_p) * static_cast<double>(kept));
    const uint64_t need = std::clamp(static_cast<uint64_t>(share), uint64_t{1}, kept);
    kept = order.find(need - 1).mass;
  }
  if (s.min_p > 0.0f) {
    kept = std::min(kept, order.mass_of_at_least(exact_log(static_cast<double>(s.min_p))));
  }
  const Wide product = static_cast<Wide>(random_bits(spec)) * kept;
  return order.find(static_cast<uint64_t>(product >> 64)).token;
}

// log(sum(e^l)) of finite logits, by the same integer weights (error below 1e-7).
double log_sum_exp(std::span<const float> logits, float max) {
  const double top = max;
  Long2 sum = {};
  size_t i = 0;
  for (; i + 2 <= logits.size(); i += 2) {
    const Double2 x = {logits[i] - top, logits[i + 1] - top};
    if (any(x > kExponentMin)) sum += weights_of(x);
  }
  uint64_t total = static_cast<uint64_t>(sum[0]) + static_cast<uint64_t>(sum[1]);
  if (i < logits.size()) total += weight_of(logits[i] - top);
  return top + exact_log(static_cast<double>(total) * 0x1p-40);
}

// The `count` best (logit descending, id ascending) with their logprobs.
std::vector<TopLogprob> best(std::span<const float> logits, size_t count, double log_sum) {
  std::vector<TopLogprob> top;  // `logprob` holds the logit until the end
  count = std::min(count, logits.size());
  if (count == 0) return top;
  top.reserve(count + 1);
  const auto offer = [&](size_t i) {
    const float l = logits[i];
    if (top.size() == count && l <= top.back().logprob) return;
    const auto after =
        std::find_if(top.begin(), top.end(), [&](const auto& t) { return t.logprob < l; });
    top.insert(after, {static_cast<Token>(i), l});
    if (top.size() > count) top.pop_back();
  };
  size_t i = 0;
  for (; i < count; ++i) offer(i);
  for (; i + 4 <= logits.size(); i += 4) {
    if (!any(load<Float4>(logits.data() + i) > top.back().logprob)) continue;
    for (size_t j = i; j < i + 4; ++j) offer(j);
  }
  for (; i < logits.size(); ++i) offer(i);
  for (auto& t : top) t.logprob = static_cast<float>(static_cast<double>(t.logprob) - log_sum);
  return top;
}

}  // namespace

Sampled sample(std::span<const float> logits, const SampleSpec& spec, SamplerScratch& scratch) {
  CHECK(spec.sampling != nullptr);
  CHECK(!logits.empty() && logits.size() <= kVocabMax);
  const Sampling& s = *spec.sampling;
  CHECK(std::isfinite(s.temperature));
  Sampled out;
  const Scan raw = scan_logits(logits);
  if (!raw.finite) return out;

  std::span<const float> chosen_from = logits;
  float max = raw.max;
  if (is_modified(spec)) {
    scratch.logits.assign(logits.begin(), logits.end());
    modify_logits(scratch.logits, spec, scratch);
    chosen_from = scratch.logits;
    const auto broken = [](float l) { return std::isnan(l) || l == kInfinity; };
    if (std::any_of(chosen_from.begin(), chosen_from.end(), broken)) return out;
    max = scan_logits(chosen_from).max;
    if (!std::isfinite(max)) return out;  // everything is masked
  }
  out.token = s.temperature < kGreedyBelow ? first_equal(chosen_from, max)
                                           : draw(chosen_from, max, spec, scratch);
  out.valid = true;
  if (s.logprobs >= 0) {
    const double log_sum = log_sum_exp(logits, raw.max);
    out.logprob =
        static_cast<float>(static_cast<double>(logits[static_cast<size_t>(out.token)]) - log_sum);
    out.top = best(logits, static_cast<size_t>(std::min(s.logprobs, kMaxTopLogprobs)), log_sum);
  }
  return out;
}

std::array<uint32_t, 4> philox4x32_10(std::array<uint32_t, 4> counter,
                                      std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53} * counter[0];
    const uint64_t b = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(b),
               static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(a)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

double exact_exp(double x) {
  if (!(x >= -700.0)) return 0.0;
  return scaled_exp(Double2{x, x}, 0)[0];
}

double exact_log(double x) {
  CHECK(x >= std::numeric_limits<double>::min() && x <= std::numeric_limits<double>::max());
  uint64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  // x = 2^k * m with m in [sqrt(1/2), sqrt(2)); log(m) = 2 atanh(s), s = (m - 1) / (m + 1).
  constexpr uint64_t kHalfRoot = 0x3fe6a09e667f3bcdULL;
  const int64_t k = (static_cast<int64_t>(bits) - static_cast<int64_t>(kHalfRoot)) >> 52;
  bits -= static_cast<uint64_t>(k) << 52;
  double m;
  std::memcpy(&m, &bits, sizeof m);
  const double s = (m - 1.0) / (m + 1.0);
  const double z = s * s;
  double p = 1.0 / 21.0;
  for (int n = 19; n >= 1; n -= 2) p = p * z + 1.0 / n;
  const double kd = static_cast<double>(k);
  return kd * kLn2High + (2.0 * s * p + kd * kLn2Low);
}

}  // namespace baton
