#include "kernels/cpu/packed_matrix.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "kernels/cpu/kernels.h"

namespace baton {
namespace {

template <class T>
T load_as(const std::byte* p) {  // stored tensors are not aligned
  T value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

float stored_value(const std::byte* row, DType dtype, uint64_t i) {
  switch (dtype) {
    case DType::bf16:
      return to_float(bf16{load_as<uint16_t>(row + 2 * i)});
    case DType::fp16:
      return half_to_float(load_as<uint16_t>(row + 2 * i));
    default:
      return load_as<float>(row + 4 * i);
  }
}

/// Offset within a panel of element i of k of an output column.
size_t element_offset(const PackedMatrix& matrix, uint32_t column, uint32_t i) {
  const size_t tile = (i / kTileDepth) * matrix.tile_bytes();
  const size_t depth = i % kTileDepth;
  return matrix.dtype == DType::bf16 ? tile + 2 * (depth / 2 * 32 + column * 2 + depth % 2)
                                     : tile + 4 * (depth * kTileColumns + column);
}

/// One output column of a panel, the general way.
void pack_column(const PackedMatrix& matrix, std::byte* panel, uint32_t column,
                 const std::byte* row, DType dtype) {
  for (uint32_t i = 0; i < matrix.k; ++i) {
    std::byte* out = panel + element_offset(matrix, column, i);
    const float value = stored_value(row, dtype, i);
    if (matrix.dtype == DType::bf16) {
      const bf16 rounded = to_bf16(value);
      std::memcpy(out, &rounded, 2);
    } else {
      std::memcpy(out, &value, 4);
    }
  }
}

/// bf16 → bf16: pairs of k stay together, so a tile is a transpose of 4-byte words.
void pack_column_bf16(std::byte* panel, uint32_t column, const std::byte* row, uint32_t pairs) {
  for (uint32_t pair = 0; pair < pairs; ++pair) {
    std::memcpy(panel + 64 * size_t{pair} + 4 * column, row + 4 * size_t{pair}, 4);
  }
}

}  // namespace

PackedMatrix packed_shape(DType dtype, uint32_t n, uint32_t k) {
  CHECK(dtype == DType::bf16 || dtype == DType::fp32);
  CHECK(n >= 1 && k >= 1);
  PackedMatrix matrix;
  matrix.dtype = dtype;
  matrix.n = n;
  matrix.k = k;
  matrix.panels = (n - 1) / kTileColumns + 1;
  matrix.blocks = (k - 1) / kTileDepth + 1;
  return matrix;
}

void pack_panel(const PackedMatrix& matrix, uint32_t panel, const StoredRows& from,
                uint64_t first_row) {
  CHECK(panel < matrix.panels && from.k == matrix.k);
  CHECK(from.dtype == DType::bf16 || from.dtype == DType::fp16 || from.dtype == DType::fp32);
  std::byte* out = matrix.data + panel * matrix.panel_bytes();
  const uint64_t row_bytes = uint64_t{from.k} * bits_of(from.dtype) / 8;
  const uint64_t end = std::min<uint64_t>(from.rows, first_row + kTileColumns);
  if (end < first_row + kTileColumns || matrix.k % kTileDepth != 0) {
    std::memset(out, 0, matrix.panel_bytes());
  }
  const bool words = matrix.dtype == DType::bf16 && from.dtype == DType::bf16 && from.k % 2 == 0;
  for (uint64_t row = first_row; row < end; ++row) {
    const auto column = static_cast<uint32_t>(row - first_row);
    const std::byte* stored = from.data + row * row_bytes;
    if (words) {
      pack_column_bf16(out, column, stored, from.k / 2);
    } else {
      pack_column(matrix, out, column, stored, from.dtype);
    }
  }
}

void unpack_row(const PackedMatrix& matrix, uint32_t row, float* out) {
  CHECK(row < matrix.n);
  const std::byte* panel = matrix.data + row / kTileColumns * matrix.panel_bytes();
  for (uint32_t i = 0; i < matrix.k; ++i) {
    out[i] = stored_value(panel + element_offset(matrix, row % kTileColumns, i), matrix.dtype, 0);
  }
}

void widen(const std::byte* from, DType dtype, uint64_t count, bool round_bf16, float* out) {
  for (uint64_t i = 0; i < count; ++i) {
    const float value = stored_value(from, dtype, i);
    out[i] = round_bf16 ? to_float(to_bf16(value)) : value;
  }
}

}  // namespace baton
