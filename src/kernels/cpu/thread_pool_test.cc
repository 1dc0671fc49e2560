#include "kernels/cpu/thread_pool.h"

#include <gtest/gtest.h>
#include <xmmintrin.h>

#include <chrono>
#include <vector>

namespace baton {
namespace {

TEST(ThreadPool, runs_each_task_once_on_a_valid_worker) {
  for (uint32_t threads : {1u, 2u, 3u, 5u}) {
    ThreadPool pool(threads);
    ASSERT_EQ(pool.threads(), threads);
    for (uint32_t tasks : {0u, 1u, 2u, 7u, 1000u}) {
      std::vector<std::atomic<int>> runs(tasks);
      std::atomic<bool> workers_valid{true};
      pool.run(tasks, [&](uint32_t task, uint32_t worker) {
        runs[task].fetch_add(1);
        if (worker >= threads) workers_valid = false;
      });
      for (auto& count : runs) EXPECT_EQ(count.load(), 1);
      EXPECT_TRUE(workers_valid.load());
    }
  }
}

TEST(ThreadPool, many_short_jobs_see_their_own_results) {
  ThreadPool pool(4);
  uint64_t sum = 0;
  std::vector<uint32_t> out(16);
  for (uint32_t job = 0; job < 3000; ++job) {
    const uint32_t tasks = 2 + job % 15;
    pool.run(tasks, [&](uint32_t task, uint32_t) { out[task] = job + task; });
    for (uint32_t task = 0; task < tasks; ++task) {
      ASSERT_EQ(out[task], job + task);
      sum += out[task];
    }
  }
  EXPECT_GT(sum, 0u);
}

TEST(ThreadPool, wakes_workers_that_sleep) {
  ThreadPool pool(3);
  for (int round = 0; round < 20; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // longer than workers spin
    std::atomic<uint32_t> arrived{0};
    pool.run(3, [&](uint32_t, uint32_t) {  // ends only if three threads are in it at once
      arrived.fetch_add(1);
      while (arrived.load() < 3) std::this_thread::yield();
    });
    EXPECT_EQ(arrived.load(), 3u);
  }
}

TEST(ThreadPool, flushes_denormals_in_tasks_and_only_there) {
  ThreadPool pool(2);
  const uint32_t before = _mm_getcsr();
  std::atomic<int> set{0};
  pool.run(8, [&](uint32_t, uint32_t) {
    if ((_mm_getcsr() & 0x8040) == 0x8040) set.fetch_add(1);
  });
  EXPECT_EQ(set.load(), 8);
  EXPECT_EQ(_mm_getcsr(), before);
}

TEST(ThreadPool, default_count_is_within_its_limits) {
  EXPECT_GE(default_thread_count(), 1u);
  EXPECT_LE(default_thread_count(), ThreadPool::kThreadsMax);
}

}  // namespace
}  // namespace baton
