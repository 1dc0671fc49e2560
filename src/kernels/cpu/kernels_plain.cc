#include "kernels/cpu/vector_plain.h"

// The register tile: BATON_ROWS_MAX rows × BATON_PANELS_MAX panels of 16 columns.
#define BATON_ROWS_MAX 2
#define BATON_PANELS_MAX 1
#include "kernels/cpu/kernel_ops.inc.h"

namespace baton {

extern const CpuKernels kKernelsPlain = BATON_KERNEL_TABLE;

}  // namespace baton
