// The table of CPU kernels that one instruction set offers, and their argument structs.
//
// Definitions: kernels/ref/ref_ops.h; every kernel gives those bytes on every instruction set.
// Activations are fp32 arrays whose values were already rounded to bf16 where the dtype says so.
// Drivers that cut work into tasks: gemm.h, attention.h. No kernel allocates.
#pragma once

#include <cstddef>
#include <cstdint>

namespace baton {

enum class CpuIsa : uint8_t;  // isa.h; nothing with inline functions is included here

/// Columns of a tile and elements of K in a tile: see PackedMatrix.
inline constexpr uint32_t kTileColumns = 16;
inline constexpr uint32_t kTileDepth = 32;
/// Rows of K and V are kept in blocks of that many positions (kBlockTokens).
inline constexpr uint32_t kKvPositions = 32;
/// Attention is cut into splits at multiples of that many positions (ref::kSplitPositions).
inline constexpr uint32_t kKvSplit = 256;

/// c[rows][panels·16] (+)= x[rows][blocks·32] · tiles. Bytes: the tiles once and x once per panel
/// group; flops: 2 · rows · panels · 16 · blocks · 32.
struct DotArgs {
  const void* x = nullptr;      // rows of float, or of bf16 where the Dot says so
  size_t x_stride = 0;          // elements
  uint32_t rows = 0;            // 1 … rows_max
  const void* tiles = nullptr;  // panel p begins at tiles + p · panel_stride
  size_t panel_stride = 0;      // bytes
  uint32_t panels = 0;          // 1 … panels_max
  uint32_t blocks = 0;          // tiles per panel to sum, ≥ 1
  float* c = nullptr;           // [rows][c_stride]
  size_t c_stride = 0;          // floats
  bool accumulate = false;      // continue the sum that is in c
};

/// A dot kernel and the largest piece of work that it takes at once.
struct Dot {
  void (*run)(const DotArgs&) = nullptr;
  uint32_t rows_max = 0;
  uint32_t panels_max = 0;
};

/// out[width] = round(x · rstd · weight) for one row. Bytes: 12 · width; flops: 4 · width.
struct RmsNormArgs {
  const float* x = nullptr;       // [padded], zeros from width on
  const float* weight = nullptr;  // [padded]
  float* out = nullptr;           // [padded]; zeros from width on
  uint32_t width = 0;
  uint32_t padded = 0;  // multiple of 16
  float eps = 0.0f;
  bool round_bf16 = false;
};

/// out[16·n] = round(silu(gate) · up). Bytes: 12 each; flops: about 20 each.
struct SwigluArgs {
  const float* gate = nullptr;
  const float* up = nullptr;
  float* out = nullptr;
  uint32_t width = 0;  // multiple of 16
  bool round_bf16 = false;
};

/// Rotates one head in place or to `out`. Bytes: 12 · dim; flops: 3 · dim.
struct RopeArgs {
  const float* x = nullptr;  // [dim]
  const float* cos = nullptr;
  const float* sin = nullptr;  // [dim / 2]
  float* out = nullptr;        // [dim]; may be x
  uint32_t dim = 0;            // multiple of 32
  bool round_bf16 = false;
};

/// One row of scores of one split: scaled, then p = e^(s − m), rounded in place; positions from
/// `valid` on get 0. Bytes: 8 · width; flops: about 20 · width.
struct SoftmaxArgs {
  float* scores = nullptr;  // [width]
  uint32_t valid = 0;       // 1 … width
  uint32_t width = 0;       // multiple of 16, at most kKvSplit
  float scale = 0.0f;
  bool round_bf16 = false;
  float m = 0.0f;  // out: the largest scaled score
  float l = 0.0f;  // out: Σ p before rounding
};

/// Merges a split into the state of one row. `first`: the state is empty and becomes the split's.
struct MergeArgs {
  float* o = nullptr;  // [dim]
  float* m = nullptr;  // [1]
  float* l = nullptr;  // [1]
  const float* split_o = nullptr;
  float split_m = 0.0f;
  float split_l = 0.0f;
  uint32_t dim = 0;  // multiple of 16
  bool first = false;
};

/// out[dim] = round(o / l)
struct FinishArgs {
  const float* o = nullptr;
  float l = 0.0f;
  float* out = nullptr;
  uint32_t dim = 0;  // multiple of 16
  bool round_bf16 = false;
};

struct CpuKernels {
  Dot dot_bf16;       // tiles of bf16, x of float
  Dot dot_fp32;       // tiles of float, x of float
  Dot dot_bf16_rows;  // tiles of bf16, x of bf16; run is null where the set has no such unit
  void (*rms_norm)(const RmsNormArgs&) = nullptr;
  void (*swiglu)(const SwigluArgs&) = nullptr;
  void (*rope)(const RopeArgs&) = nullptr;
  void (*softmax)(SoftmaxArgs&) = nullptr;
  void (*merge)(const MergeArgs&) = nullptr;
  void (*finish)(const FinishArgs&) = nullptr;
  /// out[i] = a[i] + b[i], i < width (multiple of 16); out may be a.
  void (*add)(const float* a, const float* b, float* out, uint32_t width) = nullptr;
  /// Reads `bytes` (multiple of 1,024, aligned to 64) as fast as memory gives them and returns a
  /// value that depends on all of them: the ceiling that products are measured against.
  uint64_t (*read_stream)(const void* data, size_t bytes) = nullptr;
};

/// The kernels of an available instruction set.
const CpuKernels& cpu_kernels(CpuIsa isa);

extern const CpuKernels kKernelsPlain;
extern const CpuKernels kKernelsAvx2;
extern const CpuKernels kKernelsAvx512;
extern const Dot kDotAmx;

}  // namespace baton
