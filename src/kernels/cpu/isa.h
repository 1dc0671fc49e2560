// Instruction sets that the CPU kernels exist for, and which of them this machine offers.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace baton {

/// Slowest first. All give the same bits (docs/engine-contract.md).
enum class CpuIsa : uint8_t { plain, avx2, avx512, amx };

/// "plain", "avx2", "avx512", "amx".
std::string_view to_string(CpuIsa isa);
Result<CpuIsa> parse_isa(std::string_view name);

/// True if processor and operating system offer it. For amx this asks the kernel for the tile
/// registers (a permission of the whole process), so call it before threads start computing.
bool isa_available(CpuIsa isa);

/// The fastest set that is available.
CpuIsa best_isa();

/// All available sets, slowest first.
std::vector<CpuIsa> available_isas();

}  // namespace baton
