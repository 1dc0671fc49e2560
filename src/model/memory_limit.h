// How much memory this process may still take.
#pragma once

#include <cstdint>
#include <filesystem>

namespace baton {

/// Bytes that can be allocated without pushing the machine or the control group over its limit: the
/// smallest of MemAvailable and, for each cgroup (v2 or v1) that the process is in, limit − use +
/// reclaimable file cache. `root` is "/" but in tests. UINT64_MAX if nothing is known.
uint64_t available_memory_bytes(const std::filesystem::path& root = "/");

}  // namespace baton
