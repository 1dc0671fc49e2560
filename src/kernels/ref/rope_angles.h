// The angles of rotary position embedding, as transformers computes them, and their cosines.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/tensor.h"

namespace baton {

/// inv_freq[i] = 1 / theta^(2i / dim) in fp32, i < dim / 2 (transformers, "default" rope), rounded
/// to `stored`: fp32 is what from_pretrained computes with; fp16 and bf16 are what a transformers
/// model has after .half() or .to(bfloat16), which cast this buffer too and never bring it back.
std::vector<float> rope_inverse_frequencies(double theta, uint32_t dim, DType stored = DType::fp32);

/// cos and sin of position · inv_freq[i], the product rounded to fp32 as transformers does.
/// Own double arithmetic in one operation order, rounded to fp32 once: the C library's results
/// differ by processor. Within 0.51 ulp of the true value for positions below 2^20.
/// cos, sin: [inv_freq.size()]
void rope_angles(uint32_t position, const std::vector<float>& inv_freq, float* cos, float* sin);

}  // namespace baton
