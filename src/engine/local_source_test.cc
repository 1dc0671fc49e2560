#include "engine/local_source.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>
#include <thread>

#include "engine/fake_model.h"

namespace baton {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

TokenRequest make_request(Token first, uint32_t max_tokens) {
  TokenRequest request;
  request.prompt = {first, 50, 60};
  request.max_tokens = max_tokens;
  return request;
}

std::vector<Token> solo(const TokenRequest& request) {
  std::vector<Token> out;
  while (out.size() < request.max_tokens) {
    out.push_back(FakeModel::next_token(request.prompt, out, request.seed, request.choice));
  }
  return out;
}

asio::awaitable<std::unique_ptr<TokenStream>> start(TokenSource& source, TokenRequest request) {
  std::vector<TokenRequest> one;
  one.push_back(std::move(request));
  auto streams = co_await source.start(std::move(one));
  CHECK(streams.ok() && streams->size() == 1);
  co_return std::move(streams->front());
}

asio::awaitable<std::vector<Token>> read_all(std::unique_ptr<TokenStream> stream) {
  std::vector<Token> tokens;
  for (;;) {
    const std::vector<TokenEvent> events = co_await stream->next();
    CHECK(!events.empty());
    for (const TokenEvent& event : events) tokens.push_back(event.token);
    if (events.back().ending) co_return tokens;
  }
}

asio::awaitable<std::vector<Token>> read_all(TokenSource& source, TokenRequest request) {
  co_return co_await read_all(co_await start(source, std::move(request)));
}

class LocalSourceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto model = std::make_unique<FakeModel>();
    model->on_step = [this] {
      while (held_) std::this_thread::sleep_for(1ms);
    };
    engine_ = Engine::start(std::move(model), {.queue_max = 2000}, clock_);
    source_ = make_local_source(*engine_);
  }
  void TearDown() override { held_ = false; }

  // Runs `coroutine` to its end on an executor of its own and rethrows what it throws.
  template <class Coroutine>
  void run(Coroutine coroutine) {
    asio::io_context context;
    std::exception_ptr error;
    asio::co_spawn(context, std::move(coroutine), [&](std::exception_ptr e) { error = e; });
    context.run();
    if (error) std::rethrow_exception(error);
  }

  void wait_until_empty() {
    for (int i = 0; i < 5000; ++i) {
      const SourceLoad load = source_->load();
      if (load.running + load.waiting == 0) return;
      std::this_thread::sleep_for(1ms);
    }
    FAIL() << "sequences are left";
  }

  SteadyClock clock_;
  std::atomic<bool> held_{false};
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<TokenSource> source_;
};

TEST_F(LocalSourceTest, AStreamIsReadToItsEnd) {
  const TokenRequest request = make_request(10, 100);
  run([&]() -> asio::awaitable<void> {
    const std::vector<Token> tokens = co_await read_all(*source_, request);
    EXPECT_EQ(tokens, solo(request));
  });
}

TEST_F(LocalSourceTest, SeveralRequestsGetTheirStreamsInOrder) {
  const std::vector<TokenRequest> requests = {make_request(10, 20), make_request(11, 30)};
  run([&]() -> asio::awaitable<void> {
    auto streams = co_await source_->start(requests);
    CHECK(streams.ok() && streams->size() == 2);
    for (size_t i = 0; i < 2; ++i) {
      const std::vector<Token> tokens = co_await read_all(std::move((*streams)[i]));
      EXPECT_EQ(tokens, solo(requests[i]));
    }
  });
}

TEST_F(LocalSourceTest, ARefusalIsAnErrorOfAllOfThem) {
  const std::vector<TokenRequest> requests = {make_request(10, 20), make_request(-1, 100)};
  run([&]() -> asio::awaitable<void> {
    const auto streams = co_await source_->start(requests);
    CHECK(!streams.ok());
    EXPECT_EQ(streams.error().code, Code::invalid_argument);
  });
  EXPECT_EQ(engine_->stats().running + engine_->stats().waiting, 0u);
}

TEST_F(LocalSourceTest, ALostDeviceShowsInTheLoad) {
  EXPECT_FALSE(source_->load().failed);
  run([&]() -> asio::awaitable<void> {
    (void)co_await read_all(*source_, make_request(FakeModel::kDeviceLost, 100));
  });
  for (int i = 0; i < 5000 && !source_->load().failed; ++i) std::this_thread::sleep_for(1ms);
  EXPECT_TRUE(source_->load().failed);
  EXPECT_FALSE(source_->load().ready);
}

TEST_F(LocalSourceTest, InfoAndLoadAreTheEngines) {
  EXPECT_EQ(source_->info().vocab_size, 1000u);
  EXPECT_EQ(source_->info().context_tokens, 512u);
  EXPECT_EQ(source_->info().klass, ClassId{0xfa4e});
  EXPECT_TRUE(source_->load().ready);
  EXPECT_EQ(source_->load().blocks_total, 64u);
  engine_->drain();
  EXPECT_TRUE(source_->load().draining);
}

TEST_F(LocalSourceTest, ACancelledReaderThrowsAndCancelsTheWork) {
  held_ = true;
  asio::io_context context;
  asio::cancellation_signal cancel;
  std::exception_ptr error;
  asio::co_spawn(
      context,
      [&]() -> asio::awaitable<void> { co_await read_all(*source_, make_request(10, 400)); },
      asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr e) { error = e; }));
  asio::steady_timer timer(context, 10ms);
  timer.async_wait([&](auto) { cancel.emit(asio::cancellation_type::terminal); });
  context.run();
  ASSERT_TRUE(error);
  try {
    std::rethrow_exception(error);
  } catch (const boost::system::system_error& e) {
    EXPECT_EQ(e.code(), asio::error::operation_aborted);
  }
  held_ = false;
  wait_until_empty();
  EXPECT_EQ(engine_->stats().finished[static_cast<size_t>(Finish::cancelled)], 1u);
}

// Regression: the engine's thread posted into a context that was dropping its operations.
TEST_F(LocalSourceTest, AnAbandonedContextCancelsItsStreams) {
  held_ = true;
  {
    asio::io_context context;
    for (Token t = 10; t < 20; ++t) {
      asio::co_spawn(
          context,
          [&, t]() -> asio::awaitable<void> { co_await read_all(*source_, make_request(t, 400)); },
          asio::detached);
    }
    context.run_for(10ms);  // all of them wait
    held_ = false;          // and now the engine notifies while the frames are destroyed
  }
  wait_until_empty();
}

TEST_F(LocalSourceTest, ManyStreamsOnManyThreads) {
  asio::io_context context;
  std::atomic<int> whole{0};
  std::atomic<int> left{0};
  for (int i = 0; i < 300; ++i) {
    const TokenRequest request =
        make_request(static_cast<Token>(10 + i), static_cast<uint32_t>(1 + i % 40));
    asio::co_spawn(
        asio::make_strand(context),
        [&, request, i]() -> asio::awaitable<void> {
          if (i % 5 == 0) {  // reads a little and leaves
            auto stream = co_await start(*source_, request);
            if (i % 10 == 0) co_await stream->next();
            ++left;
            co_return;
          }
          const std::vector<Token> tokens = co_await read_all(*source_, request);
          if (tokens == solo(request)) ++whole;
        },
        asio::detached);
  }
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) threads.emplace_back([&] { context.run(); });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(whole.load(), 240);
  EXPECT_EQ(left.load(), 60);
  wait_until_empty();
}

}  // namespace
}  // namespace baton
