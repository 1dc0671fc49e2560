// From what a user types to a model folder.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace baton {

/// How an environment variable is looked up (passed in, so that tests need no setenv).
using Environment = std::function<std::optional<std::string>(const std::string&)>;
Environment process_environment();

/// `spec` is a folder, or "org/name[@revision]" in the Hugging Face cache (HF_HUB_CACHE,
/// HUGGINGFACE_HUB_CACHE, HF_HOME, XDG_CACHE_HOME) or one of ModelScope's layouts
/// (MODELSCOPE_CACHE). Local files only. not_found lists the places that were searched.
Result<std::filesystem::path> find_model(const std::string& spec, const Environment& environment);

}  // namespace baton
