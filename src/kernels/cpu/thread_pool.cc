#include "kernels/cpu/thread_pool.h"

#include <pthread.h>
#include <sched.h>
#include <xmmintrin.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <set>
#include <string>
#include <system_error>

#include "base/check.h"

namespace baton {
namespace {

constexpr uint32_t kDazFtz = 0x8040;
constexpr auto kSpinTime = std::chrono::microseconds(50);

uint64_t ticket_of(uint32_t generation, uint32_t tasks_left) {
  return static_cast<uint64_t>(generation) << 32 | tasks_left;
}
uint32_t generation_of(uint64_t ticket) {
  return static_cast<uint32_t>(ticket >> 32);
}
uint32_t tasks_left_of(uint64_t ticket) {
  return static_cast<uint32_t>(ticket);
}

/// Calls `ready` until it is true or kSpinTime has passed.
template <class Ready>
bool spin_until(Ready ready) {
  const auto end = std::chrono::steady_clock::now() + kSpinTime;
  do {
    for (int i = 0; i < 64; ++i) {
      if (ready()) return true;
      _mm_pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

/// CPUs that the cgroup's quota pays for, rounded up; a huge number if there is no quota.
uint32_t quota_cpus() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  double quota = 0, period = 0;
  if (!(file >> quota >> period) || period <= 0) return ThreadPool::kThreadsMax;
  return std::max(1u, static_cast<uint32_t>(std::ceil(quota / period)));
}

}  // namespace

FlushDenormals::FlushDenormals() : saved_(_mm_getcsr()) {
  _mm_setcsr(saved_ | kDazFtz);
}
FlushDenormals::~FlushDenormals() {
  _mm_setcsr(saved_);
}

uint32_t default_thread_count() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
  std::set<std::string> cores;  // the list of sibling threads names a core
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(cpu) +
                       "/topology/thread_siblings_list");
    std::string siblings;
    if (!(file >> siblings)) siblings = std::to_string(cpu);
    cores.insert(siblings);
  }
  const auto count = static_cast<uint32_t>(std::max<size_t>(1, cores.size()));
  return std::min({count, quota_cpus(), ThreadPool::kThreadsMax});
}

Result<std::unique_ptr<ThreadPool>> ThreadPool::create(uint32_t threads) {
  CHECK(threads >= 1 && threads <= kThreadsMax);
  std::unique_ptr<ThreadPool> pool(new ThreadPool);  // its end joins what was started
  pool->workers_.reserve(threads - 1);
  for (uint32_t worker = 1; worker < threads; ++worker) {
    try {
      pool->workers_.emplace_back([raw = pool.get(), worker] { raw->worker_loop(worker); });
    } catch (const std::system_error& error) {
      return self_error(Code::resource_exhausted,
                        std::to_string(threads) + " compute threads are wanted, but the system " +
                            "gives only " + std::to_string(worker) + ": " + error.code().message());
    }
  }
  return pool;
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(mutex_);
    stop_.store(true);
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run_erased(uint32_t tasks, Call call, void* context) {
  if (tasks == 0) return;
  const FlushDenormals flush;
  if (tasks == 1 || workers_.empty()) {
    for (uint32_t task = 0; task < tasks; ++task) call(context, task, 0);
    return;
  }
  const uint32_t generation = generation_of(ticket_.load(std::memory_order_relaxed)) + 1;
  call_ = call;
  context_ = context;
  tasks_ = tasks;
  done_.store(0, std::memory_order_relaxed);
  ticket_.store(ticket_of(generation, tasks));  // sequentially consistent with sleepers_, see below
  if (sleepers_.load() != 0) {
    { std::lock_guard lock(mutex_); }  // a worker that saw the old ticket has begun to wait by now
    wake_.notify_all();
  }
  take_tasks(generation, 0);
  auto all_done = [&] { return done_.load(std::memory_order_acquire) == tasks; };
  while (!spin_until(all_done)) sched_yield();  // tasks are finite: a worker is being scheduled out
}

/// Runs tasks of `generation` until none is left.
void ThreadPool::take_tasks(uint32_t generation, uint32_t worker) {
  uint64_t ticket = ticket_.load(std::memory_order_acquire);
  while (generation_of(ticket) == generation && tasks_left_of(ticket) != 0) {
    if (!ticket_.compare_exchange_weak(ticket, ticket - 1, std::memory_order_acq_rel,
                                       std::memory_order_acquire)) {
      continue;
    }
    call_(context_, tasks_ - tasks_left_of(ticket), worker);
    done_.fetch_add(1, std::memory_order_acq_rel);
    ticket = ticket_.load(std::memory_order_acquire);
  }
}

/// The generation of the next job after `seen_generation`; also returns when the pool stops.
uint32_t ThreadPool::wait_for_job(uint32_t seen_generation) {
  auto changed = [&] {
    return generation_of(ticket_.load(std::memory_order_acquire)) != seen_generation ||
           stop_.load(std::memory_order_relaxed);
  };
  if (!spin_until(changed)) {
    std::unique_lock lock(mutex_);
    sleepers_.fetch_add(1);
    // Either run() sees this sleeper, or this load sees run()'s ticket: both are seq_cst.
    wake_.wait(lock,
               [&] { return generation_of(ticket_.load()) != seen_generation || stop_.load(); });
    sleepers_.fetch_sub(1);
  }
  return generation_of(ticket_.load(std::memory_order_acquire));
}

void ThreadPool::worker_loop(uint32_t worker) {
  pthread_setname_np(pthread_self(), ("baton-cpu-" + std::to_string(worker)).substr(0, 15).c_str());
  const FlushDenormals flush;
  uint32_t generation = 0;
  for (;;) {
    generation = wait_for_job(generation);
    if (stop_.load(std::memory_order_relaxed)) return;
    take_tasks(generation, worker);
  }
}

}  // namespace baton
