// Every operation on every available instruction set against its plain definition, byte for byte,
// over ragged shapes; and wrong kernels that the same comparison must notice.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "kernels/cpu/attention.h"
#include "kernels/cpu/backend.h"
#include "kernels/cpu/gemm.h"
#include "kernels/ref/ref_ops.h"

namespace baton {
namespace {

constexpr uint32_t kSeed = 20261123;

size_t round_up(size_t value, size_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// Values over nine binary orders, rounded to `dtype`; now and then a zero or a denormal.
std::vector<float> random_values(std::mt19937& random, size_t count, DType dtype) {
  std::normal_distribution<float> normal;
  std::vector<float> out(count);
  for (float& x : out) {
    x = std::ldexp(normal(random), static_cast<int>(random() % 9) - 6);
    if (random() % 64 == 0) x = random() % 2 == 0 ? 0.0f : 1e-39f;
    x = ref::round_to(x, dtype);
  }
  return out;
}

/// Indices where the bytes differ.
size_t differences(const float* a, const float* b, size_t count) {
  size_t different = 0;
  for (size_t i = 0; i < count; ++i) different += std::memcmp(a + i, b + i, sizeof(float)) != 0;
  return different;
}

BackendLimits limits() {
  BackendLimits limits;
  limits.rows = 400;
  limits.depth = 4096;
  limits.query_rows = 8;
  limits.head_dim = 128;
  limits.partial_floats = 1 << 16;
  return limits;
}

std::unique_ptr<CpuBackend> make_backend(CpuIsa isa, uint32_t threads) {
  auto backend = CpuBackend::create(isa, threads, limits());
  CHECK(backend.ok());
  return std::move(*backend);
}

struct GemmCase {
  uint32_t rows, n, k;
  DType dtype;
  Epilogue epilogue;
  bool bias;
};

/// One product by the plain definition and its inputs.
class GemmProblem {
 public:
  explicit GemmProblem(const GemmCase& c) : c_(c) {
    std::mt19937 random(kSeed + c.rows * 131 + c.n * 17 + c.k);
    x_stride_ = round_up(c.k, kTileDepth) + 32;
    out_stride_ = round_up(c.n, 2 * kTileColumns);
    const std::vector<float> x = random_values(random, size_t{c.rows} * c.k, c.dtype);
    const std::vector<float> w = random_values(random, size_t{c.n} * c.k, c.dtype);
    x_.assign(c.rows * x_stride_, 0.0f);
    for (size_t row = 0; row < c.rows; ++row) {
      std::copy_n(x.data() + row * c.k, c.k, x_.data() + row * x_stride_);
    }
    bias_ = random_values(random, out_stride_, DType::fp32);
    start_ = random_values(random, c.rows * out_stride_, DType::fp32);
    pack(w);
    const FlushDenormals flush;
    define(x, w);
  }

  /// Elements of the result that differ from the definition.
  size_t run(CpuBackend& backend) const {
    std::vector<float> out = start_;
    gemm({.x = x_.data(),
          .x_stride = x_stride_,
          .rows = c_.rows,
          .w = &packed_,
          .bias = c_.bias ? bias_.data() : nullptr,
          .epilogue = c_.epilogue,
          .out = out.data(),
          .out_stride = out_stride_},
         backend);
    size_t different = 0;
    const size_t width = c_.epilogue == Epilogue::swiglu ? c_.n / 2 : c_.n;
    for (size_t row = 0; row < c_.rows; ++row) {
      different +=
          differences(out.data() + row * out_stride_, expected_.data() + row * width, width);
    }
    return different;
  }

 private:
  void pack(const std::vector<float>& w) {
    packed_ = packed_shape(c_.dtype, c_.n, c_.k);
    auto memory = MappedMemory::allocate(packed_.bytes());
    CHECK(memory.ok());
    memory_ = std::move(*memory);
    packed_.data = memory_.data();
    const StoredRows rows{reinterpret_cast<const std::byte*>(w.data()), DType::fp32, c_.n, c_.k};
    for (uint32_t panel = 0; panel < packed_.panels; ++panel) {
      pack_panel(packed_, panel, rows, uint64_t{panel} * kTileColumns);
    }
  }

  void define(const std::vector<float>& x, const std::vector<float>& w) {
    std::vector<float> sums(size_t{c_.rows} * c_.n);
    ref::gemm(x.data(), c_.rows, c_.k, w.data(), c_.n, c_.bias ? bias_.data() : nullptr,
              sums.data());
    if (c_.epilogue == Epilogue::store) expected_ = sums;
    if (c_.epilogue == Epilogue::add) {
      for (size_t row = 0; row < c_.rows; ++row) {
        for (size_t i = 0; i < c_.n; ++i) {
          expected_.push_back(start_[row * out_stride_ + i] + sums[row * c_.n + i]);
        }
      }
    }
    if (c_.epilogue == Epilogue::swiglu) {  // panels of gate and up alternate
      expected_.resize(sums.size() / 2);
      for (size_t panel = 0; panel < c_.rows * size_t{c_.n} / kTileColumns; panel += 2) {
        const float* gate = sums.data() + panel * kTileColumns;
        ref::swiglu(gate, gate + kTileColumns, kTileColumns, c_.dtype,
                    expected_.data() + panel / 2 * kTileColumns);
      }
    }
  }

  GemmCase c_;
  size_t x_stride_ = 0, out_stride_ = 0;
  std::vector<float> x_, bias_, start_, expected_;
  MappedMemory memory_;
  PackedMatrix packed_;
};

std::vector<GemmCase> gemm_cases() {
  std::vector<GemmCase> cases;
  for (DType dtype : {DType::bf16, DType::fp32}) {
    for (uint32_t rows : {1u, 2u, 3u, 5u, 6u, 7u, 16u, 17u, 32u, 33u, 50u}) {
      cases.push_back({rows, 48, 96, dtype, Epilogue::store, true});
      cases.push_back({rows, 33, 41, dtype, Epilogue::store, false});
    }
    cases.push_back({1, 1, 1, dtype, Epilogue::store, false});
    cases.push_back({1, 72, 1536, dtype, Epilogue::add, false});
    cases.push_back({4, 160, 704, dtype, Epilogue::add, false});
    cases.push_back({13, 128, 544, dtype, Epilogue::swiglu, false});
    cases.push_back({1, 320, 256, dtype, Epilogue::swiglu, false});
    cases.push_back({197, 80, 544, dtype, Epilogue::add, false});
    cases.push_back({385, 64, 64, dtype, Epilogue::swiglu, false});
    cases.push_back({40, 33, 1700, dtype, Epilogue::add, false});  // sums go on from memory
  }
  return cases;
}

TEST(Ops, gemm_gives_the_defined_bytes_on_every_isa) {
  for (const GemmCase& c : gemm_cases()) {
    const GemmProblem problem(c);
    for (CpuIsa isa : available_isas()) {
      for (uint32_t threads : {1u, 3u}) {
        if (isa == CpuIsa::plain && threads > 1) continue;  // slow, and the same code
        EXPECT_EQ(problem.run(*make_backend(isa, threads)), 0u)
            << to_string(isa) << ", " << threads << " threads, " << c.rows << " x " << c.n << " x "
            << c.k << " " << to_string(c.dtype) << ", epilogue " << int(c.epilogue);
      }
    }
  }
}

template <class Order>
void wrong_dot(const DotArgs& args, Order sum) {
  for (uint32_t r = 0; r < args.rows; ++r) {
    for (uint32_t p = 0; p < args.panels; ++p) {
      for (uint32_t j = 0; j < kTileColumns; ++j) {
        const auto* tiles = reinterpret_cast<const bf16*>(
            static_cast<const std::byte*>(args.tiles) + p * args.panel_stride);
        auto weight = [&](uint32_t k) {
          return to_float(tiles[k / 32 * 512 + k % 32 / 2 * 32 + j * 2 + k % 2]);
        };
        const float* x = static_cast<const float*>(args.x) + r * args.x_stride;
        float& c = args.c[r * args.c_stride + p * kTileColumns + j];
        c = sum(args.accumulate ? c : 0.0f, x, weight, args.blocks);
      }
    }
  }
}

/// One chain over all 32 elements instead of an even and an odd one.
void dot_of_one_chain(const DotArgs& args) {
  wrong_dot(args, [](float c, const float* x, auto weight, uint32_t blocks) {
    for (uint32_t block = 0; block < blocks; ++block) {
      float chain = 0.0f;
      for (uint32_t k = block * 32; k < block * 32 + 32; ++k) {
        chain = std::fma(x[k], weight(k), chain);
      }
      c = c + chain;
    }
    return c;
  });
}

/// Blocks from the last to the first.
void dot_of_reversed_blocks(const DotArgs& args) {
  wrong_dot(args, [](float c, const float* x, auto weight, uint32_t blocks) {
    for (uint32_t block = blocks; block-- > 0;) {
      float even = 0.0f, odd = 0.0f;
      for (uint32_t k = block * 32; k < block * 32 + 32; k += 2) {
        even = std::fma(x[k], weight(k), even);
        odd = std::fma(x[k + 1], weight(k + 1), odd);
      }
      c = c + (even + odd);
    }
    return c;
  });
}

TEST(Ops, a_dot_in_another_order_is_noticed) {
  const GemmProblem problem({3, 48, 1536, DType::bf16, Epilogue::store, true});
  auto backend = make_backend(CpuIsa::plain, 1);
  ASSERT_EQ(problem.run(*backend), 0u);
  backend->kernels_for_test().dot_bf16.run = dot_of_one_chain;
  EXPECT_GT(problem.run(*backend), 0u);
  backend->kernels_for_test().dot_bf16.run = dot_of_reversed_blocks;
  EXPECT_GT(problem.run(*backend), 0u);
}

TEST(Ops, rms_norm_gives_the_defined_bytes_on_every_isa) {
  std::mt19937 random(kSeed);
  const FlushDenormals flush;
  for (uint32_t width : {1u, 15u, 16u, 31u, 256u, 896u, 1537u}) {
    for (DType dtype : {DType::bf16, DType::fp32}) {
      const auto padded = static_cast<uint32_t>(round_up(width, 32));
      std::vector<float> x = random_values(random, padded, DType::fp32);
      std::vector<float> weight = random_values(random, padded, DType::bf16);
      std::fill(x.begin() + width, x.end(), 0.0f);
      std::fill(weight.begin() + width, weight.end(), 0.0f);
      std::vector<float> expected(padded, 0.0f), out(padded, 1.0f);
      ref::rms_norm(x.data(), weight.data(), width, 1e-6f, dtype, expected.data());
      for (CpuIsa isa : available_isas()) {
        cpu_kernels(isa).rms_norm({.x = x.data(),
                                   .weight = weight.data(),
                                   .out = out.data(),
                                   .width = width,
                                   .padded = padded,
                                   .eps = 1e-6f,
                                   .round_bf16 = dtype == DType::bf16});
        EXPECT_EQ(differences(out.data(), expected.data(), padded), 0u)
            << to_string(isa) << " " << width;
      }
    }
  }
}

TEST(Ops, rope_gives_the_defined_bytes_on_every_isa) {
  std::mt19937 random(kSeed);
  const FlushDenormals flush;
  for (uint32_t dim : {64u, 128u}) {
    for (DType dtype : {DType::bf16, DType::fp32}) {
      const std::vector<float> x = random_values(random, dim, DType::fp32);
      const std::vector<float> cos = random_values(random, dim / 2, DType::fp32);
      const std::vector<float> sin = random_values(random, dim / 2, DType::fp32);
      std::vector<float> expected(dim);
      ref::rope(x.data(), cos.data(), sin.data(), dim, dtype, expected.data());
      for (CpuIsa isa : available_isas()) {
        std::vector<float> in_place = x;
        cpu_kernels(isa).rope({.x = in_place.data(),
                               .cos = cos.data(),
                               .sin = sin.data(),
                               .out = in_place.data(),
                               .dim = dim,
                               .round_bf16 = dtype == DType::bf16});
        EXPECT_EQ(differences(in_place.data(), expected.data(), dim), 0u) << to_string(isa);
      }
    }
  }
}

/// exp and silu over their whole range, through softmax and swiglu.
TEST(Ops, swiglu_gives_the_defined_bytes_on_every_isa) {
  const FlushDenormals flush;
  std::vector<float> gate, up;
  for (float x = -130.0f; x < 130.0f; x += 0.0137f) {
    gate.push_back(x);
    up.push_back(0.5f + x * 0.01f);
  }
  for (float x : {0.0f, -0.0f, 1e-40f, 3e38f, -3e38f, INFINITY, -88.0f, 87.0f, 88.0f}) {
    gate.push_back(x);
    up.push_back(1.0f);
  }
  gate.resize(round_up(gate.size(), 16));
  up.resize(gate.size());
  std::vector<float> expected(gate.size()), out(gate.size());
  for (DType dtype : {DType::bf16, DType::fp32}) {
    ref::swiglu(gate.data(), up.data(), gate.size(), dtype, expected.data());
    for (CpuIsa isa : available_isas()) {
      cpu_kernels(isa).swiglu({.gate = gate.data(),
                               .up = up.data(),
                               .out = out.data(),
                               .width = static_cast<uint32_t>(gate.size()),
                               .round_bf16 = dtype == DType::bf16});
      EXPECT_EQ(differences(out.data(), expected.data(), gate.size()), 0u) << to_string(isa);
    }
  }
}

TEST(Ops, exp_and_silu_are_close_to_the_true_functions) {
  double worst = 0.0;
  for (double x = -86.0; x < 87.0; x += 0.00137) {
    const float input = static_cast<float>(x);
    const double truth = std::exp(static_cast<double>(input));
    worst = std::max(worst, std::fabs(ref::exp(input) - truth) / truth);
  }
  EXPECT_LT(worst, 2.0 * 0x1p-23);
  EXPECT_EQ(ref::exp(0.0f), 1.0f);
  EXPECT_EQ(ref::exp(-INFINITY), 0.0f);
  EXPECT_TRUE(std::isnan(ref::exp(NAN)));
  EXPECT_NEAR(ref::silu(1.0f), 0.7310585786, 1e-7);
  EXPECT_NEAR(ref::silu(-3.0f), -0.1422776195, 1e-7);
}

struct AttentionCase {
  uint32_t start, tokens, heads, kv_heads, dim;
  DType dtype;
};

/// One sequence, its keys and values in shuffled blocks of a pool full of other data, and the plain
/// definition's answer.
class AttentionProblem {
 public:
  explicit AttentionProblem(const AttentionCase& c)
      : c_(c), layout_{c.dtype, 2, c.kv_heads, c.dim}, positions_(c.start + c.tokens) {
    std::mt19937 random(kSeed + c.start * 31 + c.tokens);
    const size_t kv_width = size_t{c.kv_heads} * c.dim;
    q_ = random_values(random, size_t{c.tokens} * c.heads * c.dim, c.dtype);
    k_ = random_values(random, positions_ * kv_width, c.dtype);
    v_ = random_values(random, positions_ * kv_width, c.dtype);
    const size_t count = (positions_ - 1) / kKvPositions + 1;
    for (uint32_t i = 0; i < count; ++i) blocks_.push_back(i);
    std::shuffle(blocks_.begin(), blocks_.end(), random);
    pool_.resize(count * layout_.block_bytes());
    for (size_t p = 0; p < positions_; ++p) {
      std::byte* block = pool_.data() + blocks_[p / kKvPositions] * layout_.block_bytes();
      for (uint32_t head = 0; head < c.kv_heads; ++head) {
        const auto slot = static_cast<uint32_t>(p % kKvPositions);
        write_key(layout_, block + layout_.key_offset(kLayer, head), slot,
                  &k_[p * kv_width + head * c.dim]);
        write_value(layout_, block + layout_.value_offset(kLayer, head), slot,
                    &v_[p * kv_width + head * c.dim]);
      }
    }
    const FlushDenormals flush;
    define();
  }

  /// Runs `extra` copies of the sequence in the same step: the batch decides how work is cut.
  size_t run(CpuBackend& backend, uint32_t copies) const {
    const size_t width = size_t{c_.heads} * c_.dim;
    std::vector<float> q, out(copies * q_.size(), NAN);
    std::vector<AttentionSlice> slices;
    for (uint32_t i = 0; i < copies; ++i) {
      q.insert(q.end(), q_.begin(), q_.end());
      slices.push_back({i * c_.tokens, c_.tokens, c_.start, blocks_.data()});
    }
    AttentionPlan plan;
    plan_attention(slices, c_.heads, layout_, backend, plan);
    attention({.q = q.data(),
               .q_stride = width,
               .out = out.data(),
               .out_stride = width,
               .kv = pool_.data(),
               .layout = layout_,
               .layer = kLayer,
               .heads = c_.heads,
               .scale = scale()},
              slices, plan, backend);
    size_t different = 0;
    for (uint32_t i = 0; i < copies; ++i) {
      different += differences(out.data() + i * q_.size(), expected_.data(), q_.size());
    }
    return different;
  }

 private:
  static constexpr uint32_t kLayer = 1;
  float scale() const { return 1.0f / std::sqrt(static_cast<float>(c_.dim)); }

  void define() {
    expected_.resize(q_.size());
    const size_t group = c_.heads / c_.kv_heads;
    std::vector<float> k(positions_ * c_.dim), v(positions_ * c_.dim);
    for (size_t head = 0; head < c_.heads; ++head) {
      for (size_t p = 0; p < positions_; ++p) {
        const size_t from = (p * c_.kv_heads + head / group) * c_.dim;
        std::copy_n(&k_[from], c_.dim, &k[p * c_.dim]);
        std::copy_n(&v_[from], c_.dim, &v[p * c_.dim]);
      }
      for (size_t t = 0; t < c_.tokens; ++t) {
        const size_t row = (t * c_.heads + head) * c_.dim;
        ref::attention(&q_[row], k.data(), v.data(), c_.start + t + 1, c_.dim, scale(), c_.dtype,
                       &expected_[row]);
      }
    }
  }

  AttentionCase c_;
  KvLayout layout_;
  size_t positions_;
  std::vector<float> q_, k_, v_, expected_;
  std::vector<uint32_t> blocks_;
  std::vector<std::byte> pool_;
};

TEST(Ops, attention_gives_the_defined_bytes_on_every_isa) {
  for (DType dtype : {DType::bf16, DType::fp32}) {
    for (const AttentionCase& c : std::vector<AttentionCase>{{0, 1, 2, 2, 128, dtype},
                                                             {0, 33, 4, 2, 64, dtype},
                                                             {31, 1, 12, 2, 128, dtype},
                                                             {200, 70, 4, 1, 64, dtype},
                                                             {255, 1, 6, 1, 128, dtype},
                                                             {256, 1, 6, 1, 128, dtype},
                                                             {254, 4, 6, 2, 64, dtype},
                                                             {1000, 3, 4, 2, 64, dtype},
                                                             {500, 40, 16, 2, 64, dtype}}) {
      const AttentionProblem problem(c);
      for (CpuIsa isa : available_isas()) {
        // Many copies run all splits of a row in one task, one copy runs them in parallel.
        for (auto [threads, copies] : {std::pair{1u, 5u}, {3u, 1u}}) {
          if (isa == CpuIsa::plain && copies > 1) continue;  // slow, and the same code
          EXPECT_EQ(problem.run(*make_backend(isa, threads), copies), 0u)
              << to_string(isa) << ", " << threads << " threads, " << copies << " copies, start "
              << c.start << ", " << c.tokens << " tokens, " << to_string(c.dtype);
        }
      }
    }
  }
}

void softmax_of_a_larger_scale(SoftmaxArgs& args) {
  args.scale = std::nextafter(args.scale, 1.0f);
  kKernelsPlain.softmax(args);
}

TEST(Ops, a_softmax_that_is_off_by_one_ulp_is_noticed) {
  const AttentionProblem problem({300, 3, 4, 2, 64, DType::fp32});
  auto backend = make_backend(CpuIsa::plain, 1);
  ASSERT_EQ(problem.run(*backend, 1), 0u);
  backend->kernels_for_test().softmax = softmax_of_a_larger_scale;
  EXPECT_GT(problem.run(*backend, 1), 0u);
}

TEST(Ops, every_available_isa_was_compared) {
  for (CpuIsa isa : {CpuIsa::avx2, CpuIsa::avx512, CpuIsa::amx}) {
    if (!isa_available(isa)) {
      GTEST_SKIP() << "this processor has no " << to_string(isa) << ": it was not compared";
    }
  }
}

}  // namespace
}  // namespace baton
