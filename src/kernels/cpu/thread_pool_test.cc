#include "kernels/cpu/thread_pool.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <xmmintrin.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace baton {
namespace {

TEST(ThreadPool, runs_each_task_once_on_a_valid_worker) {
  for (uint32_t threads : {1u, 2u, 3u, 5u}) {
    const auto pool = ThreadPool::create(threads).value();
    ASSERT_EQ(pool->threads(), threads);
    for (uint32_t tasks : {0u, 1u, 2u, 7u, 1000u}) {
      std::vector<std::atomic<int>> runs(tasks);
      std::atomic<bool> workers_valid{true};
      pool->run(tasks, [&](uint32_t task, uint32_t worker) {
        runs[task].fetch_add(1);
        if (worker >= threads) workers_valid = false;
      });
      for (auto& count : runs) EXPECT_EQ(count.load(), 1);
      EXPECT_TRUE(workers_valid.load());
    }
  }
}

TEST(ThreadPool, many_short_jobs_see_their_own_results) {
  const auto pool = ThreadPool::create(4).value();
  uint64_t sum = 0;
  std::vector<uint32_t> out(16);
  for (uint32_t job = 0; job < 3000; ++job) {
    const uint32_t tasks = 2 + job % 15;
    pool->run(tasks, [&](uint32_t task, uint32_t) { out[task] = job + task; });
    for (uint32_t task = 0; task < tasks; ++task) {
      ASSERT_EQ(out[task], job + task);
      sum += out[task];
    }
  }
  EXPECT_GT(sum, 0u);
}

TEST(ThreadPool, wakes_workers_that_sleep) {
  const auto pool = ThreadPool::create(3).value();
  for (int round = 0; round < 20; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // longer than workers spin
    std::atomic<uint32_t> arrived{0};
    pool->run(3, [&](uint32_t, uint32_t) {  // ends only if three threads are in it at once
      arrived.fetch_add(1);
      while (arrived.load() < 3) std::this_thread::yield();
    });
    EXPECT_EQ(arrived.load(), 3u);
  }
}

TEST(ThreadPool, flushes_denormals_in_tasks_and_only_there) {
  const auto pool = ThreadPool::create(2).value();
  const uint32_t before = _mm_getcsr();
  std::atomic<int> set{0};
  pool->run(8, [&](uint32_t, uint32_t) {
    if ((_mm_getcsr() & 0x8040) == 0x8040) set.fetch_add(1);
  });
  EXPECT_EQ(set.load(), 8);
  EXPECT_EQ(_mm_getcsr(), before);
}

/// Allows this process 64 MiB more than it has mapped, which ends after a few stacks of 8 MiB, and
/// exits with 0 if the pool says so.
[[noreturn]] void exhaust_threads() {
  uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  const rlimit limit{pages * 4096 + (uint64_t{64} << 20), RLIM_INFINITY};
  if (setrlimit(RLIMIT_AS, &limit) != 0) std::_Exit(2);
  const auto pool = ThreadPool::create(ThreadPool::kThreadsMax);
  const bool refused = !pool.ok() && pool.error().code == Code::resource_exhausted &&
                       pool.error().message.find("512 compute threads") != std::string::npos;
  std::_Exit(refused ? 0 : 1);
}

TEST(ThreadPoolDeathTest, threads_that_the_system_refuses_are_an_error) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer needs address space without limit";
#endif
  EXPECT_EXIT(exhaust_threads(), testing::ExitedWithCode(0), "");
}

TEST(ThreadPool, default_count_is_within_its_limits) {
  EXPECT_GE(default_thread_count(), 1u);
  EXPECT_LE(default_thread_count(), ThreadPool::kThreadsMax);
}

}  // namespace
}  // namespace baton
