#include "api/completion_request.h"

#include <gtest/gtest.h>

#include "api/tokenize_request.h"

namespace baton::api {
namespace {

TEST(CompletionRequest, TheFourFormsOfAPrompt) {
  const auto prompts = [](const std::string& prompt) {
    Result<CompletionRequest> parsed = parse_completion_request("{\"prompt\":" + prompt + "}");
    EXPECT_TRUE(parsed.ok()) << prompt;
    return parsed->prompts;
  };
  using Ids = std::vector<Token>;
  EXPECT_EQ(prompts(R"("a")"), (std::vector<Prompt>{"a"}));
  EXPECT_EQ(prompts(R"(["a","b"])"), (std::vector<Prompt>{"a", "b"}));
  EXPECT_EQ(prompts("[1,2,3]"), (std::vector<Prompt>{Ids{1, 2, 3}}));
  EXPECT_EQ(prompts("[[1],[2,3]]"), (std::vector<Prompt>{Ids{1}, Ids{2, 3}}));
  EXPECT_EQ(prompts(R"([[1],"a"])"), (std::vector<Prompt>{Ids{1}, "a"}));
}

TEST(CompletionRequest, WrongPromptsAreNamed) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({})", "prompt"},
      {R"({"prompt":null})", "prompt"},
      {R"({"prompt":7})", "prompt"},
      {R"({"prompt":{}})", "prompt"},
      {R"({"prompt":[]})", "prompt"},
      {R"({"prompt":[1,-1]})", "prompt[1]"},
      {R"({"prompt":[1,"a"]})", "prompt[1]"},
      {R"({"prompt":[1.5]})", "prompt[0]"},
      {R"({"prompt":[2147483648]})", "prompt[0]"},
      {R"({"prompt":[1e308]})", "prompt[0]"},
      {R"({"prompt":["a",1]})", "prompt[1]"},
      {R"({"prompt":[[1],[null]]})", "prompt[1][0]"},
      {R"({"prompt":[true]})", "prompt[0]"},
      {R"({"prompt":"a","echo":true})", "echo"},
      {R"({"prompt":"a","suffix":"b"})", "suffix"},
      {R"({"prompt":"a","best_of":3})", "best_of"},
      {R"({"prompt":"a","add_special_tokens":1})", "add_special_tokens"},
  };
  for (const auto& [body, param] : cases) {
    const Result<CompletionRequest> parsed = parse_completion_request(body);
    ASSERT_FALSE(parsed.ok()) << body;
    EXPECT_EQ(parsed.error().param, param) << body;
  }
}

TEST(CompletionRequest, TheNumberOfAnswersIsLimited) {
  std::string prompts = "[";
  for (size_t i = 0; i < kMaxPrompts; ++i) prompts += (i ? ",\"a\"" : "\"a\"");
  EXPECT_TRUE(parse_completion_request("{\"n\":4,\"prompt\":" + prompts + "]}").ok());
  EXPECT_EQ(parse_completion_request("{\"n\":5,\"prompt\":" + prompts + "]}").error().param, "n");
  EXPECT_EQ(parse_completion_request("{\"prompt\":" + prompts + ",\"a\"]}").error().param,
            "prompt");
}

TEST(TokenizeRequest, PromptOrMessages) {
  const Result<TokenizeRequest> prompt =
      parse_tokenize_request(R"({"prompt":"a","add_special_tokens":false})");
  ASSERT_TRUE(prompt.ok());
  EXPECT_EQ(prompt->prompt, "a");
  EXPECT_FALSE(prompt->add_special_tokens);
  const Result<TokenizeRequest> chat = parse_tokenize_request(
      R"({"messages":[{"role":"user","content":"a"}],"return_token_strs":true})");
  ASSERT_TRUE(chat.ok());
  EXPECT_FALSE(chat->prompt);
  EXPECT_EQ(chat->messages.size(), 1u);
  EXPECT_TRUE(chat->return_token_strs);
  EXPECT_EQ(parse_tokenize_request("{}").error().param, "prompt");
  EXPECT_EQ(parse_tokenize_request(R"({"prompt":[1]})").error().param, "prompt");
  EXPECT_EQ(parse_tokenize_request(R"({"messages":[]})").error().param, "messages");
}

TEST(DetokenizeRequest, WantsIds) {
  EXPECT_EQ(parse_detokenize_request(R"({"tokens":[1,2]})")->tokens, (std::vector<Token>{1, 2}));
  EXPECT_TRUE(parse_detokenize_request(R"({"tokens":[]})").ok());
  EXPECT_EQ(parse_detokenize_request("{}").error().param, "tokens");
  EXPECT_EQ(parse_detokenize_request(R"({"tokens":"a"})").error().param, "tokens");
  EXPECT_EQ(parse_detokenize_request(R"({"tokens":[-1]})").error().param, "tokens[0]");
}

TEST(Tokenized, HasVllmsForm) {
  EXPECT_EQ(render_tokenized({1, 2}, 64, nullptr),
            R"({"count":2,"max_model_len":64,"tokens":[1,2],"token_strs":null})");
  const std::vector<std::string> strings = {"a", "\""};
  EXPECT_EQ(render_tokenized({1, 2}, 64, &strings),
            R"({"count":2,"max_model_len":64,"tokens":[1,2],"token_strs":["a","\""]})");
  EXPECT_EQ(render_detokenized("x\n"), R"({"prompt":"x\n"})");
}

}  // namespace
}  // namespace baton::api
