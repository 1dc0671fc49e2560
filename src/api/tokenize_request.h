// POST /tokenize and /detokenize, in vLLM's forms.
// https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html#tokenizer-api
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/completion_request.h"
#include "base/result.h"
#include "text/chat_template.h"

namespace baton::api {

struct TokenizeRequest {
  std::optional<std::string> model;
  std::optional<std::string> prompt;  // or, if absent:
  std::vector<Message> messages;
  bool add_special_tokens = true;  // of a prompt; the template of messages has its own
  bool add_generation_prompt = true;
  bool return_token_strs = false;
};

struct DetokenizeRequest {
  std::optional<std::string> model;
  std::vector<Token> tokens;
};

Result<TokenizeRequest> parse_tokenize_request(std::string_view body);
Result<DetokenizeRequest> parse_detokenize_request(std::string_view body);

/// {"count","max_model_len","tokens","token_strs"}; `strings` null leaves token_strs null.
std::string render_tokenized(const std::vector<Token>& tokens, uint32_t context_tokens,
                             const std::vector<std::string>* strings);
std::string render_detokenized(const std::string& text);

}  // namespace baton::api
