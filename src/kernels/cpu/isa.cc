#include "kernels/cpu/isa.h"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

namespace baton {
namespace {

bool has_avx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi2");
}

bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

bool request_amx() {
  constexpr unsigned kTileBit = 1u << 24, kBf16Bit = 1u << 22;  // CPUID.7.0:EDX
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!has_avx512() || __get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  if ((d & kTileBit) == 0 || (d & kBf16Bit) == 0) return false;
  constexpr long kArchRequestPermission = 0x1023,
                 kTileData = 18;  // asm/prctl.h, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kArchRequestPermission, kTileData) == 0;
}

}  // namespace

std::string_view to_string(CpuIsa isa) {
  switch (isa) {
    case CpuIsa::plain:
      return "plain";
    case CpuIsa::avx2:
      return "avx2";
    case CpuIsa::avx512:
      return "avx512";
    case CpuIsa::amx:
      return "amx";
  }
  return "unknown";
}

Result<CpuIsa> parse_isa(std::string_view name) {
  for (CpuIsa isa : {CpuIsa::plain, CpuIsa::avx2, CpuIsa::avx512, CpuIsa::amx}) {
    if (name == to_string(isa)) return isa;
  }
  return client_error(
      Code::invalid_argument,
      "unknown instruction set \"" + std::string(name) + "\": use plain, avx2, avx512 or amx",
      "isa");
}

bool isa_available(CpuIsa isa) {
  switch (isa) {
    case CpuIsa::plain:
      return true;
    case CpuIsa::avx2:
      return has_avx2();
    case CpuIsa::avx512:
      return has_avx512();
    case CpuIsa::amx: {
      static const bool available = request_amx();
      return available;
    }
  }
  return false;
}

CpuIsa best_isa() {
  return available_isas().back();
}

std::vector<CpuIsa> available_isas() {
  std::vector<CpuIsa> out;
  for (CpuIsa isa : {CpuIsa::plain, CpuIsa::avx2, CpuIsa::avx512, CpuIsa::amx}) {
    if (isa_available(isa)) out.push_back(isa);
  }
  return out;
}

}  // namespace baton
