// Weights in the order in which the kernels read them.
//
// A matrix w[n][k] (n outputs) is kept as panels of 16 outputs; a panel as tiles of 32 elements of
// k, in order; so one thread streams a panel as contiguous memory. A tile of bf16 holds 16 pairs of
// k × 16 outputs × 2 (1,024 bytes): the B tile of AMX, and the two FMA chains of AVX-512 and AVX2.
// A tile of fp32 holds 32 k × 16 outputs. Both n and k are padded with zeros.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/tensor.h"

namespace baton {

struct PackedMatrix {
  DType dtype = DType::bf16;      // bf16 or fp32
  uint32_t n = 0;                 // outputs
  uint32_t k = 0;                 // inputs
  uint32_t panels = 0;            // ⌈n / 16⌉
  uint32_t blocks = 0;            // ⌈k / 32⌉: tiles of a panel
  std::byte* data = nullptr;      // [panels][blocks][tile], aligned to 64 bytes
  const float* scales = nullptr;  // per output, for integer dtypes; null otherwise

  size_t tile_bytes() const { return bits_of(dtype) * size_t{64}; }  // 512 elements
  size_t panel_bytes() const { return blocks * tile_bytes(); }
  size_t bytes() const { return panels * panel_bytes(); }
};

/// The shape of a packed matrix without its data. n, k ≥ 1.
PackedMatrix packed_shape(DType dtype, uint32_t n, uint32_t k);

/// Row-major stored rows [rows][k] of bf16, fp16 or fp32.
struct StoredRows {
  const std::byte* data = nullptr;
  DType dtype = DType::bf16;
  uint64_t rows = 0;
  uint32_t k = 0;
};

/// Fills panel `panel` of `matrix` with stored rows [first_row, first_row + 16), zeros beyond the
/// last. fp32 and fp16 are rounded to bf16 for a bf16 matrix.
void pack_panel(const PackedMatrix& matrix, uint32_t panel, const StoredRows& from,
                uint64_t first_row);

/// Row `row` of w as floats: the k values that pack_panel put there, exactly.
void unpack_row(const PackedMatrix& matrix, uint32_t row, float* out);

/// One stored element run → floats, rounded to bf16 if asked.
void widen(const std::byte* from, DType dtype, uint64_t count, bool round_bf16, float* out);

}  // namespace baton
