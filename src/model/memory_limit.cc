#include "model/memory_limit.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

namespace baton {
namespace {

constexpr uint64_t kUnknown = std::numeric_limits<uint64_t>::max();

/// A file that holds one number; nothing for "max" or a missing file.
std::optional<uint64_t> read_number(const std::filesystem::path& path) {
  std::ifstream file(path);
  uint64_t value = 0;
  if (!(file >> value)) return std::nullopt;
  return value;
}

/// The number after `key` at the start of a line.
std::optional<uint64_t> read_field(const std::filesystem::path& path, const std::string& key) {
  std::ifstream file(path);
  std::string word;
  while (file >> word) {
    uint64_t value = 0;
    if (word == key && file >> value) return value;
    file.clear();
    std::string rest;
    std::getline(file, rest);
  }
  return std::nullopt;
}

uint64_t room(uint64_t limit, uint64_t used, uint64_t file_cache) {
  used -= std::min(used, file_cache);
  return limit > used ? limit - used : 0;
}

uint64_t group_room(const std::filesystem::path& group, const char* limit_file,
                    const char* use_file, const std::string& cache_key) {
  const auto limit = read_number(group / limit_file), used = read_number(group / use_file);
  if (!limit || !used) return kUnknown;
  return room(*limit, *used, read_field(group / "memory.stat", cache_key).value_or(0));
}

}  // namespace

uint64_t available_memory_bytes(const std::filesystem::path& root) {
  uint64_t available = kUnknown;
  if (auto kib = read_field(root / "proc/meminfo", "MemAvailable:")) available = *kib * 1024;

  // Lines of /proc/self/cgroup: "id:controllers:path"; v2 has an empty controller list.
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool v1 = controllers == "memory";
    if (!v1 && !controllers.empty()) continue;
    const std::filesystem::path base = root / (v1 ? "sys/fs/cgroup/memory" : "sys/fs/cgroup");
    std::filesystem::path path = line.substr(second + 1);
    for (path = path.relative_path();; path = path.parent_path()) {  // a parent's limit binds too
      available = std::min(
          available, v1 ? group_room(base / path, "memory.limit_in_bytes", "memory.usage_in_bytes",
                                     "total_inactive_file")
                        : group_room(base / path, "memory.max", "memory.current", "inactive_file"));
      if (path.empty()) break;
    }
  }
  return available;
}

}  // namespace baton
