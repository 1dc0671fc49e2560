#include "kernels/cpu/backend.h"

#include <algorithm>

#include "kernels/cpu/gemm.h"

namespace baton {

uint64_t CpuBackend::attention_floats(const BackendLimits& limits) {
  const uint64_t rows = std::max(limits.query_rows, kAttentionRows);
  // queries, split output, output; scores; m and l of the row and of the split
  return rows * (3 * uint64_t{limits.head_dim} + kKvSplit + 4);
}

CpuBackend::CpuBackend(CpuIsa isa, uint32_t threads, const BackendLimits& limits)
    : isa_(isa), kernels_(cpu_kernels(isa)), pool_(threads), limits_(limits) {
  const uint64_t floats = std::max<uint64_t>(kGemmScratchFloats, attention_floats(limits));
  worker_floats_ = (floats + 1023) / 1024 * 1024;  // whole pages: no line is shared
}

Result<std::unique_ptr<CpuBackend>> CpuBackend::create(CpuIsa isa, uint32_t threads,
                                                       const BackendLimits& limits) {
  std::unique_ptr<CpuBackend> backend(new CpuBackend(isa, threads, limits));
  BATON_ASSIGN(backend->scratch_, MappedMemory::allocate(threads * backend->worker_floats_ * 4));
  if (backend->kernels_.dot_bf16_rows.run != nullptr) {
    const uint64_t depth = (uint64_t{limits.depth} + kTileDepth - 1) / kTileDepth * kTileDepth;
    BATON_ASSIGN(backend->bf16_rows_, MappedMemory::allocate(limits.rows * depth * 2));
  }
  BATON_ASSIGN(backend->partials_, MappedMemory::allocate(limits.partial_floats * 4));
  return backend;
}

uint64_t CpuBackend::scratch_bytes() const {
  return scratch_.size() + bf16_rows_.size() + partials_.size();
}

}  // namespace baton
