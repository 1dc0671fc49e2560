#include "kernels/cpu/kv_layout.h"

namespace baton {
namespace {

/// Index of (depth, column) in a tile: bf16 tiles keep pairs of depth together.
size_t in_tile(DType dtype, uint32_t depth, uint32_t column) {
  return dtype == DType::bf16 ? depth / 2 * 32 + column * 2 + depth % 2
                              : depth * kTileColumns + column;
}

void put(DType dtype, std::byte* plane, size_t index, float value) {
  if (dtype == DType::bf16) {
    reinterpret_cast<uint16_t*>(plane)[index] = to_bf16(value).bits;
  } else {
    reinterpret_cast<float*>(plane)[index] = value;
  }
}

constexpr size_t kTileElements = size_t{kTileColumns} * kTileDepth;

}  // namespace

void write_key(const KvLayout& layout, std::byte* plane, uint32_t slot, const float* key) {
  const size_t tiles = layout.head_dim / kTileDepth;
  const size_t panel = slot / kTileColumns * tiles * kTileElements;
  for (uint32_t dim = 0; dim < layout.head_dim; ++dim) {
    const size_t tile = panel + dim / kTileDepth * kTileElements;
    put(layout.dtype, plane, tile + in_tile(layout.dtype, dim % kTileDepth, slot % kTileColumns),
        key[dim]);
  }
}

void write_value(const KvLayout& layout, std::byte* plane, uint32_t slot, const float* value) {
  for (uint32_t dim = 0; dim < layout.head_dim; ++dim) {
    const size_t tile = dim / kTileColumns * kTileElements;
    put(layout.dtype, plane, tile + in_tile(layout.dtype, slot, dim % kTileColumns), value[dim]);
  }
}

}  // namespace baton
