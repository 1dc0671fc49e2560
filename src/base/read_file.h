// Whole small files, read within a limit.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"

namespace baton {

/// Reads a whole regular file (symbolic links are followed); never waits for one that is a pipe.
/// not_found if it is missing, too_large above `limit_bytes`, io for everything else that the
/// operating system refuses; each error names the file.
Result<std::string> read_file(const std::filesystem::path& path, uint64_t limit_bytes);

}  // namespace baton
