// The server under test with a handler that does what the path says, shared by its tests.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "http/server.h"
#include "http/test_client.h"

namespace baton::http {

namespace asio = boost::asio;
using namespace std::chrono_literals;

inline Response unparsed(int status, const std::string& message) {
  Response response;
  response.status = status;
  response.content_type = "text/plain";
  response.body = message;
  return response;
}

/// What the handler saw, from any thread.
struct Seen {
  std::atomic<int> started{0};
  std::atomic<int> finished{0};   // ran to its end, every write succeeded
  std::atomic<int> destroyed{0};  // its locals are gone, whichever way
};

struct Guard {
  explicit Guard(std::atomic<int>& count_to_raise) : count(count_to_raise) {}
  ~Guard() { ++count; }
  std::atomic<int>& count;
};

inline asio::awaitable<void> wait(std::chrono::milliseconds time) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  timer.expires_after(time);
  co_await timer.async_wait(asio::use_awaitable);
}

/// False when a write failed.
inline asio::awaitable<bool> stream(Exchange& exchange, int chunks, size_t chunk_bytes,
                                    std::chrono::milliseconds pause) {
  Response head;
  head.content_type = "text/event-stream";
  head.headers = {{"X-Accel-Buffering", "no"}};
  (void)co_await exchange.begin(std::move(head));
  const std::string chunk(chunk_bytes, 'x');
  for (int i = 0; i < chunks; ++i) {
    if (pause.count() > 0) co_await wait(pause);
    const Result<void> written = co_await exchange.write(chunk);
    if (!written.ok()) co_return false;
  }
  co_return (co_await exchange.end()).ok();
}

inline asio::awaitable<void> handle(const Request& request, Exchange& exchange, Seen& seen) {
  ++seen.started;
  const Guard guard(seen.destroyed);
  Response response;
  response.content_type = "text/plain";
  if (request.path == "/echo") {
    response.body = request.method + "|" + request.path + "|" + request.query + "|" + request.body;
    (void)co_await exchange.respond(std::move(response));
  } else if (request.path == "/length") {
    response.body = std::to_string(request.body.size());
    (void)co_await exchange.respond(std::move(response));
  } else if (request.path == "/slow") {
    co_await wait(60s);
    (void)co_await exchange.respond(std::move(response));
  } else if (request.path == "/later") {
    co_await wait(200ms);
    response.body = "later";
    (void)co_await exchange.respond(std::move(response));
  } else if (request.path == "/stream") {
    if (!co_await stream(exchange, 5, 10, 5ms)) co_return;
  } else if (request.path == "/endless") {
    if (!co_await stream(exchange, 1 << 30, 10, 5ms)) co_return;
  } else if (request.path == "/flood") {
    if (!co_await stream(exchange, 1 << 30, 64 * 1024, 0ms)) co_return;
  } else if (request.path == "/throw") {
    throw std::runtime_error("broken on purpose");
  } else if (request.path == "/cut") {
    (void)co_await exchange.begin(std::move(response));
    (void)co_await exchange.write("half");
    throw std::runtime_error("broken half-way on purpose");
  } else if (request.path == "/empty") {
    response.status = 204;
    (void)co_await exchange.respond(std::move(response));
  } else if (request.path == "/split") {
    response.headers = {{"X-Evil", "a\r\nSet-Cookie: b"}, {"X-Good", "c"}, {"Content-Length", "9"}};
    (void)co_await exchange.respond(std::move(response));
  }  // others: not answered at all
  ++seen.finished;
}

class ServerFixture : public ::testing::Test {
 protected:
  void start(const Limits& limits = {}, int threads = 2) {
    auto server = Server::listen(
        context_.get_executor(), "127.0.0.1", 0, limits,
        [this](const Request& request, Exchange& exchange) {
          return handle(request, exchange, seen_);
        },
        unparsed);
    ASSERT_TRUE(server.ok()) << server.error().message;
    server_ = std::move(server).value();
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { context_.run(); });
  }
  void TearDown() override {
    if (server_) server_->close();
    for (std::thread& thread : threads_) thread.join();
  }
  uint16_t port() const { return server_->port(); }

  static bool eventually(const std::function<bool()>& condition) {
    for (int i = 0; i < 2000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(5ms);
    }
    return false;
  }

  Seen seen_;
  asio::io_context context_;
  std::unique_ptr<Server> server_;
  std::vector<std::thread> threads_;
};

}  // namespace baton::http
