#include "kernels/cpu/kernels.h"

#include "base/check.h"
#include "kernels/cpu/isa.h"
#include "kernels/ref/ref_ops.h"

namespace baton {

static_assert(kKvSplit == ref::kSplitPositions);

const CpuKernels& cpu_kernels(CpuIsa isa) {
  static const CpuKernels amx = [] {
    CpuKernels table = kKernelsAvx512;
    table.dot_bf16_rows = kDotAmx;
    return table;
  }();
  CHECK(isa_available(isa));
  switch (isa) {
    case CpuIsa::plain:
      return kKernelsPlain;
    case CpuIsa::avx2:
      return kKernelsAvx2;
    case CpuIsa::avx512:
      return kKernelsAvx512;
    case CpuIsa::amx:
      return amx;
  }
  return kKernelsPlain;
}

}  // namespace baton
