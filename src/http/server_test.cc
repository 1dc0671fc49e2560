#include "http/server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "http/test_client.h"

namespace baton::http {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

Response unparsed(int status, const std::string& message) {
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

asio::awaitable<void> wait(std::chrono::milliseconds time) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  timer.expires_after(time);
  co_await timer.async_wait(asio::use_awaitable);
}

/// False when a write failed.
asio::awaitable<bool> stream(Exchange& exchange, int chunks, size_t chunk_bytes,
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

asio::awaitable<void> handle(const Request& request, Exchange& exchange, Seen& seen) {
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

class ServerTest : public ::testing::Test {
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

TEST_F(ServerTest, AnswersAndKeepsTheConnection) {
  start();
  TestClient client(port());
  for (int i = 0; i < 3; ++i) {
    client.post("/echo?a=b%20c", "body" + std::to_string(i));
    const auto response = client.read_response();
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->body, "POST|/echo|a=b%20c|body" + std::to_string(i));
    EXPECT_EQ(response->header("content-type"), "text/plain");
    EXPECT_EQ(response->header("connection"), "");
    EXPECT_EQ(response->header("date").size(), 29u);
  }
  EXPECT_EQ(server_->stats().requests_total, 3u);
  EXPECT_EQ(server_->stats().connections_total, 1u);
}

TEST_F(ServerTest, HonoursConnectionClose) {
  start();
  TestClient client(port());
  client.get("/echo", "Connection: close\r\n");
  const auto response = client.read_response();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->header("connection"), "close");
  EXPECT_TRUE(client.at_end());
}

TEST_F(ServerTest, AnswerSurvivesBytesThatFollowTheLastRequest) {
  start();
  for (int i = 0; i < 50; ++i) {
    TestClient client(port());
    client.send("GET /echo HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n" +
                std::string(50'000, 'A'));
    const auto response = client.read_response();
    ASSERT_TRUE(response) << i;
    EXPECT_EQ(response->body, "GET|/echo||");
    EXPECT_TRUE(client.at_end());
  }
}

TEST_F(ServerTest, SpeaksHttp10) {
  start();
  {
    TestClient client(port());
    client.send("GET /echo HTTP/1.0\r\n\r\n");
    const auto response = client.read_response();
    ASSERT_TRUE(response);
    EXPECT_EQ(response->header("connection"), "close");
    EXPECT_TRUE(client.at_end());
  }
  {
    TestClient client(port());
    for (int i = 0; i < 2; ++i) {
      client.send("GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
      const auto response = client.read_response();
      ASSERT_TRUE(response);
      EXPECT_EQ(response->header("connection"), "keep-alive");
    }
    client.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const auto response = client.read_response();
    ASSERT_TRUE(response);
    EXPECT_EQ(response->header("transfer-encoding"), "");
    EXPECT_EQ(response->header("connection"), "close");
    EXPECT_EQ(response->body, std::string(50, 'x'));
    EXPECT_TRUE(client.at_end());
  }
}

TEST_F(ServerTest, StreamsChunks) {
  start();
  TestClient client(port());
  for (int i = 0; i < 2; ++i) {
    client.get("/stream");
    const auto head = client.read_head();
    ASSERT_TRUE(head);
    EXPECT_EQ(head->header("transfer-encoding"), "chunked");
    EXPECT_EQ(head->header("content-type"), "text/event-stream");
    EXPECT_EQ(head->header("x-accel-buffering"), "no");
    for (int k = 0; k < 5; ++k) EXPECT_EQ(client.read_chunk().value_or("-"), std::string(10, 'x'));
    EXPECT_EQ(client.read_chunk().value_or("-"), "");
  }
}

TEST_F(ServerTest, HeadHasNoBody) {
  start();
  TestClient client(port());
  client.send("HEAD /echo HTTP/1.1\r\nHost: t\r\n\r\n");
  auto response = client.read_response(true);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->header("content-length"), "12");  // HEAD|/echo||
  client.send("HEAD /stream HTTP/1.1\r\nHost: t\r\n\r\n");
  response = client.read_response(true);
  ASSERT_TRUE(response);
  client.get("/empty");
  response = client.read_response(true);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 204);
  EXPECT_EQ(response->header("content-length"), "");
  client.get("/echo");
  response = client.read_response();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body, "GET|/echo||");
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  start();
  TestClient client(port());
  std::string all;
  for (int i = 0; i < 50; ++i) {
    const std::string body = "n" + std::to_string(i);
    all += std::string("POST ") + (i % 10 == 3 ? "/later" : "/echo") +
           " HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           body;
  }
  client.send(all);
  for (int i = 0; i < 50; ++i) {
    const auto response = client.read_response();
    ASSERT_TRUE(response) << i;
    EXPECT_EQ(response->body, i % 10 == 3 ? "later" : "POST|/echo||n" + std::to_string(i));
  }
}

TEST_F(ServerTest, PipelinedFloodBehindASlowRequestIsBoundedAndStillWatched) {
  start();
  for (const bool hard : {false, true}) {
    const int before = seen_.destroyed;
    TestClient client(port());
    client.get("/slow");
    // More than is kept: the rest stays in the kernel. (An orderly end that waits behind more than
    // the kernel takes cannot be seen; a reset can.)
    client.send(std::string(hard ? 128 * 1024 : 40 * 1024, 'A'));
    ASSERT_TRUE(eventually([&] { return seen_.started == before + 1; }));
    std::this_thread::sleep_for(100ms);
    EXPECT_EQ(seen_.destroyed, before);
    hard ? client.reset() : client.close();
    EXPECT_TRUE(eventually([&] { return seen_.destroyed == before + 1; }));
    EXPECT_EQ(seen_.finished, 0);
  }
}

TEST_F(ServerTest, ClientThatLeavesCancelsTheHandler) {
  start();
  for (const bool hard : {false, true}) {
    for (const char* path : {"/slow", "/endless"}) {
      const int before = seen_.destroyed;
      TestClient client(port());
      client.get(path);
      ASSERT_TRUE(eventually([&] { return seen_.started == before + 1; }));
      hard ? client.reset() : client.close();
      EXPECT_TRUE(eventually([&] { return seen_.destroyed == before + 1; })) << path << hard;
      EXPECT_EQ(seen_.finished, 0);
    }
  }
  EXPECT_TRUE(eventually([&] { return server_->stats().connections_open == 0; }));
}

TEST_F(ServerTest, SlowReaderIsCutOff) {
  Limits limits;
  limits.write_timeout_ms = 200;
  start(limits);
  TestClient client(port(), 4096);
  client.get("/flood");
  // The write fails, or the handler is cancelled while it waits: either ends it.
  EXPECT_TRUE(eventually([&] { return seen_.destroyed == 1; }));
  EXPECT_TRUE(eventually([&] { return server_->stats().connections_open == 0; }));
}

TEST_F(ServerTest, SlowReaderThatReadsIsServed) {
  Limits limits;
  limits.write_timeout_ms = 400;
  start(limits);
  TestClient client(port(), 4096);
  client.get("/flood");
  ASSERT_TRUE(client.read_head());
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(client.read_chunk());
    std::this_thread::sleep_for(50ms);
  }
  EXPECT_EQ(seen_.destroyed, 0);
}

TEST_F(ServerTest, RequestIdIsEchoedIfWellFormed) {
  start();
  TestClient client(port());
  client.get("/echo", "X-Request-Id: abc-1.2_3\r\n");
  EXPECT_EQ(client.read_response()->header("x-request-id"), "abc-1.2_3");
  client.get("/echo", "X-Request-Id: a b\r\n");
  const std::string made = client.read_response()->header("x-request-id");
  EXPECT_EQ(made.substr(0, 4), "req-");
  client.get("/echo", "X-Request-Id: " + std::string(129, 'a') + "\r\n");
  const std::string next = client.read_response()->header("x-request-id");
  EXPECT_EQ(next.substr(0, 4), "req-");
  EXPECT_NE(made, next);
}

TEST_F(ServerTest, HandlerThatFailsOrForgetsGets500) {
  start();
  TestClient client(port());
  for (const char* path : {"/throw", "/forgotten"}) {
    client.get(path);
    const auto response = client.read_response();
    ASSERT_TRUE(response) << path;
    EXPECT_EQ(response->status, 500);
    EXPECT_EQ(response->body.find("purpose"), std::string::npos);  // nothing internal leaks
  }
}

TEST_F(ServerTest, AnswerCutHalfWayIsNotEndedProperly) {
  start();
  TestClient client(port());
  client.get("/cut");
  ASSERT_TRUE(client.read_head());
  EXPECT_EQ(client.read_chunk().value_or("-"), "half");
  EXPECT_FALSE(client.read_chunk());
  EXPECT_TRUE(client.at_end());
}

TEST_F(ServerTest, HeadersCannotBeSplitOrForged) {
  start();
  TestClient client(port());
  client.get("/split");
  const auto response = client.read_response();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->header("set-cookie"), "");
  EXPECT_EQ(response->header("x-evil"), "");
  EXPECT_EQ(response->header("x-good"), "c");
  EXPECT_EQ(response->header("content-length"), "0");
}

TEST_F(ServerTest, LargeHeaderIsRefused) {
  start();
  TestClient client(port());
  client.get("/echo", "X-Big: " + std::string(64 * 1024, 'a') + "\r\n");
  const auto response = client.read_response();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 431);
  EXPECT_EQ(response->header("connection"), "close");
  EXPECT_EQ(response->header("x-request-id").substr(0, 4), "req-");
  EXPECT_TRUE(client.at_end());
  EXPECT_EQ(server_->stats().refused_total, 1u);
  EXPECT_EQ(seen_.started, 0);
}

TEST_F(ServerTest, LargeBodyIsRefusedFromItsLength) {
  start();
  TestClient client(port());
  client.post("/length", std::string(10 * 1024 * 1024, 'a'));
  const auto response = client.read_response();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 413);
  EXPECT_TRUE(client.at_end());
  EXPECT_EQ(seen_.started, 0);
}

TEST_F(ServerTest, BodyUpToTheLimitIsTaken) {
  Limits limits;
  limits.body_bytes = 100'000;
  start(limits);
  TestClient client(port());
  client.post("/length", std::string(100'000, 'a'));
  EXPECT_EQ(client.read_response()->body, "100000");
  client.post("/length", std::string(100'001, 'a'));
  EXPECT_EQ(client.read_response()->status, 413);
}

TEST_F(ServerTest, ChunkedBodyIsDecodedAndLimited) {
  Limits limits;
  limits.body_bytes = 1000;
  start(limits);
  const std::string head = "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
  {
    TestClient client(port());
    const std::string request = head + "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nT: v\r\n\r\n";
    for (const char c : request) {  // byte by byte
      client.send(std::string_view(&c, 1));
    }
    EXPECT_EQ(client.read_response()->body, "POST|/echo||hello world");
    client.send(request + request);
    EXPECT_EQ(client.read_response()->body, "POST|/echo||hello world");
    EXPECT_EQ(client.read_response()->body, "POST|/echo||hello world");
  }
  {
    TestClient client(port());
    client.send(head + "3e8\r\n" + std::string(1000, 'a') + "\r\n1\r\nb\r\n0\r\n\r\n");
    EXPECT_EQ(client.read_response()->status, 413);
  }
  {
    TestClient client(port());
    client.send(head + "-2\r\nhello");
    EXPECT_EQ(client.read_response()->status, 400);
    EXPECT_TRUE(client.at_end());
  }
}

TEST_F(ServerTest, BodiesTogetherAreLimited) {
  Limits limits;
  limits.bodies_bytes = 300'000;
  start(limits);
  std::vector<std::unique_ptr<TestClient>> held;
  for (int i = 0; i < 3; ++i) {
    held.push_back(std::make_unique<TestClient>(port()));
    held.back()->post("/slow", std::string(90'000, 'a'));
  }
  ASSERT_TRUE(eventually([&] { return seen_.started == 3; }));
  TestClient client(port());
  client.post("/length", std::string(90'000, 'a'));
  const auto response = client.read_response();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 503);
  EXPECT_EQ(response->header("retry-after"), "1");
  held.clear();
  ASSERT_TRUE(eventually([&] { return seen_.destroyed == 3; }));
  TestClient again(port());
  again.post("/length", std::string(90'000, 'a'));
  EXPECT_EQ(again.read_response()->body, "90000");
}

TEST_F(ServerTest, ExpectContinue) {
  start();
  TestClient client(port());
  client.send(
      "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  const auto interim = client.read_head();
  ASSERT_TRUE(interim);
  EXPECT_EQ(interim->status, 100);
  client.send("ab");
  EXPECT_EQ(client.read_response()->body, "POST|/echo||ab");
  client.send(
      "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n");
  const auto refusal = client.read_head();
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->status, 413);  // without having asked for the body
}

TEST_F(ServerTest, NotHttpIsRefusedAtOnce) {
  start();
  const std::string cases[] = {
      std::string("\x16\x03\x01\x02\x00\x01\x00", 7),  // a TLS hello
      "GET / HTTP/1.1\nHost: t\n\n",
      "GET /\x01 HTTP/1.1\r\n",
      "\r\n\r\n",
  };
  for (const std::string& text : cases) {
    TestClient client(port());
    client.send(text);
    const auto response = client.read_response();
    ASSERT_TRUE(response) << text;
    EXPECT_EQ(response->status, 400);
    EXPECT_TRUE(client.at_end());
  }
}

TEST_F(ServerTest, SlowHeaderBodyAndIdleAreTimedOut) {
  Limits limits;
  limits.header_timeout_ms = 150;
  limits.body_timeout_ms = 150;
  limits.idle_timeout_ms = 150;
  start(limits);
  {
    TestClient client(port());
    client.send("GET / HT");
    EXPECT_EQ(client.read_response()->status, 408);
    EXPECT_TRUE(client.at_end());
  }
  {
    TestClient client(port());
    client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nabc");
    EXPECT_EQ(client.read_response()->status, 408);
  }
  {
    TestClient client(port());  // says nothing at all
    EXPECT_FALSE(client.read_response());
    EXPECT_TRUE(client.at_end());
  }
  {
    TestClient client(port());
    client.get("/echo");
    ASSERT_TRUE(client.read_response());
    EXPECT_FALSE(client.read_response());
    EXPECT_TRUE(client.at_end());
  }
  {
    TestClient client(port());  // a header that trickles does not extend its time
    for (int i = 0; i < 40; ++i) {
      client.send("G");
      std::this_thread::sleep_for(10ms);
    }
    client.timeout_ms = 0;  // the answer is there already
    const auto response = client.read_response();
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 408);
  }
}

TEST_F(ServerTest, ConnectionCapRefusesPolitely) {
  Limits limits;
  limits.connections = 2;
  start(limits);
  TestClient first(port());
  auto second = std::make_unique<TestClient>(port());
  first.get("/echo");
  ASSERT_TRUE(first.read_response());
  second->get("/echo");
  ASSERT_TRUE(second->read_response());
  {
    TestClient third(port());
    third.get("/echo");
    const auto response = third.read_response();
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 503);
    EXPECT_EQ(response->header("retry-after"), "1");
    EXPECT_TRUE(third.at_end());
  }
  second.reset();
  ASSERT_TRUE(eventually([&] { return server_->stats().connections_open == 1; }));
  TestClient fourth(port());
  fourth.get("/echo");
  EXPECT_EQ(fourth.read_response()->status, 200);
}

TEST_F(ServerTest, StopAcceptingLetsRequestsFinish) {
  start();
  TestClient idle(port());
  idle.get("/echo");
  ASSERT_TRUE(idle.read_response());
  TestClient busy(port());
  busy.get("/later");
  ASSERT_TRUE(eventually([&] { return seen_.started == 2; }));
  server_->stop_accepting();
  EXPECT_TRUE(idle.at_end());
  const auto response = busy.read_response();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body, "later");
  EXPECT_EQ(response->header("connection"), "close");
  EXPECT_TRUE(busy.at_end());
  EXPECT_TRUE(eventually([&] { return !TestClient(port()).connected(); }));
}

TEST_F(ServerTest, CloseCancelsEverything) {
  start();
  TestClient slow(port()), endless(port()), idle(port());
  slow.get("/slow");
  endless.get("/endless");
  ASSERT_TRUE(eventually([&] { return seen_.started == 2; }));
  server_->close();
  EXPECT_TRUE(slow.at_end());
  EXPECT_TRUE(endless.at_end());
  EXPECT_TRUE(idle.at_end());
  EXPECT_TRUE(eventually([&] { return seen_.destroyed == 2; }));
  EXPECT_EQ(seen_.finished, 0);
}

TEST(ServerListen, NamesTheAddressInErrors) {
  asio::io_context context;
  auto handler = [](const Request&, Exchange&) -> asio::awaitable<void> { co_return; };
  auto bad = Server::listen(context.get_executor(), "no.such.host", 0, {}, handler, unparsed);
  ASSERT_FALSE(bad.ok());
  EXPECT_NE(bad.error().message.find("no.such.host"), std::string::npos);
  auto first = Server::listen(context.get_executor(), "localhost", 0, {}, handler, unparsed);
  ASSERT_TRUE(first.ok());
  const uint16_t port = first.value()->port();
  auto second = Server::listen(context.get_executor(), "127.0.0.1", port, {}, handler, unparsed);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Code::io);
  EXPECT_NE(second.error().message.find("127.0.0.1:" + std::to_string(port)), std::string::npos);
}

/// Many clients at once on several threads, some of which leave half-way.
TEST_F(ServerTest, ManyClientsAtOnce) {
  start({}, 4);
  std::atomic<int> good{0};
  std::vector<std::thread> clients;
  for (int c = 0; c < 8; ++c) {
    clients.emplace_back([&, c] {
      for (int i = 0; i < 30; ++i) {
        TestClient client(port());
        if ((i + c) % 5 == 0) {
          client.get("/endless");
          client.read_head();
          continue;
        }
        const std::string body(static_cast<size_t>(i) * 1000, 'b');
        client.post("/length", body);
        client.get("/stream");
        const auto first = client.read_response();
        const auto second = client.read_response();
        if (first && second && first->body == std::to_string(body.size()) &&
            second->body == std::string(50, 'x')) {
          ++good;
        }
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(good, 8 * 24);
  EXPECT_TRUE(eventually([&] { return server_->stats().connections_open == 0; }));
  EXPECT_EQ(seen_.destroyed, seen_.started);
}

}  // namespace
}  // namespace baton::http
