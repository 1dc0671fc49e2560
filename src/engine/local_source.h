// A TokenSource over the engine in this process.
#pragma once

#include <memory>

#include "engine/engine.h"
#include "stream/token_source.h"

namespace baton {

/// `engine` must outlive the source and all its streams.
std::unique_ptr<TokenSource> make_local_source(Engine& engine);

}  // namespace baton
