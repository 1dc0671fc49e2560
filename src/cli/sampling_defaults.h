// What a request gets that does not say.
#pragma once

#include <cstdint>

#include "token/token.h"
#include "weights/model_config.h"

namespace baton::cli {

/// generation_config.json's values; an absent field means off.
Sampling default_sampling(const GenerationConfig& generation);

/// A seed below 2^53 (JSON numbers carry it exactly) from the system's randomness.
uint64_t random_seed();

}  // namespace baton::cli
