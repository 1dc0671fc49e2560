// Where keys and values of a position lie in a block of the KV pool.
//
// A block holds 32 positions of all layers: [layer][kv head][K plane, V plane]. The K plane is two
// panels of 16 positions, each head_dim / 32 tiles (depth: dims); the V plane is head_dim / 16
// panels of one tile (depth: the 32 positions). So q · Kᵀ and p · V use the tiles of weights.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/kernels.h"
#include "tensor/tensor.h"

namespace baton {

struct KvLayout {
  DType dtype = DType::bf16;  // bf16 or fp32
  uint32_t layers = 0;
  uint32_t kv_heads = 0;
  uint32_t head_dim = 0;  // multiple of 32

  size_t plane_bytes() const { return size_t{kKvPositions} * head_dim * bits_of(dtype) / 8; }
  size_t block_bytes() const { return size_t{layers} * kv_heads * 2 * plane_bytes(); }
  size_t key_offset(uint32_t layer, uint32_t head) const {
    return (size_t{layer} * kv_heads + head) * 2 * plane_bytes();
  }
  size_t value_offset(uint32_t layer, uint32_t head) const {
    return key_offset(layer, head) + plane_bytes();
  }
};

/// Writes one position of one head into its plane: values [head_dim], rounded to the dtype.
/// `slot` < 32 is the position within the block.
void write_key(const KvLayout& layout, std::byte* plane, uint32_t slot, const float* key);
void write_value(const KvLayout& layout, std::byte* plane, uint32_t slot, const float* value);

}  // namespace baton
