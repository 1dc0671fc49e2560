#include "front/task_group.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <deque>

namespace baton {

namespace asio = boost::asio;
using boost::system::error_code;

asio::awaitable<bool> Notice::wait_for(std::chrono::milliseconds time) {
  constexpr auto kNever = asio::steady_timer::time_point::max();
  // Setting the expiry wakes whoever waits, so waiters without limit must not do it to each other.
  if (time.count() > 0) {
    timer_.expires_after(time);
  } else if (timer_.expiry() != kNever) {
    timer_.expires_at(kNever);
  }
  error_code error;
  co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, error));
  co_return !error;
}

struct TaskGroup::State {
  explicit State(const asio::any_io_executor& ex) : executor(ex), ended(ex) {}

  asio::any_io_executor executor;
  std::deque<asio::cancellation_signal> signals;  // one a task; never moves
  size_t running = 0;
  Notice ended;
  std::exception_ptr failure;

  void cancel() {
    for (asio::cancellation_signal& signal : signals) {
      signal.emit(asio::cancellation_type::terminal);
    }
  }

  void on_end(const std::exception_ptr& exception) {
    --running;
    if (exception != nullptr && !failure && !is_abort(exception)) {
      failure = exception;
      cancel();
    }
    ended.notify();
  }

  static bool is_abort(const std::exception_ptr& exception) {
    try {
      std::rethrow_exception(exception);
    } catch (const boost::system::system_error& error) {
      return error.code() == asio::error::operation_aborted;
    } catch (...) {
      return false;
    }
  }
};

TaskGroup::TaskGroup(const asio::any_io_executor& executor)
    : state_(std::make_shared<State>(executor)) {}

void TaskGroup::spawn(asio::awaitable<void> task) {
  ++state_->running;
  asio::cancellation_signal& signal = state_->signals.emplace_back();
  asio::co_spawn(
      state_->executor, std::move(task),
      asio::bind_cancellation_slot(
          signal.slot(), [state = state_](const std::exception_ptr& e) { state->on_end(e); }));
}

void TaskGroup::cancel() {
  state_->cancel();
}

asio::awaitable<void> TaskGroup::join() {
  const std::shared_ptr<State> state = state_;
  bool cancelled = false;
  co_await asio::this_coro::throw_if_cancelled(false);
  while (true) {
    const asio::cancellation_state now = co_await asio::this_coro::cancellation_state;
    if (now.cancelled() != asio::cancellation_type::none) {
      cancelled = true;
      state->cancel();
      // The wait for the tasks' end must not be cut short again.
      co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    }
    if (state->running == 0) break;
    co_await state->ended.wait_for(std::chrono::milliseconds(0));
  }
  co_await asio::this_coro::throw_if_cancelled(true);
  if (cancelled) {
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    throw boost::system::system_error(asio::error::operation_aborted);
  }
  if (state->failure) std::rethrow_exception(state->failure);
}

asio::awaitable<void> TaskGroup::join_after(asio::awaitable<void> work) {
  std::exception_ptr failure;
  try {
    co_await std::move(work);
  } catch (...) {
    failure = std::current_exception();
  }
  co_await asio::this_coro::throw_if_cancelled(false);  // else the next line would not wait
  state_->cancel();
  co_await join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace baton
