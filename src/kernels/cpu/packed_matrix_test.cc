#include "kernels/cpu/packed_matrix.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "kernels/cpu/gemm.h"
#include "kernels/cpu/mapped_memory.h"

namespace baton {
namespace {

/// Small integers: the same in every stored type.
float value_of(uint32_t row, uint32_t i) {
  return static_cast<float>(row * 5 + i % 7) - 20.0f;
}

uint16_t half_bits(float value) {  // exact for the integers of value_of
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    if (half_to_float(static_cast<uint16_t>(bits)) == value) return static_cast<uint16_t>(bits);
  }
  ADD_FAILURE() << value << " is no half";
  return 0;
}

std::vector<std::byte> stored(DType dtype, uint32_t rows, uint32_t k) {
  std::vector<std::byte> out;
  for (uint32_t row = 0; row < rows; ++row) {
    for (uint32_t i = 0; i < k; ++i) {
      const float value = value_of(row, i);
      const uint16_t narrow = dtype == DType::fp16 ? half_bits(value) : to_bf16(value).bits;
      const void* from = dtype == DType::fp32 ? static_cast<const void*>(&value) : &narrow;
      const size_t bytes = bits_of(dtype) / 8;
      out.resize(out.size() + bytes);
      std::memcpy(out.data() + out.size() - bytes, from, bytes);
    }
  }
  return out;
}

TEST(PackedMatrix, every_stored_type_lands_in_the_stated_place) {
  for (uint32_t k : {1u, 31u, 64u, 70u}) {
    for (DType to : {DType::bf16, DType::fp32}) {
      for (DType from : {DType::bf16, DType::fp16, DType::fp32}) {
        constexpr uint32_t kRows = 19;
        PackedMatrix matrix = packed_shape(to, kRows, k);
        EXPECT_EQ(matrix.panels, 2u);
        EXPECT_EQ(matrix.bytes(), 2u * matrix.blocks * 512 * bits_of(to) / 8);
        std::vector<std::byte> data(matrix.bytes(), std::byte{0xee});  // padding must become zero
        matrix.data = data.data();
        const std::vector<std::byte> source = stored(from, kRows, k);
        for (uint32_t panel = 0; panel < 2; ++panel) {
          pack_panel(matrix, panel, {source.data(), from, kRows, k}, panel * 16);
        }
        std::vector<float> unpacked(k);
        for (uint32_t row = 0; row < kRows; ++row) {
          unpack_row(matrix, row, unpacked.data());
          for (uint32_t i = 0; i < k; ++i) ASSERT_EQ(unpacked[i], value_of(row, i));
        }
        for (uint32_t row = 0; row < 32; ++row) {
          for (uint32_t i = 0; i < matrix.blocks * 32; ++i) {
            const std::byte* tile =
                data.data() + row / 16 * matrix.panel_bytes() + i / 32 * matrix.tile_bytes();
            const uint32_t depth = i % 32, column = row % 16;
            float value = 0.0f;
            bf16 narrow;
            if (to == DType::fp32) std::memcpy(&value, tile + 4 * (depth * 16 + column), 4);
            std::memcpy(&narrow, tile + 2 * (depth / 2 * 32 + column * 2 + depth % 2), 2);
            if (to == DType::bf16) value = to_float(narrow);
            ASSERT_EQ(value, row < kRows && i < k ? value_of(row, i) : 0.0f)
                << to_string(from) << " to " << to_string(to) << ", row " << row << ", k " << i;
          }
        }
      }
    }
  }
}

TEST(PackedMatrix, widen_rounds_only_when_asked) {
  const float values[2] = {1.00390625f, -3.0f};  // 1 + 2^-8 lies between two bf16
  float out[2];
  widen(reinterpret_cast<const std::byte*>(values), DType::fp32, 2, false, out);
  EXPECT_EQ(out[0], values[0]);
  widen(reinterpret_cast<const std::byte*>(values), DType::fp32, 2, true, out);
  EXPECT_EQ(out[0], 1.0f);
  EXPECT_EQ(out[1], -3.0f);
}

TEST(CpuBackend, plans_the_scratch_of_each_thread_and_of_bf16_rows) {
  const BackendLimits limits{
      .rows = 100, .depth = 70, .query_rows = 6, .head_dim = 64, .partial_floats = 1000};
  const uint64_t one = CpuBackend::scratch_bytes(CpuIsa::avx512, 1, limits);
  EXPECT_GE(one, 4 * kGemmScratchFloats + 4000);
  EXPECT_EQ(CpuBackend::scratch_bytes(CpuIsa::avx512, 5, limits), one + 4 * (one - 4000));
  EXPECT_EQ(CpuBackend::scratch_bytes(CpuIsa::amx, 1, limits), one + 100 * 96 * 2);
}

TEST(MappedMemory, is_zero_and_moves) {
  auto memory = MappedMemory::allocate(100'000);
  ASSERT_TRUE(memory.ok());
  MappedMemory moved = std::move(*memory);
  EXPECT_EQ(moved.size(), 100'000u);
  for (uint64_t i = 0; i < moved.size(); ++i) ASSERT_EQ(moved.data()[i], std::byte{0});
  EXPECT_FALSE(MappedMemory::allocate(uint64_t{1} << 60).ok());
  EXPECT_EQ(MappedMemory::allocate(0)->data(), nullptr);
}

}  // namespace
}  // namespace baton
