#include "front/task_group.h"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <stdexcept>

namespace baton {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

/// Runs a coroutine to its end; cancels it first if `cancel_after` steps of the loop have run.
std::exception_ptr run(asio::io_context& io, asio::awaitable<void> work, bool cancel = false) {
  asio::cancellation_signal signal;
  std::exception_ptr failure;
  asio::co_spawn(
      io, std::move(work),
      asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e) { failure = e; }));
  if (cancel) {
    io.poll();
    signal.emit(asio::cancellation_type::terminal);
  }
  io.run();
  return failure;
}

bool aborted(const std::exception_ptr& failure) {
  try {
    if (failure) std::rethrow_exception(failure);
  } catch (const boost::system::system_error& error) {
    return error.code() == asio::error::operation_aborted;
  }
  return false;
}

struct Ended {
  int& count;
  ~Ended() { ++count; }
};

asio::awaitable<void> sleep(milliseconds time, int& ended) {
  const Ended note{ended};
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
}

constexpr milliseconds kForEver = std::chrono::hours(1);

TEST(TaskGroup, JoinWaitsForAll) {
  asio::io_context io;
  int ended = 0;
  const auto failure = run(io, [&]() -> asio::awaitable<void> {
    TaskGroup group(co_await asio::this_coro::executor);
    for (int i = 0; i < 5; ++i) group.spawn(sleep(milliseconds(i), ended));
    co_await group.join();
    EXPECT_EQ(ended, 5);
  }());
  EXPECT_EQ(failure, nullptr);
}

TEST(TaskGroup, CancellingTheParentEndsTheTasksFirst) {
  asio::io_context io;
  int ended = 0;
  const auto failure = run(
      io,
      [](int& count) -> asio::awaitable<void> {
        TaskGroup group(co_await asio::this_coro::executor);
        for (int i = 0; i < 5; ++i) group.spawn(sleep(kForEver, count));
        co_await group.join();
        ADD_FAILURE() << "join() must throw";
      }(ended),
      true);
  EXPECT_TRUE(aborted(failure));
  EXPECT_EQ(ended, 5);
}

TEST(TaskGroup, JoinAfterCancelsTheTasksWhenTheWorkIsDone) {
  asio::io_context io;
  int ended = 0, worked = 0;
  const auto failure = run(io, [](int& count, int& work) -> asio::awaitable<void> {
    TaskGroup group(co_await asio::this_coro::executor);
    group.spawn(sleep(kForEver, count));
    co_await group.join_after(sleep(milliseconds(1), work));
    EXPECT_EQ(work, 1);
    EXPECT_EQ(count, 1);
  }(ended, worked));
  EXPECT_EQ(failure, nullptr);
}

TEST(TaskGroup, CancellingTheParentOfJoinAfterEndsAll) {
  asio::io_context io;
  int ended = 0;
  const auto failure = run(
      io,
      [](int& count) -> asio::awaitable<void> {
        TaskGroup group(co_await asio::this_coro::executor);
        group.spawn(sleep(kForEver, count));
        co_await group.join_after(sleep(kForEver, count));
        ADD_FAILURE() << "join_after() must throw";
      }(ended),
      true);
  EXPECT_TRUE(aborted(failure));
  EXPECT_EQ(ended, 2);
}

TEST(TaskGroup, AFailureOfOneEndsAllAndIsRethrown) {
  asio::io_context io;
  int ended = 0;
  const auto failure = run(io, [](int& count) -> asio::awaitable<void> {
    TaskGroup group(co_await asio::this_coro::executor);
    group.spawn(sleep(kForEver, count));
    group.spawn([]() -> asio::awaitable<void> {
      throw std::runtime_error("broken");
      co_return;
    }());
    co_await group.join();
  }(ended));
  ASSERT_NE(failure, nullptr);
  EXPECT_THROW(std::rethrow_exception(failure), std::runtime_error);
  EXPECT_EQ(ended, 1);
}

TEST(Notice, TellsNewsFromSilence) {
  asio::io_context io;
  const auto failure = run(io, []() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    Notice notice(executor);
    asio::post(executor, [&] { notice.notify(); });
    EXPECT_FALSE(co_await notice.wait_for(kForEver));
    EXPECT_TRUE(co_await notice.wait_for(milliseconds(1)));
    asio::post(executor, [&] { notice.notify(); });
    EXPECT_FALSE(co_await notice.wait_for(milliseconds(0)));
  }());
  EXPECT_EQ(failure, nullptr);
}

// Readers that waited for room woke each other in a circle for as long as the client was slow.
TEST(Notice, WaitersDoNotWakeEachOther) {
  asio::io_context io;
  int woken = 0;
  Notice notice(io.get_executor());
  for (int i = 0; i < 3; ++i) {
    asio::co_spawn(
        io,
        [](Notice& news, int& count) -> asio::awaitable<void> {
          co_await news.wait_for(milliseconds(0));
          ++count;
        }(notice, woken),
        asio::detached);
  }
  io.poll();
  EXPECT_EQ(woken, 0);
  notice.notify();
  io.run();
  EXPECT_EQ(woken, 3);
}

}  // namespace
}  // namespace baton
