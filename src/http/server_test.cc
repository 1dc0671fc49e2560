#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "http/server_fixture.h"

namespace baton::http {
namespace {

using ServerTest = ServerFixture;

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
