#include "api/chat_request.h"

#include <gtest/gtest.h>

namespace baton::api {
namespace {

std::string body(const std::string& fields) {
  return R"({"messages":[{"role":"user","content":"hi"}])" + (fields.empty() ? "" : "," + fields) +
         "}";
}

TEST(ChatRequest, TheLeastRequestHasOpenAisDefaults) {
  const Result<ChatRequest> parsed = parse_chat_request(body(""));
  ASSERT_TRUE(parsed.ok());
  const Generation& generation = parsed->generation;
  EXPECT_EQ(parsed->messages.size(), 1u);
  EXPECT_EQ(parsed->messages[0].role, "user");
  EXPECT_EQ(parsed->messages[0].content, "hi");
  EXPECT_TRUE(parsed->add_generation_prompt);
  EXPECT_FALSE(generation.model || generation.temperature || generation.max_tokens ||
               generation.seed);
  EXPECT_EQ(generation.choices, 1u);
  EXPECT_EQ(generation.logprobs, -1);
  EXPECT_TRUE(generation.skip_special);
  EXPECT_FALSE(generation.stream || generation.include_usage || generation.ignore_eos ||
               generation.include_stop || generation.return_token_ids);
}

TEST(ChatRequest, ReadsEveryField) {
  const Result<ChatRequest> parsed = parse_chat_request(body(R"(
    "model":"m","n":3,"stop":["a","b"],"logit_bias":{"7":-100,"3":1.5},"stream":true,
    "stream_options":{"include_usage":true},"max_tokens":5,"max_completion_tokens":9,
    "min_tokens":2,"stop_token_ids":[4,5],"ignore_eos":true,"include_stop_str_in_output":true,
    "skip_special_tokens":false,"return_token_ids":true,"cache_salt":"s","priority":-7,
    "add_generation_prompt":false,"include_reasoning":false)"));
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  const Generation& g = parsed->generation;
  EXPECT_EQ(g.model, "m");
  EXPECT_EQ(g.choices, 3u);
  EXPECT_EQ(g.stop, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(g.logit_bias, (std::vector<std::pair<Token, float>>{{3, 1.5f}, {7, -100.f}}));
  EXPECT_TRUE(g.stream && g.include_usage && g.ignore_eos && g.include_stop && g.return_token_ids);
  EXPECT_FALSE(g.skip_special || parsed->add_generation_prompt || parsed->include_reasoning);
  EXPECT_EQ(g.max_tokens, 9);
  EXPECT_EQ(g.min_tokens, 2u);
  EXPECT_EQ(g.stop_tokens, (std::vector<Token>{4, 5}));
  EXPECT_EQ(g.cache_salt, "s");
  EXPECT_EQ(g.priority, 7);
}

TEST(ChatRequest, RolesAndContentForms) {
  const Result<ChatRequest> parsed = parse_chat_request(R"({"messages":[
    {"role":"developer","content":"be brief","name":"d"},
    {"role":"user","content":[{"type":"text","text":"a"},{"type":"input_text","text":"b"}]},
    {"role":"assistant","content":null,"reasoning_content":"hm","reasoning":"hm"},
    {"role":"assistant","content":"x","tool_calls":[],"refusal":null},
    {"role":"tool","content":"42","tool_call_id":"t"}]})");
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  const std::vector<Message>& m = parsed->messages;
  ASSERT_EQ(m.size(), 5u);
  EXPECT_EQ(m[0].role, "system");
  EXPECT_EQ(m[1].content, "a\nb");
  EXPECT_EQ(m[2].content, "");
  EXPECT_EQ(m[3].content, "x");
  EXPECT_EQ(m[4].role, "tool");
}

TEST(ChatRequest, WrongFieldsAreNamed) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({})", "messages"},
      {R"({"messages":null})", "messages"},
      {R"({"messages":"hi"})", "messages"},
      {R"({"messages":[]})", "messages"},
      {R"({"messages":[1]})", "messages[0]"},
      {R"({"messages":[{"content":"a"}]})", "messages[0].role"},
      {R"({"messages":[{"role":1,"content":"a"}]})", "messages[0].role"},
      {R"({"messages":[{"role":"boss","content":"a"}]})", "messages[0].role"},
      {R"({"messages":[{"role":"user"}]})", "messages[0].content"},
      {R"({"messages":[{"role":"user","content":null}]})", "messages[0].content"},
      {R"({"messages":[{"role":"user","content":7}]})", "messages[0].content"},
      {R"({"messages":[{"role":"user","content":["a"]}]})", "messages[0].content[0]"},
      {R"({"messages":[{"role":"user","content":[{}]}]})", "messages[0].content[0].type"},
      {R"({"messages":[{"role":"user","content":[{"type":"text"}]}]})",
       "messages[0].content[0].text"},
      {body(R"("model":7)"), "model"},
      {body(R"("stop":7)"), "stop"},
      {body(R"("stop":"")"), "stop"},
      {body(R"("stop":["a",7])"), "stop[1]"},
      {body(R"("stop":["a",""])"), "stop[1]"},
      {body(R"("stop":["1","2","3","4","5","6","7","8","9","a","b","c","d","e","f","g","h"])"),
       "stop"},
      {body(R"("logit_bias":[])"), "logit_bias"},
      {body(R"("logit_bias":{"x":1})"), "logit_bias"},
      {body(R"("logit_bias":{"-1":1})"), "logit_bias"},
      {body(R"("logit_bias":{"01":1})"), "logit_bias"},
      {body(R"("logit_bias":{"2147483648":1})"), "logit_bias"},
      {body(R"("logit_bias":{"1":101})"), "logit_bias.1"},
      {body(R"("logit_bias":{"1":"a"})"), "logit_bias.1"},
      {body(R"("stop_token_ids":7)"), "stop_token_ids"},
      {body(R"("stop_token_ids":[-1])"), "stop_token_ids[0]"},
      {body(R"("stop_token_ids":[2147483648])"), "stop_token_ids[0]"},
      {body(R"("stop_token_ids":["a"])"), "stop_token_ids[0]"},
      {body(R"("stream":"yes")"), "stream"},
      {body(R"("stream_options":{})"), "stream_options"},
      {body(R"("stream":true,"stream_options":7)"), "stream_options"},
      {body(R"("stream":true,"stream_options":{"include_usage":1})"),
       "stream_options.include_usage"},
      {body(R"("ignore_eos":1)"), "ignore_eos"},
      {body(R"("min_tokens":6,"max_tokens":5)"), "min_tokens"},
      {body(R"("cache_salt":7)"), "cache_salt"},
  };
  for (const auto& [text, param] : cases) {
    const Result<ChatRequest> parsed = parse_chat_request(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().param, param) << text;
    EXPECT_EQ(parsed.error().code, Code::invalid_argument) << text;
    EXPECT_FALSE(parsed.error().reason.empty()) << text;
  }
}

TEST(ChatRequest, WhatBatonDoesNotDoIsRefusedByName) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"("tools":[{"type":"function"}])", "tools"},
      {R"("tool_choice":"required")", "tool_choice"},
      {R"("tool_choice":{"type":"function"})", "tool_choice"},
      {R"("functions":[{}])", "functions"},
      {R"("function_call":{"name":"f"})", "function_call"},
      {R"("response_format":{"type":"json_object"})", "response_format"},
      {R"("response_format":{"type":"json_schema","json_schema":{}})", "response_format"},
      {R"("response_format":{})", "response_format"},
      {R"("modalities":["text","audio"])", "modalities"},
      {R"("audio":{"voice":"x"})", "audio"},
      {R"("prediction":{"type":"content"})", "prediction"},
      {R"("guided_json":{})", "guided_json"},
      {R"("echo":true)", "echo"},
      {R"("best_of":2)", "best_of"},
      {R"("n":3,"best_of":4)", "best_of"},
      {R"("prompt_logprobs":1)", "prompt_logprobs"},
      {R"("continue_final_message":true)", "continue_final_message"},
      {R"("suffix":"end")", "suffix"},
      {R"("use_beam_search":true)", "use_beam_search"},
  };
  for (const auto& [fields, param] : cases) {
    const Result<ChatRequest> parsed = parse_chat_request(body(fields));
    ASSERT_FALSE(parsed.ok()) << fields;
    EXPECT_EQ(parsed.error().param, param);
    EXPECT_EQ(parsed.error().code, Code::unsupported);
    EXPECT_EQ(parsed.error().reason, "unsupported_parameter");
  }
  const std::vector<std::pair<std::string, std::string>> parts = {
      {R"({"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]})",
       "messages[0].content[0].type"},
      {R"({"role":"user","content":[{"type":"input_audio","input_audio":{}}]})",
       "messages[0].content[0].type"},
      {R"({"role":"assistant","content":"","tool_calls":[{"id":"1"}]})", "messages[0].tool_calls"},
      {R"({"role":"assistant","content":"","function_call":{}})", "messages[0].function_call"}};
  for (const auto& [message, param] : parts) {
    const Result<ChatRequest> parsed = parse_chat_request(R"({"messages":[)" + message + "]}");
    ASSERT_FALSE(parsed.ok()) << message;
    EXPECT_EQ(parsed.error().param, param);
    EXPECT_EQ(parsed.error().reason, "unsupported_parameter");
  }
}

TEST(ChatRequest, HarmlessValuesAndUnknownFieldsPass) {
  for (const char* fields :
       {R"("tools":[],"tool_choice":"none","functions":null,"function_call":"auto")",
        R"("tool_choice":"auto","parallel_tool_calls":true)",
        R"("response_format":{"type":"text"},"modalities":["text"],"audio":null,"prediction":null)",
        R"("user":"u","metadata":{"a":"b"},"store":true,"service_tier":"auto","verbosity":"low")",
        R"("reasoning_effort":"high","safety_identifier":"x","prompt_cache_key":"y")",
        R"("echo":false,"n":2,"best_of":2,"suffix":null,"use_beam_search":false)",
        R"("chat_template_kwargs":{"a":[1]},"no_such_field":{"deep":[[[1]]]})",
        R"("stop":null,"stop":[],"logit_bias":{},"stream_options":null,"stream":null)",
        R"("model":null,"temperature":null,"seed":null,"max_tokens":null,"logprobs":null)"}) {
    const Result<ChatRequest> parsed = parse_chat_request(body(fields));
    EXPECT_TRUE(parsed.ok()) << fields << ": " << parsed.error().message;
  }
}

TEST(ChatRequest, ListsHaveLimits) {
  std::string bias = "\"logit_bias\":{";
  for (int i = 0; i < 301; ++i) bias += (i ? "," : "") + ("\"" + std::to_string(i) + "\":1");
  EXPECT_EQ(parse_chat_request(body(bias + "}")).error().param, "logit_bias");

  std::string messages = R"({"messages":[)";
  for (size_t i = 0; i <= kMaxMessages; ++i) {
    messages += std::string(i ? "," : "") + R"({"role":"user","content":""})";
  }
  EXPECT_EQ(parse_chat_request(messages + "]}").error().param, "messages");

  const std::string stop = "\"stop\":\"" + std::string(kMaxStopBytes + 1, 'x') + "\"";
  EXPECT_EQ(parse_chat_request(body(stop)).error().param, "stop");
}

}  // namespace
}  // namespace baton::api
