#include "kernels/cpu/attention.h"

#include <algorithm>

#include "base/check.h"

namespace baton {
namespace {

constexpr uint32_t kSplitTokensMax = 4;  // slices up to here may run their splits in parallel

/// Views into a worker's scratch.
struct Scratch {
  float* q;                          // [rows][dim]
  float* scores;                     // [rows][kKvSplit]
  float* split_o;                    // [rows][dim]
  float* o;                          // [rows][dim]
  float *m, *l, *split_m, *split_l;  // [rows]

  Scratch(float* base, size_t rows, size_t dim)
      : q(base),
        scores(q + rows * dim),
        split_o(scores + rows * kKvSplit),
        o(split_o + rows * dim),
        m(o + rows * dim),
        l(m + rows),
        split_m(l + rows),
        split_l(split_m + rows) {}
};

/// One item for one kv head. Rows are tokens × the query heads of the group.
class ItemRun {
 public:
  ItemRun(const AttentionArgs& args, const AttentionSlice& slice, const AttentionItem& item,
          uint32_t kv_head, CpuBackend& backend, uint32_t worker)
      : args_(args),
        slice_(slice),
        item_(item),
        kv_head_(kv_head),
        kernels_(backend.kernels()),
        dot_(args.layout.dtype == DType::bf16 ? kernels_.dot_bf16 : kernels_.dot_fp32),
        group_(args.heads / args.layout.kv_heads),
        dim_(args.layout.head_dim),
        rows_(item.tokens * group_),
        partials_(backend.partials()),
        scratch_(backend.worker_scratch(worker), rows_, dim_) {}

  void run() {
    gather_queries();
    for (uint32_t split = item_.split; split < item_.split_end; ++split) {
      score(split);
      softmax(split);
      weigh_values(split);
      if (item_.partial >= 0) {
        keep_partial();
      } else {
        merge_split(split == item_.split);
      }
    }
    if (item_.partial < 0) write_out(scratch_.o, scratch_.l);
  }

  /// Merges the partials of items [item, end) that share rows, in split order.
  void merge_partials(const AttentionItem* end) {
    for (const AttentionItem* item = &item_; item != end; ++item) {
      const float* base = partial_base(*item);
      std::copy_n(base, rows_ * dim_, scratch_.split_o);
      std::copy_n(base + rows_ * dim_, rows_, scratch_.split_m);
      std::copy_n(base + rows_ * dim_ + rows_, rows_, scratch_.split_l);
      merge_split(item == &item_);
    }
    write_out(scratch_.o, scratch_.l);
  }

 private:
  uint32_t position(uint32_t row) const { return slice_.start + item_.token + row / group_; }
  uint32_t last_position() const { return slice_.start + item_.token + item_.tokens - 1; }
  size_t column(uint32_t row) const { return (size_t{kv_head_} * group_ + row % group_) * dim_; }
  size_t step_row(uint32_t row) const { return slice_.first_row + item_.token + row / group_; }
  float* partial_base(const AttentionItem& item) const {
    return partials_ + item.partial + size_t{kv_head_} * rows_ * (dim_ + 2);
  }

  void gather_queries() {
    for (uint32_t row = 0; row < rows_; ++row) {
      std::copy_n(args_.q + step_row(row) * args_.q_stride + column(row), dim_,
                  scratch_.q + row * dim_);
    }
  }

  /// Positions of `split` that some row sees, in whole blocks.
  uint32_t width(uint32_t split) const {
    const uint32_t begin = split * kKvSplit;
    const uint32_t seen = std::min(kKvSplit, last_position() + 1 - begin);
    return (seen + kKvPositions - 1) / kKvPositions * kKvPositions;
  }

  const std::byte* block(uint32_t split, uint32_t i) const {
    const size_t id = slice_.blocks[split * (kKvSplit / kKvPositions) + i];
    return args_.kv + id * args_.layout.block_bytes();
  }

  void run_dot(DotArgs dot, uint32_t panels) const {
    const auto* tiles = static_cast<const std::byte*>(dot.tiles);
    const auto* x = static_cast<const float*>(dot.x);
    float* c = dot.c;
    for (uint32_t row = 0; row < rows_; row += dot_.rows_max) {
      dot.rows = std::min(dot_.rows_max, rows_ - row);
      dot.x = x + row * dot.x_stride;
      for (uint32_t panel = 0; panel < panels; panel += dot_.panels_max) {
        dot.panels = std::min(dot_.panels_max, panels - panel);
        dot.tiles = tiles + panel * dot.panel_stride;
        dot.c = c + row * dot.c_stride + size_t{panel} * kTileColumns;
        dot_.run(dot);
      }
    }
  }

  void score(uint32_t split) const {
    const uint32_t blocks = width(split) / kKvPositions;
    for (uint32_t i = 0; i < blocks; ++i) {
      DotArgs dot;
      dot.x = scratch_.q;
      dot.x_stride = dim_;
      dot.tiles = block(split, i) + args_.layout.key_offset(args_.layer, kv_head_);
      dot.panel_stride = args_.layout.plane_bytes() / 2;
      dot.blocks = dim_ / kTileDepth;
      dot.c = scratch_.scores + i * kKvPositions;
      dot.c_stride = kKvSplit;
      run_dot(dot, 2);
    }
  }

  void softmax(uint32_t split) const {
    for (uint32_t row = 0; row < rows_; ++row) {
      float* scores = scratch_.scores + row * size_t{kKvSplit};
      const uint32_t begin = split * kKvSplit;
      if (position(row) < begin) {  // this split lies after the row's token
        std::fill_n(scores, width(split), 0.0f);
        scratch_.split_l[row] = 0.0f;
        continue;
      }
      SoftmaxArgs softmax{.scores = scores,
                          .valid = std::min(kKvSplit, position(row) + 1 - begin),
                          .width = width(split),
                          .scale = args_.scale,
                          .round_bf16 = args_.layout.dtype == DType::bf16};
      kernels_.softmax(softmax);
      scratch_.split_m[row] = softmax.m;
      scratch_.split_l[row] = softmax.l;
    }
  }

  void weigh_values(uint32_t split) const {
    const uint32_t blocks = width(split) / kKvPositions;
    for (uint32_t i = 0; i < blocks; ++i) {
      DotArgs dot;
      dot.x = scratch_.scores + i * kKvPositions;
      dot.x_stride = kKvSplit;
      dot.tiles = block(split, i) + args_.layout.value_offset(args_.layer, kv_head_);
      dot.panel_stride = args_.layout.plane_bytes() / (dim_ / kTileColumns);
      dot.blocks = 1;
      dot.c = scratch_.split_o;
      dot.c_stride = dim_;
      dot.accumulate = i != 0;
      run_dot(dot, dim_ / kTileColumns);
    }
  }

  void merge_split(bool first) const {
    for (uint32_t row = 0; row < rows_; ++row) {
      if (scratch_.split_l[row] == 0.0f) continue;  // the row saw nothing of it; Σ p ≥ 1 otherwise
      kernels_.merge({.o = scratch_.o + row * dim_,
                      .m = scratch_.m + row,
                      .l = scratch_.l + row,
                      .split_o = scratch_.split_o + row * dim_,
                      .split_m = scratch_.split_m[row],
                      .split_l = scratch_.split_l[row],
                      .dim = dim_,
                      .first = first});
    }
  }

  void keep_partial() const {
    float* base = partial_base(item_);
    std::copy_n(scratch_.split_o, rows_ * dim_, base);
    std::copy_n(scratch_.split_m, rows_, base + rows_ * dim_);
    std::copy_n(scratch_.split_l, rows_, base + rows_ * dim_ + rows_);
  }

  void write_out(const float* o, const float* l) const {
    for (uint32_t row = 0; row < rows_; ++row) {
      kernels_.finish({.o = o + row * dim_,
                       .l = l[row],
                       .out = args_.out + step_row(row) * args_.out_stride + column(row),
                       .dim = dim_,
                       .round_bf16 = args_.layout.dtype == DType::bf16});
    }
  }

  const AttentionArgs& args_;
  const AttentionSlice& slice_;
  const AttentionItem& item_;
  const uint32_t kv_head_;
  const CpuKernels& kernels_;
  const Dot dot_;
  const uint32_t group_;
  const uint32_t dim_;
  const uint32_t rows_;
  float* const partials_;
  const Scratch scratch_;
};

}  // namespace

void plan_attention(std::span<const AttentionSlice> slices, uint32_t heads, const KvLayout& layout,
                    CpuBackend& backend, AttentionPlan& plan) {
  plan.items.clear();
  plan.merges.clear();
  plan.partial_floats = 0;
  const uint32_t group = heads / layout.kv_heads;
  CHECK(group <= backend.limits().query_rows && layout.head_dim <= backend.limits().head_dim);
  const uint32_t tokens_max = std::max(1u, kAttentionRows / group);
  const bool few = slices.size() * layout.kv_heads < 4 * size_t{backend.pool().threads()};
  for (uint32_t s = 0; s < slices.size(); ++s) {
    const AttentionSlice& slice = slices[s];
    for (uint32_t token = 0; token < slice.tokens; token += tokens_max) {
      const uint32_t tokens = std::min(tokens_max, slice.tokens - token);
      const uint32_t splits = (slice.start + token + tokens - 1) / kKvSplit + 1;
      const uint64_t floats = uint64_t{tokens} * group * layout.kv_heads * (layout.head_dim + 2);
      if (few && splits > 1 && slice.tokens <= kSplitTokensMax &&
          plan.partial_floats + splits * floats <= backend.limits().partial_floats) {
        plan.merges.push_back(static_cast<uint32_t>(plan.items.size()));
        for (uint32_t split = 0; split < splits; ++split) {
          plan.items.push_back(
              {s, token, tokens, split, split + 1, static_cast<int64_t>(plan.partial_floats)});
          plan.partial_floats += floats;
        }
      } else {
        plan.items.push_back({s, token, tokens, 0, splits, -1});
      }
    }
  }
}

void attention(const AttentionArgs& args, std::span<const AttentionSlice> slices,
               const AttentionPlan& plan, CpuBackend& backend) {
  const uint32_t kv_heads = args.layout.kv_heads;
  const auto items = static_cast<uint32_t>(plan.items.size());
  backend.pool().run(items * kv_heads, [&](uint32_t task, uint32_t worker) {
    // The last tokens of a prompt see most positions: begin with them.
    const AttentionItem& item = plan.items[items - 1 - task / kv_heads];
    ItemRun(args, slices[item.slice], item, task % kv_heads, backend, worker).run();
  });
  const auto merges = static_cast<uint32_t>(plan.merges.size());
  backend.pool().run(merges * kv_heads, [&](uint32_t task, uint32_t worker) {
    const AttentionItem* first = &plan.items[plan.merges[task / kv_heads]];
    const AttentionItem* end = first;
    while (end != plan.items.data() + items && end->slice == first->slice &&
           end->token == first->token && end->partial >= 0) {
      ++end;
    }
    ItemRun(args, slices[first->slice], *first, task % kv_heads, backend, worker)
        .merge_partials(end);
  });
}

}  // namespace baton
