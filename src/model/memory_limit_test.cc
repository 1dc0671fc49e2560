#include "model/memory_limit.h"

#include <gtest/gtest.h>

#include <limits>

#include "weights/test_files.h"

namespace baton {
namespace {

constexpr uint64_t kMib = uint64_t{1} << 20;

TEST(MemoryLimit, is_unknown_without_a_source) {
  const TempDir root;
  EXPECT_EQ(available_memory_bytes(root.path()), std::numeric_limits<uint64_t>::max());
}

TEST(MemoryLimit, follows_the_machine) {
  const TempDir root;
  root.write("proc/meminfo", "MemTotal: 9 kB\nMemFree: 5 kB\nMemAvailable:  2048 kB\n");
  EXPECT_EQ(available_memory_bytes(root.path()), 2 * kMib);
}

TEST(MemoryLimit, follows_the_tightest_group_of_version_2) {
  const TempDir root;
  root.write("proc/meminfo", "MemAvailable: 1048576 kB\n");
  root.write("proc/self/cgroup", "0::/service/unit\n");
  root.write("sys/fs/cgroup/service/unit/memory.max", "max\n");
  root.write("sys/fs/cgroup/service/unit/memory.current", "1000\n");
  EXPECT_EQ(available_memory_bytes(root.path()), 1024 * kMib);

  root.write("sys/fs/cgroup/service/memory.max", "104857600\n");     // 100 MiB
  root.write("sys/fs/cgroup/service/memory.current", "62914560\n");  // 60 MiB, 20 of it file cache
  root.write("sys/fs/cgroup/service/memory.stat", "anon 41943040\ninactive_file 20971520\n");
  EXPECT_EQ(available_memory_bytes(root.path()), 60 * kMib);
}

TEST(MemoryLimit, follows_groups_of_version_1) {
  const TempDir root;
  root.write("proc/self/cgroup", "12:cpu:/x\n3:memory:/x\n");
  root.write("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "10485760\n");
  root.write("sys/fs/cgroup/memory/x/memory.usage_in_bytes", "12582912\n");
  EXPECT_EQ(available_memory_bytes(root.path()), 0u);
}

TEST(MemoryLimit, this_machine_has_some) {
  EXPECT_GT(available_memory_bytes(), kMib);
}

}  // namespace
}  // namespace baton
