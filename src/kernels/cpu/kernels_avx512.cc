#include "kernels/cpu/vector_avx512.h"

// The register tile: BATON_ROWS_MAX rows × BATON_PANELS_MAX panels of 16 columns.
#define BATON_ROWS_MAX 6
#define BATON_PANELS_MAX 2
#include "kernels/cpu/kernel_ops.inc.h"

namespace baton {

extern const CpuKernels kKernelsAvx512 = BATON_KERNEL_TABLE;

}  // namespace baton
