// Products of activations and packed weights, cut into tasks for the threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/backend.h"
#include "kernels/cpu/packed_matrix.h"

namespace baton {

/// What happens to a sum before it is written.
enum class Epilogue : uint8_t {
  store,   // out = sum (+ bias)
  add,     // out = out + sum
  swiglu,  // panels 2i, 2i + 1 are gate and up: out panel i = round(silu(gate) · up)
};

/// out[rows][n] from x[rows][k] · w[n][k]ᵀ. Bytes: the weights once (rows ≤ 192), x and out; flops:
/// 2 · rows · n · k. Every sum has the order of ref::dot whatever rows and threads are.
struct GemmArgs {
  const float* x = nullptr;  // [rows][x_stride]; zeros from k to the next multiple of 32
  size_t x_stride = 0;
  uint32_t rows = 0;
  const PackedMatrix* w = nullptr;
  const float* bias = nullptr;  // [panels · 16], for Epilogue::store; may be null
  Epilogue epilogue = Epilogue::store;
  float* out = nullptr;  // [rows][out_stride]; whole panels are written
  size_t out_stride = 0;
};

/// Rows and panels of the largest task: its sums stay in a worker's scratch.
inline constexpr uint32_t kGemmRows = 192;
inline constexpr uint32_t kGemmPanels = 8;
inline constexpr uint64_t kGemmScratchFloats = uint64_t{kGemmRows} * kGemmPanels * kTileColumns;

void gemm(const GemmArgs& args, CpuBackend& backend);

}  // namespace baton
