// The Model of the CPU: the forward pass, the KV pool and the sampler behind launch() and
// collect().
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "model/cpu_model.h"
#include "model/qwen2_forward.h"
#include "model/sampler.h"

namespace baton {

class CpuModel final : public Model {
 public:
  /// Builds the model on loaded weights: `forward` with its scratch, a pool of `block_count`
  /// blocks.
  static Result<std::unique_ptr<CpuModel>> create(std::unique_ptr<Qwen2Forward> forward,
                                                  uint32_t block_count,
                                                  const CpuModelOptions& options);

  const ModelInfo& info() const override { return info_; }
  MemoryPlan memory() const override;
  void launch(std::span<const Slice> slices, std::span<const BlockId> fresh) override;
  Result<std::span<const Sampled>> collect() override;

  /// For benchmarks and tests.
  Qwen2Forward& forward() { return *forward_; }
  std::span<std::byte> kv_for_test() { return {kv_.data(), kv_.size()}; }

 private:
  CpuModel(std::unique_ptr<Qwen2Forward> forward, uint32_t block_count,
           const CpuModelOptions& options);
  void make_step(std::span<const Slice> slices);
  void zero(std::span<const BlockId> fresh);
  void sample_all(std::span<const Slice> slices);
  ClassId compute_class();

  std::unique_ptr<Qwen2Forward> forward_;
  ModelInfo info_;
  MappedMemory kv_;            // [block][layout.block_bytes()]
  std::vector<bool> touched_;  // [block] holds anything but the system's zeros
  ForwardStep step_;
  std::vector<uint32_t> sampling_;  // indices of slices that sample, as step_.sample_rows
  std::vector<Sampled> results_;
  std::vector<SamplerScratch> sampler_scratch_;  // [threads]
};

/// Loads `config` from `source`; the common part of load_cpu_model and random_cpu_model.
struct CpuModelSource {
  ModelConfig config;
  std::function<Result<std::unique_ptr<WeightSource>>(ThreadPool&)> open;
};
Result<std::unique_ptr<CpuModel>> build_cpu_model(const CpuModelSource& source,
                                                  const CpuModelOptions& options);

}  // namespace baton
