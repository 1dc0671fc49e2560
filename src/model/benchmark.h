// How fast the CPU model decodes and takes in prompts, beside the read bandwidth of the same run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/cpu_model.h"

namespace baton {

struct EngineBenchmarkOptions {
  CpuModelOptions model;  // but kv_tokens: the benchmark sizes the pool for its own rows
  bool random = false;    // random weights: the folder needs config.json only
  std::vector<uint32_t> batches = {1, 4, 16};  // sequences decoded together; 1 … 256 each
  uint32_t context_tokens = 256;               // positions before the first measured token
  uint32_t decode_steps = 8;                   // measured steps of a row, in rounds; ≥ 1
  std::vector<uint32_t> prompts = {128, 512};  // prompt lengths to take in; 1 … step_tokens_max
  uint32_t rounds = 3;  // each measures bandwidth, then decodes; the median round is reported
};

/// One row of the table. Decoding: tokens_per_s over all sequences; prompt = 0. Taking in a prompt:
/// tokens_per_s of prompt tokens; batch 1, context 0.
struct EngineBenchmarkRow {
  std::string device;
  std::string dtype;
  uint32_t batch = 0;
  uint32_t context = 0;
  uint32_t prompt = 0;
  double tokens_per_s = 0;
  double bytes_per_token = 0;   // packed weights, shared by the batch or prompt, and KV of context
  double gb_per_s = 0;          // bytes_per_token · tokens_per_s
  double ceiling_gb_per_s = 0;  // streaming reads of the same weights by the same threads
  double fraction = 0;          // gb_per_s / ceiling_gb_per_s
  double gflop_per_s = 0;       // 2 · weights of the matrices that a token needs · tokens_per_s
};

/// Calls `on_row` as soon as a row is measured. Bandwidth and decoding alternate, so that a
/// neighbour's load hits both.
Result<void> run_engine_benchmark(const std::filesystem::path& dir,
                                  const EngineBenchmarkOptions& options,
                                  const std::function<void(const EngineBenchmarkRow&)>& on_row);

}  // namespace baton
