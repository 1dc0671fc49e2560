// The compute threads of one model: tasks of one job are handed out by an atomic counter.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

#include "base/result.h"

namespace baton {

/// Sets DAZ and FTZ on the current thread while it lives: part of the numeric definition, since AMX
/// flushes denormals whatever MXCSR says.
class FlushDenormals {
 public:
  FlushDenormals();
  ~FlushDenormals();
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  uint32_t saved_;
};

/// Threads one physical core each that this process may use: affinity mask and cgroup quota
/// respected; at least 1.
uint32_t default_thread_count();

/// A fixed set of threads. run() is called by one thread at a time, which takes part in the work.
/// Idle workers spin for at most 50 µs, then sleep.
class ThreadPool {
 public:
  static constexpr uint32_t kThreadsMax = 512;

  /// `threads` counts the caller; 1 … kThreadsMax. resource_exhausted if the system refuses one.
  static Result<std::unique_ptr<ThreadPool>> create(uint32_t threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  uint32_t threads() const { return static_cast<uint32_t>(workers_.size()) + 1; }

  /// Calls work(task, worker) for each task in [0, tasks), on any thread, in any order; returns
  /// when all are done. worker < threads() names the thread, for scratch memory. DAZ and FTZ are
  /// set.
  template <class Work>
  void run(uint32_t tasks, Work&& work) {
    using Plain = std::remove_reference_t<Work>;
    run_erased(
        tasks,
        [](void* context, uint32_t task, uint32_t worker) {
          (*static_cast<Plain*>(context))(task, worker);
        },
        const_cast<void*>(static_cast<const void*>(&work)));
  }

 private:
  using Call = void (*)(void* context, uint32_t task, uint32_t worker);

  ThreadPool() = default;
  void run_erased(uint32_t tasks, Call call, void* context);
  void worker_loop(uint32_t worker);
  void take_tasks(uint32_t generation, uint32_t worker);
  uint32_t wait_for_job(uint32_t seen_generation);

  // The job: written only while no task is left, read only by those who claimed a task of it.
  Call call_ = nullptr;
  void* context_ = nullptr;
  uint32_t tasks_ = 0;
  alignas(64) std::atomic<uint64_t> ticket_{0};  // generation << 32 | tasks not yet claimed
  alignas(64) std::atomic<uint32_t> done_{0};

  alignas(64) std::atomic<uint32_t> sleepers_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<bool> stop_{false};
  std::vector<std::thread> workers_;
};

}  // namespace baton
