#include "kernels/cpu/backend.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "kernels/cpu/gemm.h"

namespace baton {
namespace {

uint64_t worker_floats(const BackendLimits& limits) {
  const uint64_t floats = std::max(kGemmScratchFloats, CpuBackend::attention_floats(limits));
  return (floats + 1023) / 1024 * 1024;  // whole pages: no line is shared
}

uint64_t worker_bytes(uint32_t threads, const BackendLimits& limits) {
  return threads * worker_floats(limits) * sizeof(float);
}

uint64_t bf16_row_bytes(CpuIsa isa, const BackendLimits& limits) {
  if (isa != CpuIsa::amx) return 0;  // only its dot wants rows of bf16
  const uint64_t depth = (uint64_t{limits.depth} + kTileDepth - 1) / kTileDepth * kTileDepth;
  return limits.rows * depth * sizeof(uint16_t);
}

uint64_t partial_bytes(const BackendLimits& limits) {
  return limits.partial_floats * sizeof(float);
}

}  // namespace

uint64_t CpuBackend::attention_floats(const BackendLimits& limits) {
  const uint64_t rows = std::max(limits.query_rows, kAttentionRows);
  // queries, split output, output; scores; m and l of the row and of the split
  return rows * (3 * uint64_t{limits.head_dim} + kKvSplit + 4);
}

CpuBackend::CpuBackend(CpuIsa isa, std::unique_ptr<ThreadPool> pool, const BackendLimits& limits)
    : isa_(isa),
      kernels_(cpu_kernels(isa)),
      pool_(std::move(pool)),
      limits_(limits),
      worker_floats_(worker_floats(limits)) {}

Result<std::unique_ptr<CpuBackend>> CpuBackend::create(CpuIsa isa, uint32_t threads,
                                                       const BackendLimits& limits) {
  BATON_ASSIGN(std::unique_ptr<ThreadPool> pool, ThreadPool::create(threads));
  std::unique_ptr<CpuBackend> backend(new CpuBackend(isa, std::move(pool), limits));
  CHECK((backend->kernels_.dot_bf16_rows.run != nullptr) == (isa == CpuIsa::amx));
  BATON_ASSIGN(backend->scratch_, MappedMemory::allocate(worker_bytes(threads, limits)));
  BATON_ASSIGN(backend->bf16_rows_, MappedMemory::allocate(bf16_row_bytes(isa, limits)));
  BATON_ASSIGN(backend->partials_, MappedMemory::allocate(partial_bytes(limits)));
  return backend;
}

uint64_t CpuBackend::scratch_bytes(CpuIsa isa, uint32_t threads, const BackendLimits& limits) {
  return worker_bytes(threads, limits) + bf16_row_bytes(isa, limits) + partial_bytes(limits);
}

}  // namespace baton
