// bf16 dots on AMX tiles. Own asm with "memory" clobbers: GCC 12's tile intrinsics do not say what
// memory they read, so the compiler drops stores of the configuration and the program dies.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/kernels.h"

namespace {

struct alignas(64) TileConfig {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

inline void load_config(const TileConfig& config) {
  asm volatile("ldtilecfg %0" : : "m"(config) : "memory");
}

inline void release() {
  asm volatile("tilerelease" : : : "memory");
}

template <int TILE>
inline void tile_zero() {
  asm volatile("tilezero %%tmm%c0" : : "i"(TILE));
}
template <int TILE>
inline void tile_load(const void* base, size_t stride_bytes) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2"
               :
               : "r"(base), "r"(stride_bytes), "i"(TILE)
               : "memory");
}
template <int TILE>
inline void tile_store(void* base, size_t stride_bytes) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)"
               :
               : "r"(base), "r"(stride_bytes), "i"(TILE)
               : "memory");
}
/// C += A · B: even and odd chains over the 16 pairs, then one add: the definition of dot.
template <int C, int A, int B>
inline void tile_dot() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(C), "i"(A), "i"(B));
}

/// Tiles: C 0…3 (rows 0–15 and 16–31 × panels 0 and 1), A 4 and 5, B 6 and 7.
template <int PANELS>
void dot_amx(const baton::DotArgs& args) {
  const bool lower = args.rows > 16;
  TileConfig config;
  for (int tile = 0; tile < 8; ++tile) {
    config.row_bytes[tile] = 64;
    const bool of_lower_rows = tile == 2 || tile == 3 || tile == 5;
    const uint32_t rows = of_lower_rows ? (lower ? args.rows - 16 : 16) : (lower ? 16 : args.rows);
    config.rows[tile] = tile >= 6 ? 16 : static_cast<uint8_t>(rows);
  }
  load_config(config);

  const size_t x_bytes = args.x_stride * 2, c_bytes = args.c_stride * 4;
  const char* x = static_cast<const char*>(args.x);
  const char* tiles = static_cast<const char*>(args.tiles);
  float* c_lower = args.c + 16 * args.c_stride;
  if (args.accumulate) {
    tile_load<0>(args.c, c_bytes);
    if (PANELS == 2) tile_load<1>(args.c + 16, c_bytes);
    if (lower) tile_load<2>(c_lower, c_bytes);
    if (lower && PANELS == 2) tile_load<3>(c_lower + 16, c_bytes);
  } else {
    tile_zero<0>(), tile_zero<1>(), tile_zero<2>(), tile_zero<3>();
  }
  for (uint32_t block = 0; block < args.blocks; ++block, x += 64, tiles += 1024) {
    tile_load<6>(tiles, 64);
    tile_load<4>(x, x_bytes);
    tile_dot<0, 4, 6>();
    if (PANELS == 2) {
      tile_load<7>(tiles + args.panel_stride, 64);
      tile_dot<1, 4, 7>();
    }
    if (lower) {
      tile_load<5>(x + 16 * x_bytes, x_bytes);
      tile_dot<2, 5, 6>();
      if (PANELS == 2) tile_dot<3, 5, 7>();
    }
  }
  tile_store<0>(args.c, c_bytes);
  if (PANELS == 2) tile_store<1>(args.c + 16, c_bytes);
  if (lower) tile_store<2>(c_lower, c_bytes);
  if (lower && PANELS == 2) tile_store<3>(c_lower + 16, c_bytes);
  release();
}

void dot(const baton::DotArgs& args) {
  if (args.rows < 1 || args.rows > 32) __builtin_trap();  // the driver broke rows_max
  args.panels == 2 ? dot_amx<2>(args) : dot_amx<1>(args);
}

}  // namespace

namespace baton {

extern const Dot kDotAmx = {dot, 32, 2};

}  // namespace baton
