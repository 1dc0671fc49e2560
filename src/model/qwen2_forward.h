// The Qwen2 forward pass over a step's rows, on the CPU.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "kernels/cpu/attention.h"
#include "kernels/cpu/backend.h"
#include "kernels/cpu/kv_layout.h"
#include "model/qwen2_weights.h"
#include "token/token.h"

namespace baton {

/// The tokens of a step, one row each, slice after slice.
struct ForwardStep {
  std::vector<Token> tokens;           // [rows]
  std::vector<uint32_t> positions;     // [rows]
  std::vector<AttentionSlice> slices;  // in row order
  std::vector<uint32_t> sample_rows;   // rows whose logits are wanted, ascending
};

class Qwen2Forward {
 public:
  /// Sampling rows that go through the head at once.
  static constexpr uint32_t kLogitRows = 64;

  /// Bounds of the scratch that a model of this shape needs.
  static BackendLimits backend_limits(const ModelConfig& config, uint32_t rows_max);
  static uint64_t scratch_bytes(const ModelConfig& config, uint32_t rows_max);
  static KvLayout kv_layout(const ModelConfig& config, DType dtype);

  static Result<std::unique_ptr<Qwen2Forward>> create(Qwen2Weights weights,
                                                      std::unique_ptr<CpuBackend> backend,
                                                      uint32_t rows_max, DType rope_frequencies);

  /// Runs all layers, writing keys and values of the rows into `kv` ([block][block_bytes]).
  void run(const ForwardStep& step, std::byte* kv);

  /// Logits of the step's sample rows [first, first + count), count ≤ kLogitRows: [count][stride]
  /// with stride logit_stride(). Valid until the next call.
  const float* logits(const ForwardStep& step, uint32_t first, uint32_t count);
  size_t logit_stride() const { return size_t{weights_.head.panels} * kTileColumns; }

  const Qwen2Weights& weights() const { return weights_; }
  const KvLayout& layout() const { return layout_; }
  std::span<const float> rope_frequencies() const { return inv_freq_; }
  CpuBackend& backend() { return *backend_; }
  uint64_t scratch_bytes() const { return memory_.size() + backend_->scratch_bytes(); }

 private:
  Qwen2Forward(Qwen2Weights weights, std::unique_ptr<CpuBackend> backend, DType rope_frequencies);
  void carve(uint32_t rows_max);
  void embed(const ForwardStep& step);
  void rotary_angles(const ForwardStep& step);
  void layer(const ForwardStep& step, uint32_t index, std::byte* kv);
  void norm(const float* weight, uint32_t rows);
  void rotate_and_append(const ForwardStep& step, uint32_t index, std::byte* kv);

  Qwen2Weights weights_;
  const ModelConfig& config_;
  std::unique_ptr<CpuBackend> backend_;
  KvLayout layout_;
  std::vector<float> inv_freq_;  // [head_dim / 2]
  AttentionPlan plan_;
  std::vector<uint32_t> slice_of_row_;
  bool bf16_ = true;
  uint32_t rows_max_ = 0;

  // Widths are padded to multiples of 32 with zeros that no operation changes.
  size_t hidden_ = 0, qkv_width_ = 0, attention_ = 0, intermediate_ = 0;
  MappedMemory memory_;
  float* residual_ = nullptr;  // [rows][hidden]
  float* normed_ = nullptr;    // [rows][hidden], rounded
  float* qkv_ = nullptr;       // [rows][qkv]; q rounded after rotation
  float* attended_ = nullptr;  // [rows][heads · head_dim], rounded
  float* gated_ = nullptr;     // [rows][intermediate], rounded
  float* cos_ = nullptr;       // [rows][head_dim / 2]
  float* sin_ = nullptr;
  float* logits_ = nullptr;  // [kLogitRows][padded vocab]
};

}  // namespace baton
