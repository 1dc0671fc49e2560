#include "kernels/cpu/gemm.h"

#include <algorithm>

#include "base/check.h"

namespace baton {
namespace {

constexpr uint32_t kFewRows = 16;      // up to here weights are what costs: small tasks, one pass
constexpr uint32_t kAmxRowsMin = 5;    // fewer rows leave the tiles mostly empty
constexpr uint32_t kChunkBlocks = 16;  // tiles of a panel that stay in L1 while rows go by
constexpr uint32_t kAmxChunkBlocks = 48;  // AMX sums stay in tiles: fewer, longer runs

/// One product, cut into row blocks × panel groups.
struct Plan {
  GemmArgs args;
  Dot dot;
  const void* x = nullptr;  // float or bf16 rows, as `dot` takes them
  size_t x_row_bytes = 0;
  uint32_t element_bytes = 4;
  uint32_t row_block = 0, row_blocks = 0;
  uint32_t group = 0, groups = 0;
  uint32_t chunk = 0;
};

/// Units that take bf16 get the rows narrowed once; the values are bf16 already.
void narrow_rows(const GemmArgs& args, CpuBackend& backend) {
  const size_t width = size_t{args.w->blocks} * kTileDepth;
  CHECK(args.rows <= backend.limits().rows && args.w->k <= backend.limits().depth);
  backend.pool().run(args.rows, [&](uint32_t row, uint32_t) {
    const float* from = args.x + row * args.x_stride;
    uint16_t* to = backend.bf16_rows() + row * width;
    for (size_t i = 0; i < width; ++i) to[i] = to_bf16(from[i]).bits;
  });
}

Plan make_plan(const GemmArgs& args, CpuBackend& backend) {
  Plan plan{args};
  const CpuKernels& kernels = backend.kernels();
  plan.dot = args.w->dtype == DType::bf16 ? kernels.dot_bf16 : kernels.dot_fp32;
  plan.x = args.x;
  plan.x_row_bytes = args.x_stride * sizeof(float);
  if (args.w->dtype == DType::bf16 && kernels.dot_bf16_rows.run != nullptr &&
      args.rows >= kAmxRowsMin) {
    narrow_rows(args, backend);
    plan.dot = kernels.dot_bf16_rows;
    plan.x = backend.bf16_rows();
    plan.element_bytes = 2;
    plan.x_row_bytes = size_t{args.w->blocks} * kTileDepth * 2;
  }
  plan.row_block = std::min(args.rows, kGemmRows);
  plan.row_blocks = (args.rows - 1) / plan.row_block + 1;
  plan.chunk = args.rows <= plan.dot.rows_max ? args.w->blocks : kChunkBlocks;
  if (plan.element_bytes == 2) plan.chunk = kAmxChunkBlocks;
  plan.group = args.rows <= kFewRows ? 2 : kGemmPanels;
  // Enough tasks for an even finish.
  const uint32_t wanted = 6 * backend.pool().threads();
  while (plan.group > 2 && (args.w->panels / plan.group) * plan.row_blocks < wanted) {
    plan.group /= 2;
  }
  plan.groups = (args.w->panels - 1) / plan.group + 1;
  return plan;
}

/// Sums of rows × panels of one task into c[rows][group · 16].
void sum_tile(const Plan& plan, uint32_t row0, uint32_t rows, uint32_t panel0, uint32_t panels,
              float* c) {
  const PackedMatrix& w = *plan.args.w;
  const size_t c_stride = size_t{plan.group} * kTileColumns;
  // One row: panel after panel, so that memory is read as one stream.
  const uint32_t panels_step = rows == 1 ? 1 : plan.dot.panels_max;
  DotArgs dot;
  dot.x_stride = plan.x_row_bytes / plan.element_bytes;
  dot.panel_stride = w.panel_bytes();
  dot.c_stride = c_stride;
  for (uint32_t block = 0; block < w.blocks; block += plan.chunk) {
    dot.blocks = std::min(plan.chunk, w.blocks - block);
    dot.accumulate = block != 0;
    const char* x = static_cast<const char*>(plan.x) + row0 * plan.x_row_bytes +
                    size_t{block} * kTileDepth * plan.element_bytes;
    for (uint32_t panel = 0; panel < panels; panel += panels_step) {
      dot.panels = std::min(panels_step, panels - panel);
      dot.tiles = w.data + (panel0 + panel) * w.panel_bytes() + block * w.tile_bytes();
      for (uint32_t row = 0; row < rows; row += plan.dot.rows_max) {
        dot.rows = std::min(plan.dot.rows_max, rows - row);
        dot.x = x + row * plan.x_row_bytes;
        dot.c = c + row * c_stride + size_t{panel} * kTileColumns;
        plan.dot.run(dot);
      }
    }
  }
}

void write_row(const Plan& plan, const CpuKernels& kernels, uint32_t row, uint32_t panel0,
               uint32_t panels, const float* c) {
  const GemmArgs& args = plan.args;
  float* out = args.out + row * args.out_stride;
  const uint32_t width = panels * kTileColumns;
  const size_t column = size_t{panel0} * kTileColumns;
  switch (args.epilogue) {
    case Epilogue::store:
      if (args.bias != nullptr) {
        kernels.add(c, args.bias + column, out + column, width);
      } else {
        std::copy_n(c, width, out + column);
      }
      break;
    case Epilogue::add:
      kernels.add(out + column, c, out + column, width);
      break;
    case Epilogue::swiglu:
      for (uint32_t panel = 0; panel < panels; panel += 2) {
        const float* gate = c + size_t{panel} * kTileColumns;
        kernels.swiglu({.gate = gate,
                        .up = gate + kTileColumns,
                        .out = out + (column + size_t{panel} * kTileColumns) / 2,
                        .width = kTileColumns,
                        .round_bf16 = args.w->dtype == DType::bf16});
      }
      break;
  }
}

}  // namespace

void gemm(const GemmArgs& args, CpuBackend& backend) {
  CHECK(args.epilogue != Epilogue::swiglu || args.w->panels % 2 == 0);
  CHECK(args.x_stride >= size_t{args.w->blocks} * kTileDepth);
  if (args.rows == 0) return;
  const Plan plan = make_plan(args, backend);
  backend.pool().run(plan.groups * plan.row_blocks, [&](uint32_t task, uint32_t worker) {
    // Row blocks of one group follow each other: its weights are still in a near cache.
    const uint32_t row0 = task % plan.row_blocks * plan.row_block;
    const uint32_t rows = std::min(plan.row_block, args.rows - row0);
    const uint32_t panel0 = task / plan.row_blocks * plan.group;
    const uint32_t panels = std::min(plan.group, args.w->panels - panel0);
    float* c = backend.worker_scratch(worker);
    sum_tile(plan, row0, rows, panel0, panels, c);
    for (uint32_t row = 0; row < rows; ++row) {
      write_row(plan, backend.kernels(), row0 + row, panel0, panels,
                c + size_t{row} * plan.group * kTileColumns);
    }
  });
}

}  // namespace baton
