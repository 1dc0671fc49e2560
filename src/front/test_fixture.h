// A front behind a real server on loopback, over a token source that follows a script; for tests.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/serialize.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/json.h"
#include "front/front.h"
#include "front/test_fakes.h"
#include "http/test_client.h"
#include "ops/service_metrics.h"

namespace baton {

inline constexpr const char* kChat = "/v1/chat/completions";
inline constexpr const char* kText = "/v1/completions";

/// "hm" as the thought, then `text`.
inline Script thought_then(const std::string& text, int wait_ms = 0) {
  return script_of(byte_tokens("hm\n</think>\n\n" + text), Finish::stop, wait_ms, 2);
}

class FrontFixture : public testing::Test {
 protected:
  void SetUp() override {
    options_.model_names = {"demo", "org/alias"};
    options_.created_s = 7;
    options_.sampling.temperature = 0.6f;
    options_.sampling.top_p = 0.95f;
    options_.sampling.eos_tokens = {ByteTokenizer::kEos};
    options_.access_log = false;
    options_.version = "1.2.3";
    options_.unix_time_s = [] { return int64_t{1000}; };
  }

  void TearDown() override {
    if (server_) server_->close();
    guard_.reset();
    for (std::thread& thread : threads_) thread.join();
    EXPECT_EQ(source_ ? source_->live.load() : 0, 0);
  }

  void start(ScriptedSource::Answer answer, bool with_tokenizer = true) {
    source_ = std::make_unique<ScriptedSource>(std::move(answer));
    std::shared_ptr<const Tokenizer> tokenizer;
    std::optional<ChatTemplate> chat;
    if (with_tokenizer) {
      tokenizer = std::make_shared<ByteTokenizer>();
      chat =
          ChatTemplate::recognise(kDeepSeekTemplate, "<｜begin▁of▁sentence｜>", *tokenizer).value();
    }
    front_ =
        std::make_unique<Front>(*source_, tokenizer, chat, options_, metrics_, registry_, clock_);
    server_ = http::Server::listen(io_.get_executor(), "127.0.0.1", 0, limits_, front_->handler(),
                                   Front::unparsed)
                  .value();
    for (int i = 0; i < 2; ++i) {
      threads_.emplace_back([this] { io_.run(); });
    }
  }

  http::TestResponse post(const std::string& path, const std::string& body,
                          const std::string& headers = {}) {
    http::TestClient client(server_->port());
    EXPECT_TRUE(client.post(path, body, headers));
    return client.read_response().value_or(http::TestResponse{});
  }
  http::TestResponse get(const std::string& path, const std::string& method = "GET") {
    http::TestClient client(server_->port());
    EXPECT_TRUE(client.send(method + " " + path + " HTTP/1.1\r\nHost: localhost:1\r\n\r\n"));
    return client.read_response(method == "HEAD").value_or(http::TestResponse{});
  }
  static json::value parsed(const std::string& text) {
    Result<json::value> value = parse_json(text);
    EXPECT_TRUE(value.ok()) << text;
    return value.ok() ? *value : json::value();
  }
  static std::string at(const json::value& value, std::string_view pointer) {
    boost::system::error_code error;
    const json::value* found = value.find_pointer(pointer, error);
    return found == nullptr ? "absent" : json::serialize(*found);
  }
  /// The events of a stream, comments left out; each is what follows "data: ".
  static std::vector<std::string> events(const std::string& body) {
    std::vector<std::string> out;
    size_t begin = 0;
    while (begin < body.size()) {
      const size_t end = body.find("\n\n", begin);
      EXPECT_NE(end, std::string::npos) << body.substr(begin);
      if (end == std::string::npos) break;
      const std::string event = body.substr(begin, end - begin);
      if (!event.starts_with(":")) {
        EXPECT_TRUE(event.starts_with("data: ")) << event;
        out.push_back(event.substr(6));
      }
      begin = end + 2;
    }
    return out;
  }
  /// Waits (bounded) for something that the server does on its own time.
  static bool eventually(const std::function<bool()>& condition) {
    for (int i = 0; i < 5000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  }
  static std::string chat(const std::string& fields = {}) {
    return R"({"messages":[{"role":"user","content":"hi"}])" +
           (fields.empty() ? "" : "," + fields) + "}";
  }
  uint64_t counted(const std::string& line) {
    const std::string page = registry_.render();
    const size_t at = page.find(line + " ");
    return at == std::string::npos ? 0 : std::stoull(page.substr(at + line.size() + 1));
  }

  FrontOptions options_;
  http::Limits limits_;
  SteadyClock clock_;
  MetricRegistry registry_;
  ops::ServiceMetrics metrics_{registry_};
  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{
      io_.get_executor()};
  std::unique_ptr<ScriptedSource> source_;
  std::unique_ptr<Front> front_;
  std::unique_ptr<http::Server> server_;
  std::vector<std::thread> threads_;
};

}  // namespace baton
