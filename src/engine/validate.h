// What the engine accepts. The front refuses the same things earlier and more politely; this is the
// border that protects the engine's thread. Internal to the room.
#pragma once

#include "base/result.h"
#include "model/model.h"
#include "token/token.h"

namespace baton {

/// Most entries of a request's lists.
inline constexpr size_t kLogitBiasMax = 4096;
inline constexpr size_t kEndTokensMax = 1024;

/// invalid_argument (with the field in `param`) if the request cannot be served as it is, whatever
/// the load. Lengths against the context are the scheduler's.
Result<void> validate(const TokenRequest& request, const ModelInfo& info);

}  // namespace baton
