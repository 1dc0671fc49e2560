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

/// `spec` is a folder with a config.json, or "org/name[@revision]": a model in the Hugging Face
/// cache (HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME, XDG_CACHE_HOME, ~/.cache) or in one of
/// ModelScope's layouts (MODELSCOPE_CACHE, ~/.cache), whose way of writing a name (`1___5B` for
/// `1.5B`) is taken too. A folder wins. Local files only.
///
/// A revision is a branch or tag (`refs/NAME`) or a commit; without one it is main, master, or the
/// only snapshot there is. ModelScope's plain folders record none and are skipped if one is asked
/// for. not_found lists the places that were searched; invalid_argument if `spec` has neither form.
Result<std::filesystem::path> find_model(const std::string& spec, const Environment& environment);

}  // namespace baton
