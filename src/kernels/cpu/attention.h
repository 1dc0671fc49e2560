// Causal attention of grouped heads over paged keys and values.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/cpu/backend.h"
#include "kernels/cpu/kv_layout.h"

namespace baton {

/// The tokens of one sequence in a step, as attention sees them.
struct AttentionSlice {
  uint32_t first_row = 0;            // row of its first token in the step's buffers
  uint32_t tokens = 0;               // ≥ 1
  uint32_t start = 0;                // position of its first token
  const uint32_t* blocks = nullptr;  // blocks[p / 32] holds position p
};

/// One piece of attention: rows of query tokens against a run of splits, for each kv head.
struct AttentionItem {
  uint32_t slice = 0;
  uint32_t token = 0, tokens = 0;  // within the slice
  uint32_t split = 0, split_end = 0;
  int64_t partial = -1;  // floats into partials(), or −1: all splits in this item
};

/// How a step's attention is cut into items: the same for all layers. Which cut is chosen depends
/// on the batch and never changes a bit: splits are merged in order either way.
struct AttentionPlan {
  std::vector<AttentionItem> items;
  std::vector<uint32_t> merges;  // first item of each run that shares rows and needs a merge
  uint64_t partial_floats = 0;
};

/// `heads` is a multiple of kv_heads.
void plan_attention(std::span<const AttentionSlice> slices, uint32_t heads, const KvLayout& layout,
                    CpuBackend& backend, AttentionPlan& plan);

/// out[row][head · dim] from q[row][head · dim]. Bytes: keys and values of the positions, once per
/// group of up to 48 query rows; flops: 4 · rows · heads · positions · dim.
struct AttentionArgs {
  const float* q = nullptr;  // rounded to the dtype
  size_t q_stride = 0;
  float* out = nullptr;
  size_t out_stride = 0;
  const std::byte* kv = nullptr;  // [block][layout.block_bytes()]
  KvLayout layout;
  uint32_t layer = 0;
  uint32_t heads = 0;
  float scale = 0.0f;
};

void attention(const AttentionArgs& args, std::span<const AttentionSlice> slices,
               const AttentionPlan& plan, CpuBackend& backend);

}  // namespace baton
