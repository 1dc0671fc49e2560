#include "api/response.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/json.h"

namespace baton::api {
namespace {

Answer chat_answer() {
  return {Form::chat, ReasoningFormat::both, "chatcmpl-1", 12, "m", "fp_0000000000000001", -5};
}

Answer text_answer() {
  Answer answer = chat_answer();
  answer.form = Form::text;
  answer.id = "cmpl-1";
  return answer;
}

/// The JSON inside one `data: …\n\n` event.
json::value event_json(const std::string& event) {
  EXPECT_TRUE(event.starts_with("data: ")) << event;
  EXPECT_TRUE(event.ends_with("}\n\n")) << event;
  EXPECT_EQ(event.find('\n'), event.size() - 2) << event;
  return parse_json(event.substr(6)).value();
}

ChoicePart whole() {
  ChoicePart part;
  part.content = "408";
  part.reasoning = "17·24";
  part.finish = Finish::stop;
  return part;
}

TEST(ChatResponse, HasOpenAisShape) {
  const ChoicePart part = whole();
  EXPECT_EQ(
      render_response(chat_answer(), std::span(&part, 1), {3, 4, 1, 2}),
      R"({"id":"chatcmpl-1","object":"chat.completion","created":12,"model":"m",)"
      R"("system_fingerprint":"fp_0000000000000001","seed":-5,"choices":[{"index":0,"message":)"
      R"({"role":"assistant","content":"408","reasoning_content":"17·24","reasoning":"17·24",)"
      R"("refusal":null},"logprobs":null,"finish_reason":"stop","stop_reason":null}],"usage":)"
      R"({"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,)"
      R"("prompt_tokens_details":{"cached_tokens":1},)"
      R"("completion_tokens_details":{"reasoning_tokens":2}}})");
}

TEST(ChatResponse, ReasoningGoesWhereTheFormatSays) {
  const auto message = [](ReasoningFormat format) {
    Answer answer = chat_answer();
    answer.reasoning = format;
    const ChoicePart part = whole();
    const json::value out = parse_json(render_response(answer, std::span(&part, 1), {})).value();
    return out.at("choices").at(0).at("message").as_object();
  };
  EXPECT_TRUE(message(ReasoningFormat::both).contains("reasoning"));
  EXPECT_TRUE(message(ReasoningFormat::both).contains("reasoning_content"));
  EXPECT_FALSE(message(ReasoningFormat::reasoning_content).contains("reasoning"));
  EXPECT_TRUE(message(ReasoningFormat::reasoning_content).contains("reasoning_content"));
  EXPECT_TRUE(message(ReasoningFormat::reasoning).contains("reasoning"));
  EXPECT_FALSE(message(ReasoningFormat::reasoning).contains("reasoning_content"));
  for (const auto format : {ReasoningFormat::none, ReasoningFormat::tags}) {
    EXPECT_FALSE(message(format).contains("reasoning"));
    EXPECT_FALSE(message(format).contains("reasoning_content"));
  }
}

TEST(ChatResponse, AnAnswerCutInsideTheThoughtHasNullContent) {
  ChoicePart part = whole();
  part.content.reset();
  part.finish = Finish::length;
  const json::value out =
      parse_json(render_response(chat_answer(), std::span(&part, 1), {})).value();
  EXPECT_TRUE(out.at("choices").at(0).at("message").at("content").is_null());
  EXPECT_EQ(out.at("choices").at(0).at("finish_reason"), json::value("length"));
}

TEST(ChatResponse, StopReasonIsTheStringOrTheToken) {
  ChoicePart part = whole();
  const auto reason = [&] {
    return parse_json(render_response(chat_answer(), std::span(&part, 1), {}))
        .value()
        .at("choices")
        .at(0)
        .at("stop_reason");
  };
  part.stop_reason = std::string("END");
  EXPECT_EQ(reason(), json::value("END"));
  part.stop_reason = Token{7};
  EXPECT_EQ(reason(), json::value(7));
}

TEST(ChatChunk, DeltasCarryOnlyWhatIsNew) {
  ChoicePart part;
  part.index = 2;
  part.role = true;
  part.content = "";
  json::value out = event_json(render_chunk(chat_answer(), part, std::monostate()));
  EXPECT_EQ(out.at("object"), json::value("chat.completion.chunk"));
  EXPECT_EQ(out.at("seed"), json::value(-5));
  EXPECT_FALSE(out.as_object().contains("usage"));
  EXPECT_EQ(out.at("choices").at(0).at("index"), json::value(2));
  EXPECT_EQ(out.at("choices").at(0).at("delta"),
            json::value((json::object{{"role", "assistant"}, {"content", ""}})));
  EXPECT_TRUE(out.at("choices").at(0).at("finish_reason").is_null());

  ChoicePart thought;
  thought.reasoning = "hm";
  out = event_json(render_chunk(chat_answer(), thought, nullptr));
  EXPECT_EQ(out.at("choices").at(0).at("delta"),
            json::value((json::object{{"reasoning_content", "hm"}, {"reasoning", "hm"}})));
  EXPECT_TRUE(out.at("usage").is_null());

  ChoicePart last;
  last.finish = Finish::length;
  out = event_json(render_chunk(chat_answer(), last, Usage{1, 2, 0, 0}));
  EXPECT_EQ(out.at("choices").at(0).at("delta"), json::value(json::object()));
  EXPECT_EQ(out.at("choices").at(0).at("finish_reason"), json::value("length"));
  EXPECT_EQ(out.at("usage").at("total_tokens"), json::value(3));
}

TEST(ChatChunk, TheUsageChunkHasNoChoices) {
  const json::value out = event_json(render_usage_chunk(chat_answer(), {5, 6, 4, 3}));
  EXPECT_TRUE(out.at("choices").as_array().empty());
  EXPECT_EQ(out.at("usage").at("prompt_tokens_details").at("cached_tokens"), json::value(4));
  EXPECT_EQ(out.at("usage").at("completion_tokens_details").at("reasoning_tokens"), json::value(3));
}

TEST(ChatChunk, NewlinesInTextNeverBreakTheEvent) {
  ChoicePart part;
  part.content = "a\n\ndata: [DONE]\n\n\r\"\\";
  const json::value out = event_json(render_chunk(chat_answer(), part, std::monostate()));
  EXPECT_EQ(out.at("choices").at(0).at("delta").at("content"), json::value(*part.content));
}

std::vector<TokenLogprob> two_logprobs() {
  TokenLogprob first{{5, "é", "é"}, -0.5f, {}};
  first.top = {{{5, "é", "é"}, -0.5f}, {{6, "\xef\xbf\xbd", "\xff"}, -1.5f}};
  TokenLogprob second{{7, "b", "b"}, -std::numeric_limits<float>::infinity(), {}};
  return {first, second};
}

TEST(ChatLogprobs, HaveTokensBytesAndAlternatives) {
  ChoicePart part = whole();
  part.logprobs = two_logprobs();
  const json::value out =
      parse_json(render_response(chat_answer(), std::span(&part, 1), {})).value();
  const json::value& content = out.at("choices").at(0).at("logprobs").at("content");
  EXPECT_EQ(content.at(0).at("token"), json::value("é"));
  EXPECT_EQ(content.at(0).at("bytes"), json::value((json::array{0xc3, 0xa9})));
  EXPECT_EQ(content.at(0).at("logprob"), json::value(-0.5));
  EXPECT_EQ(content.at(0).at("top_logprobs").at(1).at("bytes"), json::value(json::array{0xff}));
  EXPECT_TRUE(content.at(1).at("top_logprobs").as_array().empty());
  EXPECT_EQ(content.at(1).at("logprob"), json::value(-9999.0));
}

TEST(TextResponse, HasOpenAisShapeWithLogprobsAndIds) {
  const std::vector<Token> prompt = {1, 2};
  ChoicePart part;
  part.content = "éb";
  part.logprobs = two_logprobs();
  part.token_ids = {5, 7};
  part.prompt_token_ids = &prompt;
  part.finish = Finish::stop;
  const json::value out =
      parse_json(render_response(text_answer(), std::span(&part, 1), {2, 2, 0, 0})).value();
  EXPECT_EQ(out.at("object"), json::value("text_completion"));
  const json::value& choice = out.at("choices").at(0);
  EXPECT_EQ(choice.at("text"), json::value("éb"));
  EXPECT_EQ(choice.at("token_ids"), json::value((json::array{5, 7})));
  EXPECT_EQ(choice.at("prompt_token_ids"), json::value((json::array{1, 2})));
  const json::value& logprobs = choice.at("logprobs");
  EXPECT_EQ(logprobs.at("tokens"), json::value((json::array{"é", "b"})));
  EXPECT_EQ(logprobs.at("token_logprobs"), json::value((json::array{-0.5, -9999.0})));
  EXPECT_EQ(logprobs.at("text_offset"), json::value((json::array{0, 1})));
  EXPECT_EQ(logprobs.at("top_logprobs").at(0).as_object().size(), 2u);
  EXPECT_EQ(logprobs.at("top_logprobs").at(1), json::value((json::object{{"b", -9999.0}})));
}

TEST(Models, ListAndOne) {
  const ModelInfo model{"a/b", 9, "baton", 4096, "a/b"};
  EXPECT_EQ(render_model(model),
            R"({"id":"a/b","object":"model","created":9,"owned_by":"baton","root":"a/b",)"
            R"("parent":null,"max_model_len":4096})");
  const json::value out = parse_json(render_models(std::span(&model, 1))).value();
  EXPECT_EQ(out.at("object"), json::value("list"));
  EXPECT_EQ(out.at("data").at(0).at("id"), json::value("a/b"));
}

}  // namespace
}  // namespace baton::api
