#include <dirent.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "ops/service_metrics.h"

namespace baton::ops {
namespace {

using Kind = MetricRegistry::Kind;

/// proc(5), /proc/self/stat: fields after the command's name, which may itself hold anything.
struct ProcStat {
  double cpu_seconds = 0;
  double resident_bytes = 0;
  double start_ticks = 0;  // since boot
};

ProcStat read_stat() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  double user = 0, system = 0, start = 0, virtual_bytes = 0, pages = 0;
  fields >> user >> system;
  for (int field = 16; field < 22; ++field) fields >> skipped;
  fields >> start >> virtual_bytes >> pages;
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  return {(user + system) / ticks, pages * static_cast<double>(sysconf(_SC_PAGESIZE)),
          start / ticks};
}

double boot_time_seconds() {
  std::ifstream file("/proc/stat");
  std::string word;
  double value = 0;
  while (file >> word) {
    if (word == "btime" && file >> value) return value;
  }
  return 0;
}

double open_files() {
  DIR* dir = opendir("/proc/self/fd");
  if (dir == nullptr) return 0;
  double count = -3;  // ".", ".." and the directory's own descriptor
  while (readdir(dir) != nullptr) ++count;
  closedir(dir);
  return count;
}

}  // namespace

void register_process_metrics(MetricRegistry& registry) {
  registry.computed(Kind::counter, "process_cpu_seconds_total",
                    "User and system CPU time in seconds.", [] { return read_stat().cpu_seconds; });
  registry.computed(Kind::gauge, "process_resident_memory_bytes", "Resident memory in bytes.",
                    [] { return read_stat().resident_bytes; });
  registry.computed(Kind::gauge, "process_open_fds", "Open file descriptors.",
                    [] { return open_files(); });
  const double start = boot_time_seconds() + read_stat().start_ticks;
  registry.computed(Kind::gauge, "process_start_time_seconds",
                    "Start of the process in seconds since the Unix epoch.",
                    [start] { return start; });
}

}  // namespace baton::ops
