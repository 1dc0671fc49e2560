// Coroutines that run side by side on one executor and never outlive the one that waits for them.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>

namespace baton {

/// Lets one coroutine wait for another's news. Both run on the same strand, so a waiter that checks
/// its condition before wait_for() misses nothing; it must check again after.
class Notice {
 public:
  explicit Notice(const boost::asio::any_io_executor& executor)
      : timer_(executor, boost::asio::steady_timer::time_point::max()) {}

  void notify() { timer_.cancel(); }

  /// Returns true if `time` passed without a notice. Zero: waits without limit, as several may at
  /// once; with a limit only one may wait.
  boost::asio::awaitable<bool> wait_for(std::chrono::milliseconds time);

 private:
  boost::asio::steady_timer timer_;
};

/// Use from the executor's strand only. A join must be awaited before the group is destroyed,
/// unless the whole executor is torn down.
class TaskGroup {
 public:
  explicit TaskGroup(const boost::asio::any_io_executor& executor);

  void spawn(boost::asio::awaitable<void> task);

  /// Cancels what still runs: pending awaits throw operation_aborted.
  void cancel();

  /// Waits until all have ended. If the waiting coroutine is cancelled, the tasks are cancelled, it
  /// waits for their end all the same, and then throws operation_aborted. An exception of a task
  /// that is not operation_aborted cancels the others and is rethrown here.
  boost::asio::awaitable<void> join();

  /// Runs `work` beside the tasks; when it ends or throws, cancels the tasks and joins them.
  boost::asio::awaitable<void> join_after(boost::asio::awaitable<void> work);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace baton
