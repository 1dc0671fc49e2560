// The kernels, written once over V, a vector of 16 floats. Included after one vector_*.h by one
// kernels_*.cc, all of it in anonymous namespaces and without std templates: an inline function
// that several units share could otherwise be kept in its AVX-512 form and run on a machine
// without.
#pragma once

#include "kernels/cpu/kernels.h"

namespace {

using baton::DotArgs;
using baton::FinishArgs;
using baton::kTileColumns;
using baton::kTileDepth;
using baton::MergeArgs;
using baton::RmsNormArgs;
using baton::RopeArgs;
using baton::SoftmaxArgs;
using baton::SwigluArgs;

BATON_INLINE V rounded(V x, bool to_bf16) {
  return to_bf16 ? round_bf16(x) : x;
}

/// Definition and source of the constants: ref::exp.
BATON_INLINE V exp(V x) {
  const V clamped = smaller(splat(88.0f), x);  // keeps NaN: the second operand wins if unordered
  const V t = fma(clamped, splat(1.44269504088896341f), splat(12582912.0f));
  const V n = sub(t, splat(12582912.0f));
  V r = fma(n, splat(-0.693359375f), clamped);
  r = fma(n, splat(2.12194440e-4f), r);
  V p = splat(1.9875691500e-4f);
  p = fma(p, r, splat(1.3981999507e-3f));
  p = fma(p, r, splat(8.3334519073e-3f));
  p = fma(p, r, splat(4.1665795894e-2f));
  p = fma(p, r, splat(1.6666665459e-1f));
  p = fma(p, r, splat(5.0000001201e-1f));
  p = add(fma(p, mul(r, r), r), splat(1.0f));
  return zero_where_less(x, splat(-87.0f), mul(p, power_of_two(t)));
}

struct TileBf16 {
  using Element = uint16_t;
  /// Row `pair` of a tile: 16 columns of elements 2·pair and 2·pair + 1 of K.
  static BATON_INLINE void load_row(const Element* tile, int pair, V& even, V& odd) {
    load_pairs(tile + 32 * pair, even, odd);
  }
};

struct TileFp32 {
  using Element = float;
  static BATON_INLINE void load_row(const Element* tile, int pair, V& even, V& odd) {
    even = load(tile + 32 * pair);
    odd = load(tile + 32 * pair + 16);
  }
};

/// ROWS × PANELS tiles of the product. Each block's chains begin at zero, so blocks are independent
/// but for one add, and the processor overlaps them.
template <class Tile, int ROWS, int PANELS>
void dot_tiles(const DotArgs& args) {
  using Element = typename Tile::Element;
  constexpr size_t kTileElements = kTileColumns * kTileDepth;
  const size_t x_stride = args.x_stride;
  const float* x = static_cast<const float*>(args.x);
  const Element* panel[PANELS];
#pragma GCC unroll 8
  for (int p = 0; p < PANELS; ++p) {
    panel[p] = reinterpret_cast<const Element*>(static_cast<const char*>(args.tiles) +
                                                static_cast<size_t>(p) * args.panel_stride);
  }
  if (!args.accumulate) {
    for (int r = 0; r < ROWS; ++r) {
      for (int p = 0; p < PANELS; ++p) store(args.c + r * args.c_stride + 16 * p, splat(0.0f));
    }
  }
  for (uint32_t block = 0; block < args.blocks; ++block, x += kTileDepth) {
    V even[PANELS][ROWS], odd[PANELS][ROWS];
#pragma GCC unroll 16
    for (int r = 0; r < ROWS; ++r) {
#pragma GCC unroll 8
      for (int p = 0; p < PANELS; ++p) even[p][r] = odd[p][r] = splat(0.0f);
    }
#pragma GCC unroll 2
    for (int pair = 0; pair < 16; ++pair) {
      V w_even[PANELS], w_odd[PANELS];
#pragma GCC unroll 8
      for (int p = 0; p < PANELS; ++p) {
        Tile::load_row(panel[p], pair, w_even[p], w_odd[p]);
        // Panels are read once, from memory, by the first rows: run ahead of the page's prefetcher.
        __builtin_prefetch(reinterpret_cast<const char*>(panel[p] + 32 * pair) + 4096);
      }
#pragma GCC unroll 16
      for (int r = 0; r < ROWS; ++r) {
        const V x_even = splat(x[r * x_stride + 2 * pair]);
        const V x_odd = splat(x[r * x_stride + 2 * pair + 1]);
#pragma GCC unroll 8
        for (int p = 0; p < PANELS; ++p) {
          even[p][r] = fma(x_even, w_even[p], even[p][r]);
          odd[p][r] = fma(x_odd, w_odd[p], odd[p][r]);
        }
      }
    }
#pragma GCC unroll 8
    for (int p = 0; p < PANELS; ++p) {
      panel[p] += kTileElements;
#pragma GCC unroll 16
      for (int r = 0; r < ROWS; ++r) {
        float* c = args.c + r * args.c_stride + 16 * p;
        store(c, add(load(c), add(even[p][r], odd[p][r])));
      }
    }
  }
}

template <class Tile, int PANELS>
void dot_panels(const DotArgs& args) {
  switch (args.rows) {
    case 1:
      return dot_tiles<Tile, 1, PANELS>(args);
    case 2:
      return dot_tiles<Tile, 2, PANELS>(args);
#if BATON_ROWS_MAX > 2
    case 3:
      return dot_tiles<Tile, 3, PANELS>(args);
    case 4:
      return dot_tiles<Tile, 4, PANELS>(args);
    case 5:
      return dot_tiles<Tile, 5, PANELS>(args);
    case 6:
      return dot_tiles<Tile, 6, PANELS>(args);
#endif
    default:
      __builtin_trap();  // the driver broke rows_max
  }
}

template <class Tile>
void dot(const DotArgs& args) {
#if BATON_PANELS_MAX > 1
  if (args.panels == 2) return dot_panels<Tile, 2>(args);
#endif
  if (args.panels != 1) __builtin_trap();  // the driver broke panels_max
  dot_panels<Tile, 1>(args);
}

void rms_norm(const RmsNormArgs& args) {
  V sum = splat(0.0f);
  for (uint32_t i = 0; i < args.padded; i += 16) {
    const V x = load(args.x + i);
    sum = fma(x, x, sum);
  }
  const V mean = div(splat(tree_sum(sum)), splat(static_cast<float>(args.width)));
  const V scale = div(splat(1.0f), sqrt(add(mean, splat(args.eps))));
  for (uint32_t i = 0; i < args.padded; i += 16) {
    const V y = mul(mul(load(args.x + i), scale), load(args.weight + i));
    store(args.out + i, rounded(y, args.round_bf16));
  }
}

void swiglu(const SwigluArgs& args) {
  for (uint32_t i = 0; i < args.width; i += 16) {
    const V gate = load(args.gate + i);
    const V silu = div(gate, add(splat(1.0f), exp(negate(gate))));
    store(args.out + i, rounded(mul(silu, load(args.up + i)), args.round_bf16));
  }
}

void rope(const RopeArgs& args) {
  const uint32_t half = args.dim / 2;
  for (uint32_t i = 0; i < half; i += 16) {
    const V a = load(args.x + i), b = load(args.x + half + i);
    const V cos = load(args.cos + i), sin = load(args.sin + i);
    store(args.out + i, rounded(sub(mul(a, cos), mul(b, sin)), args.round_bf16));
    store(args.out + half + i, rounded(add(mul(b, cos), mul(a, sin)), args.round_bf16));
  }
}

void softmax(SoftmaxArgs& args) {
  const V scale = splat(args.scale);
  V largest = splat(-__builtin_inff());
  for (uint32_t i = args.valid; i < args.width; ++i) args.scores[i] = -__builtin_inff();
  for (uint32_t i = 0; i < args.width; i += 16) {
    const V s = mul(load(args.scores + i), scale);
    store(args.scores + i, s);
    largest = larger(largest, s);
  }
  args.m = tree_max(largest);
  const V m = splat(args.m);
  V sum = splat(0.0f);
  for (uint32_t i = 0; i < args.width; i += 16) {
    const V p = exp(sub(load(args.scores + i), m));
    sum = add(sum, p);
    store(args.scores + i, rounded(p, args.round_bf16));
  }
  args.l = tree_sum(sum);
}

void merge(const MergeArgs& args) {
  if (args.first) {
    for (uint32_t i = 0; i < args.dim; i += 16) store(args.o + i, load(args.split_o + i));
    *args.m = args.split_m;
    *args.l = args.split_l;
    return;
  }
  const float merged_m = args.split_m > *args.m ? args.split_m : *args.m;
  const V old_weight = exp(sub(splat(*args.m), splat(merged_m)));
  const V new_weight = exp(sub(splat(args.split_m), splat(merged_m)));
  for (uint32_t i = 0; i < args.dim; i += 16) {
    const V o = fma(load(args.o + i), old_weight, mul(load(args.split_o + i), new_weight));
    store(args.o + i, o);
  }
  float l[16];
  store(l, fma(splat(*args.l), old_weight, mul(splat(args.split_l), new_weight)));
  *args.l = l[0];
  *args.m = merged_m;
}

void finish(const FinishArgs& args) {
  const V l = splat(args.l);
  for (uint32_t i = 0; i < args.dim; i += 16) {
    store(args.out + i, rounded(div(load(args.o + i), l), args.round_bf16));
  }
}

void add_rows(const float* a, const float* b, float* out, uint32_t width) {
  for (uint32_t i = 0; i < width; i += 16) store(out + i, add(load(a + i), load(b + i)));
}

uint64_t read_stream(const void* data, size_t bytes) {
  const float* p = static_cast<const float*>(data);
  V sum[4] = {splat(0.0f), splat(0.0f), splat(0.0f), splat(0.0f)};
  for (size_t i = 0; i < bytes / sizeof(float); i += 64) {
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      __builtin_prefetch(p + i + 16 * j + 1024);
      sum[j] = larger(load(p + i + 16 * j), sum[j]);
    }
  }
  return static_cast<uint64_t>(tree_max(larger(larger(sum[0], sum[1]), larger(sum[2], sum[3]))) >
                               0);
}

}  // namespace

#define BATON_KERNEL_TABLE                                                                    \
  {                                                                                           \
    .dot_bf16 = {dot<TileBf16>, BATON_ROWS_MAX, BATON_PANELS_MAX},                            \
    .dot_fp32 = {dot<TileFp32>, BATON_ROWS_MAX, BATON_PANELS_MAX}, .dot_bf16_rows = {},       \
    .rms_norm = rms_norm, .swiglu = swiglu, .rope = rope, .softmax = softmax, .merge = merge, \
    .finish = finish, .add = add_rows, .read_stream = read_stream                             \
  }
