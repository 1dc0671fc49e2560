// Answers of the generating routes, whole and streamed, over real sockets.
#include "front/front.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <random>
#include <stdexcept>
#include <thread>
#include <tuple>

#include "front/test_fixture.h"

namespace baton {
namespace {

using http::TestClient;
using http::TestResponse;

class FrontTest : public FrontFixture {};

ScriptStep one_token() {
  ScriptStep step;
  step.events.resize(1);
  step.events[0].token = 'a';
  return step;
}

TEST_F(FrontTest, AWholeChatAnswer) {
  start([](const TokenRequest&) { return thought_then("408"); });
  const TestResponse response = post(kChat, chat(R"("seed":-3)"), "x-request-id: abc\r\n");
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(response.header("x-request-id"), "abc");
  const json::value body = parsed(response.body);
  EXPECT_EQ(at(body, "/object"), "\"chat.completion\"");
  EXPECT_EQ(at(body, "/model"), "\"demo\"");
  EXPECT_EQ(at(body, "/created"), "1000");
  EXPECT_EQ(at(body, "/seed"), "-3");
  EXPECT_EQ(at(body, "/system_fingerprint"), "\"fp_0000000000000abc\"");
  EXPECT_TRUE(at(body, "/id").starts_with("\"chatcmpl-"));
  EXPECT_EQ(at(body, "/choices/0/message/content"), "\"408\"");
  EXPECT_EQ(at(body, "/choices/0/message/reasoning_content"), "\"hm\"");
  EXPECT_EQ(at(body, "/choices/0/message/reasoning"), "\"hm\"");
  EXPECT_EQ(at(body, "/choices/0/finish_reason"), "\"stop\"");
  EXPECT_EQ(at(body, "/usage/completion_tokens"), "10");
  EXPECT_EQ(at(body, "/usage/completion_tokens_details/reasoning_tokens"), "4");
  EXPECT_EQ(at(body, "/usage/prompt_tokens_details/cached_tokens"), "2");
  EXPECT_EQ(at(body, "/usage/prompt_tokens"),
            std::to_string(source_->requests().at(0).prompt.size()));
}

TEST_F(FrontTest, TheRequestReachesTheSourceWithDefaultsAndLimits) {
  start([](const TokenRequest&) { return thought_then("1"); });
  ASSERT_EQ(post(kChat, chat()).status, 200);
  ASSERT_EQ(post(kChat, chat(R"("temperature":0,"top_p":0.5,"top_k":3,"min_p":0.1,"seed":5,
      "max_tokens":100000,"logit_bias":{"7":-1},"stop_token_ids":[9],"presence_penalty":1,
      "frequency_penalty":-1,"repetition_penalty":1.5,"min_tokens":4,"ignore_eos":true,
      "logprobs":true,"top_logprobs":2,"priority":-2,"cache_salt":"s")"),
                 "x-request-timeout-ms: 60000\r\n")
                .status,
            200);
  const std::vector<TokenRequest> requests = source_->requests();
  const TokenRequest& plain = requests.at(0);
  const std::vector<Token> prompt = {ByteTokenizer::kBos,       ByteTokenizer::kUser,  'h', 'i',
                                     ByteTokenizer::kAssistant, ByteTokenizer::kThink, '\n'};
  EXPECT_EQ(plain.prompt, prompt);
  EXPECT_EQ(plain.sampling.temperature, 0.6f);
  EXPECT_EQ(plain.sampling.top_p, 0.95f);
  EXPECT_EQ(plain.sampling.eos_tokens, std::vector<Token>{ByteTokenizer::kEos});
  EXPECT_EQ(plain.sampling.logprobs, -1);
  EXPECT_EQ(plain.max_tokens, 512 - prompt.size());
  EXPECT_LT(plain.seed, uint64_t{1} << 53);
  EXPECT_TRUE(plain.deadline.is_never());
  EXPECT_EQ(plain.cache_salt, 0u);

  const TokenRequest& full = requests.at(1);
  EXPECT_NE(full.stream, plain.stream);
  EXPECT_EQ(full.seed, 5u);
  EXPECT_EQ(full.sampling.temperature, 0.0f);
  EXPECT_EQ(full.sampling.top_p, 0.5f);
  EXPECT_EQ(full.sampling.top_k, 3);
  EXPECT_EQ(full.sampling.min_p, 0.1f);
  EXPECT_EQ(full.sampling.repetition_penalty, 1.5f);
  EXPECT_EQ(full.sampling.presence_penalty, 1.0f);
  EXPECT_EQ(full.sampling.frequency_penalty, -1.0f);
  EXPECT_EQ(full.sampling.min_tokens, 4u);
  EXPECT_TRUE(full.sampling.ignore_eos);
  EXPECT_EQ(full.sampling.stop_tokens, std::vector<Token>{9});
  EXPECT_EQ(full.sampling.logit_bias, (std::vector<std::pair<Token, float>>{{7, -1.0f}}));
  EXPECT_EQ(full.sampling.logprobs, 2);
  EXPECT_EQ(full.priority, 2);
  EXPECT_NE(full.cache_salt, 0u);
  const Nanos left = full.deadline.remaining(clock_.now());
  EXPECT_GT(left, seconds(30));
  EXPECT_LE(left, seconds(60));
}

TEST_F(FrontTest, AStreamedChatAnswer) {
  start([](const TokenRequest&) { return thought_then("42"); });
  const TestResponse response =
      post(kChat, chat(R"("stream":true,"stream_options":{"include_usage":true})"));
  ASSERT_EQ(response.status, 200);
  EXPECT_TRUE(response.header("content-type").starts_with("text/event-stream"));
  EXPECT_EQ(response.header("cache-control"), "no-store");
  EXPECT_EQ(response.header("x-accel-buffering"), "no");
  EXPECT_FALSE(response.header("x-request-id").empty());
  const std::vector<std::string> all = events(response.body);
  ASSERT_GE(all.size(), 5u);
  EXPECT_EQ(all.back(), "[DONE]");
  EXPECT_EQ(at(parsed(all[0]), "/choices/0/delta"), R"({"role":"assistant","content":""})");
  const std::string seed = at(parsed(all[0]), "/seed");
  std::string content, reasoning, finish;
  for (size_t i = 0; i + 1 < all.size(); ++i) {
    const json::value chunk = parsed(all[i]);
    EXPECT_EQ(at(chunk, "/object"), "\"chat.completion.chunk\"");
    EXPECT_EQ(at(chunk, "/seed"), seed);
    const bool last = i + 2 == all.size();
    EXPECT_EQ(at(chunk, "/usage") == "null", !last);
    if (last) {
      EXPECT_EQ(at(chunk, "/choices"), "[]");
      EXPECT_EQ(at(chunk, "/usage/completion_tokens"), "9");
      continue;
    }
    const json::object& delta = chunk.at("choices").at(0).at("delta").as_object();
    if (const auto* text = delta.if_contains("content")) content += text->as_string();
    if (const auto* text = delta.if_contains("reasoning")) reasoning += text->as_string();
    const std::string why = at(chunk, "/choices/0/finish_reason");
    if (why != "null") {
      EXPECT_TRUE(finish.empty());
      EXPECT_TRUE(delta.empty());
      finish = why;
    }
  }
  EXPECT_EQ(content, "42");
  EXPECT_EQ(reasoning, "hm");
  EXPECT_EQ(finish, "\"stop\"");
}

TEST_F(FrontTest, UsageIsAbsentFromChunksUnlessAskedFor) {
  start([](const TokenRequest&) { return thought_then("42"); });
  const std::string plain = post(kChat, chat(R"("stream":true)")).body;
  EXPECT_EQ(plain.find("usage"), std::string::npos);
  const std::vector<std::string> all = events(
      post(kChat, chat(R"("stream":true,"stream_options":{"continuous_usage_stats":true})")).body);
  EXPECT_EQ(at(parsed(all.at(all.size() - 2)), "/usage/completion_tokens"), "9");
}

TEST_F(FrontTest, SeveralChoicesAreOneAnswer) {
  start([](const TokenRequest& request) {
    return thought_then(std::string(1, static_cast<char>('a' + request.choice)));
  });
  const json::value whole = parsed(post(kChat, chat(R"("n":3,"seed":9)")).body);
  for (int i = 0; i < 3; ++i) {
    const std::string choice = "/choices/" + std::to_string(i);
    EXPECT_EQ(at(whole, choice + "/index"), std::to_string(i));
    EXPECT_EQ(at(whole, choice + "/message/content"), "\"" + std::string(1, 'a' + i) + "\"");
  }
  EXPECT_EQ(at(whole, "/usage/prompt_tokens"), "7");
  EXPECT_EQ(at(whole, "/usage/completion_tokens"), "24");
  EXPECT_EQ(at(whole, "/usage/prompt_tokens_details/cached_tokens"), "2");
  for (const TokenRequest& request : source_->requests()) EXPECT_EQ(request.seed, 9u);

  std::map<std::string, std::string> text, finish;
  const std::vector<std::string> all = events(post(kChat, chat(R"("n":3,"stream":true)")).body);
  EXPECT_EQ(all.back(), "[DONE]");
  for (size_t i = 0; i + 1 < all.size(); ++i) {
    const json::value chunk = parsed(all[i]);
    const std::string index = at(chunk, "/choices/0/index");
    const std::string content = at(chunk, "/choices/0/delta/content");
    if (content != "absent") text[index] += content;
    const std::string why = at(chunk, "/choices/0/finish_reason");
    if (why != "null") finish[index] += why;
  }
  EXPECT_EQ(text, (std::map<std::string, std::string>{
                      {"0", "\"\"\"a\""}, {"1", "\"\"\"b\""}, {"2", "\"\"\"c\""}}));
  EXPECT_EQ(finish, (std::map<std::string, std::string>{
                        {"0", "\"stop\""}, {"1", "\"stop\""}, {"2", "\"stop\""}}));
}

TEST_F(FrontTest, CompletionsTakeTextsIdsAndBatches) {
  start([](const TokenRequest& request) {
    return script_of({static_cast<Token>('a' + request.choice), request.prompt.back()});
  });
  const json::value body =
      parsed(post(kText, R"({"prompt":["x","<｜User｜>y"],"n":2,"return_token_ids":true})").body);
  EXPECT_EQ(at(body, "/object"), "\"text_completion\"");
  EXPECT_EQ(at(body, "/choices/0/text"), "\"ax\"");
  EXPECT_EQ(at(body, "/choices/1/text"), "\"bx\"");
  EXPECT_EQ(at(body, "/choices/2/text"), "\"ay\"");
  EXPECT_EQ(at(body, "/choices/3/text"), "\"by\"");
  EXPECT_EQ(at(body, "/choices/3/index"), "3");
  EXPECT_EQ(at(body, "/choices/3/prompt_token_ids"), "[261,258,121]");
  EXPECT_EQ(at(body, "/choices/3/token_ids"), "[98,121,260]");
  EXPECT_EQ(at(body, "/usage/prompt_tokens"), "5");

  ASSERT_EQ(post(kText, R"({"prompt":[[120],[121,122]],"max_tokens":3})").status, 200);
  const std::vector<TokenRequest> requests = source_->requests();
  EXPECT_EQ(requests.at(4).prompt, std::vector<Token>{'x'});  // verbatim: no BOS
  EXPECT_EQ(requests.at(5).prompt, (std::vector<Token>{'y', 'z'}));
  EXPECT_EQ(requests.at(5).choice, 0u);
  EXPECT_EQ(requests.at(5).max_tokens, 3u);
}

TEST_F(FrontTest, StreamedCompletionsWithLogprobsAndIds) {
  start([](const TokenRequest&) { return script_of(byte_tokens("ab")); });
  const std::vector<std::string> all = events(
      post(kText, R"({"prompt":[1,2],"stream":true,"logprobs":1,"return_token_ids":true})").body);
  ASSERT_EQ(all.size(), 5u);
  const json::value first = parsed(all[0]);
  EXPECT_EQ(at(first, "/choices/0/text"), "\"a\"");
  EXPECT_EQ(at(first, "/choices/0/prompt_token_ids"), "[1,2]");
  EXPECT_EQ(at(first, "/choices/0/token_ids"), "[97]");
  EXPECT_EQ(at(first, "/choices/0/logprobs/tokens"), "[\"a\"]");
  EXPECT_EQ(at(first, "/choices/0/logprobs/text_offset"), "[0]");
  const json::value second = parsed(all[1]);
  EXPECT_EQ(at(second, "/choices/0/prompt_token_ids"), "absent");
  EXPECT_EQ(at(second, "/choices/0/logprobs/text_offset"), "[1]");
  EXPECT_EQ(at(parsed(all[3]), "/choices/0/finish_reason"), "\"stop\"");
  EXPECT_EQ(all[4], "[DONE]");
}

TEST_F(FrontTest, AStopStringDropsTheStream) {
  start([](const TokenRequest&) {
    Script script = script_of(byte_tokens("</think>abENDcd"), Finish::length);
    script.insert(script.begin() + 7, ScriptStep{});  // would wait for ever after the stop
    return script;
  });
  const json::value body = parsed(post(kChat, chat(R"("stop":"END")")).body);
  EXPECT_EQ(at(body, "/choices/0/message/content"), "\"ab\"");
  EXPECT_EQ(at(body, "/choices/0/finish_reason"), "\"stop\"");
  EXPECT_EQ(at(body, "/choices/0/stop_reason"), "\"END\"");
  EXPECT_EQ(at(body, "/usage/completion_tokens"), "6");
  EXPECT_TRUE(eventually([&] { return source_->live == 0; }));
}

TEST_F(FrontTest, MinTokensHoldsBackStopStringsToo) {
  start([](const TokenRequest&) { return thought_then("aENDbENDc"); });
  // The thought and the newlines after it take six tokens: END is complete at the 10th and 14th.
  const auto content = [&](const char* more) {
    return at(parsed(post(kChat, chat(more)).body), "/choices/0/message/content");
  };
  EXPECT_EQ(content(R"("stop":"END","min_tokens":10)"), "\"a\"");
  EXPECT_EQ(content(R"("stop":"END","min_tokens":11)"), "\"aENDb\"");
  EXPECT_EQ(content(R"("stop":"END","min_tokens":15)"), "\"aENDbENDc\"");
}

TEST_F(FrontTest, AClientThatLeavesCancelsItsWork) {
  start([](const TokenRequest&) { return Script{one_token(), {}}; });
  for (const bool stream : {true, false}) {
    for (const bool reset : {true, false}) {
      TestClient client(server_->port());
      client.post(kChat, chat(stream ? R"("n":4,"stream":true)" : R"("n":4)"));
      if (stream) {
        EXPECT_TRUE(client.read_head());
        EXPECT_TRUE(client.read_chunk());
      }
      EXPECT_TRUE(eventually([&] { return source_->live == 4; }));
      if (reset) {
        client.reset();
      } else {
        client.close();
      }
      EXPECT_TRUE(eventually([&] { return source_->live == 0; })) << stream << reset;
    }
  }
  EXPECT_TRUE(eventually([&] {
    return counted(R"(baton_requests_total{route="/v1/chat/completions",status="499"})") == 2;
  })) << registry_.render();
}

TEST_F(FrontTest, CommentsKeepASilentStreamAlive) {
  options_.keep_alive_ms = 20;
  start([](const TokenRequest&) { return thought_then("4", 50); });
  const std::string body = post(kChat, chat(R"("stream":true)")).body;
  EXPECT_TRUE(body.starts_with(": keep-alive\n\n")) << body.substr(0, 80);
  EXPECT_NE(body.find("\n\n: keep-alive\n\ndata: "), std::string::npos);
  EXPECT_EQ(events(body).back(), "[DONE]");
}

TEST_F(FrontTest, RefusalsKeepTheirStatusAndRetryHint) {
  start([](const TokenRequest&) -> Result<Script> {
    Error full = self_error(Code::resource_exhausted, "The queue is full.");
    full.retry_after_ms = 2500;
    full.reason = "queue_full";
    return full;
  });
  for (const char* fields : {"", R"("stream":true)", R"("n":3)"}) {
    const TestResponse response = post(kChat, chat(fields));
    EXPECT_EQ(response.status, 429);
    EXPECT_EQ(response.header("retry-after"), "3");
    EXPECT_EQ(response.header("retry-after-ms"), "2500");
    EXPECT_EQ(at(parsed(response.body), "/error/code"), "\"queue_full\"");
  }
}

TEST_F(FrontTest, ARefusalOfOneChoiceDropsTheOthers) {
  start([](const TokenRequest& request) -> Result<Script> {
    if (request.choice == 2) return self_error(Code::unavailable, "Draining.");
    return Script{{}};
  });
  EXPECT_EQ(post(kChat, chat(R"("n":3)")).status, 503);
  EXPECT_TRUE(eventually([&] { return source_->live == 0; }));
}

TEST_F(FrontTest, EndingsThatAreErrors) {
  Finish finish = Finish::deadline;
  start([&](const TokenRequest&) { return script_of(byte_tokens("ab"), finish); });
  const std::vector<std::tuple<Finish, int, std::string>> cases = {
      {Finish::deadline, 504, "timeout"},
      {Finish::cancelled, 503, "service_unavailable"},
      {Finish::error, 500, "server_error"}};
  for (const auto& [how, status, type] : cases) {
    finish = how;
    const TestResponse whole = post(kChat, chat());
    EXPECT_EQ(whole.status, status);
    EXPECT_EQ(at(parsed(whole.body), "/error/type"), "\"" + type + "\"");
    const TestResponse streamed = post(kChat, chat(R"("stream":true)"));
    EXPECT_EQ(streamed.status, 200);
    const std::vector<std::string> all = events(streamed.body);
    EXPECT_EQ(at(parsed(all.back()), "/error/type"), "\"" + type + "\"");
    EXPECT_NE(streamed.body.find("\"ab\"") == std::string::npos, false);
    EXPECT_EQ(streamed.body.find("finish_reason\":\""), std::string::npos);
    EXPECT_EQ(streamed.body.find("[DONE]"), std::string::npos);
  }
}

TEST_F(FrontTest, AnErrorOfOneChoiceEndsAll) {
  start([](const TokenRequest& request) {
    if (request.choice == 1) return script_of(byte_tokens("ab"), Finish::error, 5);
    return Script{one_token(), {}};
  });
  EXPECT_EQ(post(kChat, chat(R"("n":3)")).status, 500);
  const std::vector<std::string> all = events(post(kChat, chat(R"("n":3,"stream":true)")).body);
  EXPECT_EQ(at(parsed(all.back()), "/error/type"), "\"server_error\"");
  EXPECT_TRUE(eventually([&] { return source_->live == 0; }));
}

TEST_F(FrontTest, AReaderThatDoesNotReadHoldsTheStreamBack) {
  limits_.write_timeout_ms = 500;
  limits_.send_buffer_bytes = 8 * 1024;
  start(
      [](const TokenRequest&) { return script_of(std::vector<Token>(400, 'a'), Finish::length); });
  TestClient client(server_->port(), 4096);
  const std::string body =
      R"({"prompt":[1],"n":16,"stream":true,"logprobs":1,"return_token_ids":true})";
  ASSERT_TRUE(client.post(kText, body));
  ASSERT_TRUE(client.read_head());
  // Not read on: the readers stop at a bounded backlog, then the server gives the client up.
  EXPECT_TRUE(eventually([&] { return source_->live == 0; }));
  EXPECT_LT(source_->given, 16 * 400);
  EXPECT_GT(source_->given, 0);
}

TEST_F(FrontTest, ASlowReaderGetsAllOfIt) {
  limits_.send_buffer_bytes = 8 * 1024;
  start(
      [](const TokenRequest&) { return script_of(std::vector<Token>(400, 'a'), Finish::length); });
  TestClient client(server_->port(), 4096);
  ASSERT_TRUE(client.post(kText, R"({"prompt":[1],"n":8,"stream":true,"logprobs":1})"));
  ASSERT_TRUE(client.read_head());
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  std::string body;
  while (auto chunk = client.read_chunk()) {
    if (chunk->empty()) break;
    body += *chunk;
  }
  const std::vector<std::string> all = events(body);
  EXPECT_EQ(all.size(), 8u * 401 + 1);
  EXPECT_EQ(all.back(), "[DONE]");
}

TEST_F(FrontTest, ClosingTheServerEndsOpenStreams) {
  start([](const TokenRequest&) { return Script{{}}; });
  TestClient client(server_->port());
  ASSERT_TRUE(client.post(kChat, chat(R"("stream":true,"n":2)")));
  ASSERT_TRUE(client.read_head());
  ASSERT_TRUE(eventually([&] { return source_->live == 2; }));
  server_->close();
  EXPECT_TRUE(eventually([&] { return source_->live == 0; }));
  EXPECT_TRUE(client.at_end());
}

TEST_F(FrontTest, ASourceThatThrowsIsAnErrorOfItsRequestOnly) {
  start([](const TokenRequest& request) -> Result<Script> {
    if (request.prompt == std::vector<Token>{1}) throw std::runtime_error("no");
    if (request.prompt == std::vector<Token>{2}) {
      return Script{one_token(), ScriptStep{0, {}, true}};
    }
    return script_of({'a'});
  });
  for (const char* stream : {"false", "true"}) {
    const std::string rest = std::string(R"(,"n":2,"stream":)") + stream + "}";
    const TestResponse at_start = post(kText, R"({"prompt":[1])" + rest);
    EXPECT_EQ(at_start.status, 500);
    EXPECT_EQ(at(parsed(at_start.body), "/error/type"), "\"server_error\"");
    const TestResponse later = post(kText, R"({"prompt":[2])" + rest);
    const bool streamed = stream[0] == 't';
    EXPECT_EQ(later.status, streamed ? 200 : 500);
    const std::string error = streamed ? events(later.body).back() : later.body;
    EXPECT_EQ(at(parsed(error), "/error/code"), "\"internal_error\"");
    EXPECT_EQ(error.find("script"), std::string::npos) << "says nothing of the inside";
  }
  EXPECT_EQ(post(kText, R"({"prompt":[3]})").status, 200);
  EXPECT_TRUE(eventually([&] {
    return counted(R"(baton_requests_total{route="/v1/completions",status="500"})") == 3;
  })) << registry_.render();
}

TEST_F(FrontTest, ManyClientsComeAndGo) {
  constexpr uint32_t kSeed = 20240607;
  start([](const TokenRequest& request) -> Result<Script> {
    if (request.prompt.size() % 7 == 6) return self_error(Code::resource_exhausted, "Full.");
    return script_of(std::vector<Token>(20, request.prompt.back()), Finish::length,
                     static_cast<int>(request.prompt.size() % 3));
  });
  std::atomic<int> answered{0}, left{0};
  std::vector<std::thread> clients;
  for (uint32_t i = 0; i < 8; ++i) {
    clients.emplace_back([&, i] {
      std::mt19937 random(kSeed + i);
      for (int round = 0; round < 15; ++round) {
        const Token letter = static_cast<Token>('a' + random() % 26);
        const size_t length = 1 + random() % 8;
        const bool stream = random() % 2 == 0;
        std::string ids;
        for (size_t k = 0; k < length; ++k) ids += (k ? "," : "") + std::to_string(letter);
        TestClient client(server_->port());
        client.post(kText, "{\"prompt\":[" + ids + "],\"n\":" + std::to_string(1 + random() % 3) +
                               ",\"stream\":" + (stream ? "true" : "false") + "}");
        if (random() % 3 == 0) {
          std::this_thread::sleep_for(std::chrono::milliseconds(random() % 20));
          random() % 2 == 0 ? client.reset() : client.close();
          ++left;
          continue;
        }
        const auto response = client.read_response();
        ASSERT_TRUE(response) << "seed " << kSeed + i;
        ASSERT_EQ(response->status, length % 7 == 6 ? 429 : 200) << "seed " << kSeed + i;
        ++answered;
        if (length % 7 == 6) continue;
        if (stream) {
          ASSERT_EQ(events(response->body).back(), "[DONE]") << "seed " << kSeed + i;
        } else {
          EXPECT_EQ(at(parsed(response->body), "/choices/0/text"),
                    "\"" + std::string(20, static_cast<char>(letter)) + "\"")
              << "seed " << kSeed + i;
        }
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_GT(answered, 0);
  EXPECT_GT(left, 0);
  EXPECT_EQ(answered + left, 8 * 15);
  EXPECT_TRUE(eventually([&] { return source_->live == 0; }));
}

}  // namespace
}  // namespace baton
