// The Qwen2 forward pass on the CPU.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "base/result.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/thread_pool.h"
#include "model/model.h"
#include "tensor/tensor.h"
#include "weights/model_config.h"

namespace baton {

/// Most compute threads of a model.
inline constexpr uint32_t kCpuThreadsMax = ThreadPool::kThreadsMax;

struct CpuModelOptions {
  DType dtype = DType::bf16;  // bf16 or fp32
  uint32_t threads = 0;  // 0: one per physical core that this process may use; ≤ kCpuThreadsMax
  std::optional<CpuIsa> isa;  // not set: best_isa(); an error if the processor lacks it
  uint64_t kv_tokens = 0;     // KV pool in tokens; 0: max(context, 8,192), memory permitting
  uint32_t step_tokens_max = 512;
  uint32_t step_slices_max = 256;
  /// The type that RoPE's inverse frequencies are rounded to; fp32 is what from_pretrained gives,
  /// see rope_inverse_frequencies(). Part of the numeric class.
  DType rope_frequencies = DType::fp32;
  /// Called while loading with a fraction in [0, 1]; may be empty.
  std::function<void(double)> progress;
};

/// Loads config and weights of a model folder.
Result<std::unique_ptr<Model>> load_cpu_model(const std::filesystem::path& dir,
                                              const CpuModelOptions& options);

/// The same shape with random weights (benchmarks; `dir` needs config.json only).
Result<std::unique_ptr<Model>> random_cpu_model(const std::filesystem::path& dir, uint64_t seed,
                                                const CpuModelOptions& options);

}  // namespace baton
