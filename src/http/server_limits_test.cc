#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "http/server_fixture.h"

namespace baton::http {
namespace {

using ServerLimitsTest = ServerFixture;

TEST_F(ServerLimitsTest, PipelinedFloodBehindASlowRequestIsBoundedAndStillWatched) {
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

TEST_F(ServerLimitsTest, SlowReaderIsCutOff) {
  Limits limits;
  limits.write_timeout_ms = 200;
  start(limits);
  TestClient client(port(), 4096);
  client.get("/flood");
  // The write fails, or the handler is cancelled while it waits: either ends it.
  EXPECT_TRUE(eventually([&] { return seen_.destroyed == 1; }));
  EXPECT_TRUE(eventually([&] { return server_->stats().connections_open == 0; }));
}

TEST_F(ServerLimitsTest, SlowReaderThatReadsIsServed) {
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

TEST_F(ServerLimitsTest, LargeHeaderIsRefused) {
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

TEST_F(ServerLimitsTest, LargeBodyIsRefusedFromItsLength) {
  start();
  TestClient client(port());
  client.post("/length", std::string(10 * 1024 * 1024, 'a'));
  const auto response = client.read_response();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 413);
  EXPECT_TRUE(client.at_end());
  EXPECT_EQ(seen_.started, 0);
}

TEST_F(ServerLimitsTest, BodyUpToTheLimitIsTaken) {
  Limits limits;
  limits.body_bytes = 100'000;
  start(limits);
  TestClient client(port());
  client.post("/length", std::string(100'000, 'a'));
  EXPECT_EQ(client.read_response()->body, "100000");
  client.post("/length", std::string(100'001, 'a'));
  EXPECT_EQ(client.read_response()->status, 413);
}

TEST_F(ServerLimitsTest, ChunkedBodyIsDecodedAndLimited) {
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

TEST_F(ServerLimitsTest, BodiesTogetherAreLimited) {
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

TEST_F(ServerLimitsTest, NotHttpIsRefusedAtOnce) {
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

TEST_F(ServerLimitsTest, SlowHeaderBodyAndIdleAreTimedOut) {
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

TEST_F(ServerLimitsTest, ConnectionCapRefusesPolitely) {
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

}  // namespace
}  // namespace baton::http
