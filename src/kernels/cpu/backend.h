// What every CPU operation needs: the kernels of one instruction set, the threads, their scratch.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/kernels.h"
#include "kernels/cpu/mapped_memory.h"
#include "kernels/cpu/thread_pool.h"

namespace baton {

/// Shapes that bound the scratch memory.
struct BackendLimits {
  uint32_t rows = 0;        // most rows of a product
  uint32_t depth = 0;       // largest k of a product
  uint32_t query_rows = 0;  // query heads of one key/value head
  uint32_t head_dim = 0;
  uint64_t partial_floats = 0;  // for attention splits that run in parallel
};

/// Query rows that attention takes through a block of keys at once, if a group is not larger.
inline constexpr uint32_t kAttentionRows = 48;

class CpuBackend {
 public:
  /// resource_exhausted if the system refuses the threads or the memory.
  static Result<std::unique_ptr<CpuBackend>> create(CpuIsa isa, uint32_t threads,
                                                    const BackendLimits& limits);

  const CpuKernels& kernels() const { return kernels_; }
  /// Tests replace a kernel by a wrong one to show that the comparison notices.
  CpuKernels& kernels_for_test() { return kernels_; }
  ThreadPool& pool() { return *pool_; }
  CpuIsa isa() const { return isa_; }
  const BackendLimits& limits() const { return limits_; }

  /// Scratch of one worker: [worker_floats].
  float* worker_scratch(uint32_t worker) const {
    return scratch_.as<float>() + worker * worker_floats_;
  }
  /// Rows of bf16 for units that want them: [limits.rows][depth rounded up to 32].
  uint16_t* bf16_rows() const { return bf16_rows_.as<uint16_t>(); }
  float* partials() const { return partials_.as<float>(); }

  /// What a backend of this kind allocates, so that it can be planned before it is made.
  static uint64_t scratch_bytes(CpuIsa isa, uint32_t threads, const BackendLimits& limits);
  uint64_t scratch_bytes() const { return scratch_bytes(isa_, pool_->threads(), limits_); }

  /// Scratch floats of one worker for attention.
  static uint64_t attention_floats(const BackendLimits& limits);

 private:
  CpuBackend(CpuIsa isa, std::unique_ptr<ThreadPool> pool, const BackendLimits& limits);

  CpuIsa isa_;
  CpuKernels kernels_;
  std::unique_ptr<ThreadPool> pool_;
  BackendLimits limits_;
  uint64_t worker_floats_ = 0;
  MappedMemory scratch_, bf16_rows_, partials_;
};

}  // namespace baton
