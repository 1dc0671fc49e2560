// Speed of products and attention on each available instruction set, one thread, on the shapes of
// the 1.5B model. flops: arithmetic; bytes: weights, or keys and values, read once.
#include <benchmark/benchmark.h>

#include <numeric>
#include <string>

#include "kernels/cpu/attention.h"
#include "kernels/cpu/gemm.h"

namespace baton {
namespace {

constexpr uint32_t kHidden = 1536, kHeads = 12, kKvHeads = 2, kHeadDim = 128;

std::unique_ptr<CpuBackend> make_backend(CpuIsa isa) {
  BackendLimits limits;
  limits.rows = 512;
  limits.depth = kHidden;
  limits.query_rows = kHeads / kKvHeads;
  limits.head_dim = kHeadDim;
  auto backend = CpuBackend::create(isa, 1, limits);
  CHECK(backend.ok());
  return std::move(*backend);
}

void set_rates(benchmark::State& state, double flops, double bytes) {
  using benchmark::Counter;
  const auto iterations = static_cast<double>(state.iterations());
  state.counters["flops"] = Counter(flops * iterations, Counter::kIsRate);
  state.counters["bytes"] = Counter(bytes * iterations, Counter::kIsRate);
}

/// rows × 1536 · 1536 × 2048: the matrix stays in a cache, so this is the kernel's own speed.
void run_gemm(benchmark::State& state, CpuIsa isa, DType dtype) {
  const auto rows = static_cast<uint32_t>(state.range(0));
  auto backend = make_backend(isa);
  PackedMatrix w = packed_shape(dtype, 2048, kHidden);
  auto memory = MappedMemory::allocate(w.bytes());
  CHECK(memory.ok());
  w.data = memory->data();
  std::vector<float> x(size_t{rows} * kHidden, 0.5f), out(size_t{rows} * w.n);
  for (auto _ : state) {
    gemm({.x = x.data(),
          .x_stride = kHidden,
          .rows = rows,
          .w = &w,
          .out = out.data(),
          .out_stride = w.n},
         *backend);
    benchmark::DoNotOptimize(out.data());
  }
  set_rates(state, 2.0 * rows * w.n * w.k, static_cast<double>(w.bytes()));
}

/// One sequence: `tokens` new tokens after `start` positions.
void run_attention(benchmark::State& state, CpuIsa isa) {
  const auto start = static_cast<uint32_t>(state.range(0));
  const auto tokens = static_cast<uint32_t>(state.range(1));
  auto backend = make_backend(isa);
  const KvLayout layout{DType::bf16, 1, kKvHeads, kHeadDim};
  std::vector<uint32_t> blocks((start + tokens - 1) / kKvPositions + 1);
  std::iota(blocks.begin(), blocks.end(), 0u);
  auto kv = MappedMemory::allocate(blocks.size() * layout.block_bytes());
  CHECK(kv.ok());
  const size_t width = size_t{kHeads} * kHeadDim;
  std::vector<float> q(tokens * width, 0.25f), out(tokens * width);
  const AttentionSlice slice{0, tokens, start, blocks.data()};
  AttentionPlan plan;
  plan_attention({&slice, 1}, kHeads, layout, *backend, plan);
  for (auto _ : state) {
    attention({.q = q.data(),
               .q_stride = width,
               .out = out.data(),
               .out_stride = width,
               .kv = kv->data(),
               .layout = layout,
               .layer = 0,
               .heads = kHeads,
               .scale = 0.088f},
              {&slice, 1}, plan, *backend);
    benchmark::DoNotOptimize(out.data());
  }
  const double positions = tokens * (start + (tokens + 1) / 2.0);
  set_rates(state, 4.0 * kHeads * kHeadDim * positions, static_cast<double>(kv->size()));
}

[[maybe_unused]] const bool registered = [] {
  for (CpuIsa isa : available_isas()) {
    if (isa == CpuIsa::plain) continue;
    const std::string name(to_string(isa));
    for (DType dtype : {DType::bf16, DType::fp32}) {
      benchmark::RegisterBenchmark(("gemm/" + name + "/" + std::string(to_string(dtype))).c_str(),
                                   run_gemm, isa, dtype)
          ->Arg(1)
          ->Arg(4)
          ->Arg(16)
          ->Arg(128)
          ->Arg(512);
    }
    benchmark::RegisterBenchmark(("attention/" + name).c_str(), run_attention, isa)
        ->Args({1000, 1})
        ->Args({16000, 1})
        ->Args({0, 512})
        ->Args({4096, 256});
  }
  return true;
}();

}  // namespace
}  // namespace baton
