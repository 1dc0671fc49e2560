// A parsed request resolved against the model: prompts as ids, defaults, limits.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/chat_request.h"
#include "api/completion_request.h"
#include "api/response.h"
#include "front/choice.h"
#include "front/context.h"
#include "http/server.h"
#include "token/token.h"

namespace baton {

struct GenerationJob {
  api::Answer answer;
  std::vector<TokenRequest> requests;  // one a choice, in the order of the answer's choices
  ChoiceOptions choice;
  std::vector<std::vector<Token>> prompts;  // each once, for usage and return_token_ids
  uint32_t choices_per_prompt = 1;
  bool return_token_ids = false;
  bool stream = false;
  bool include_usage = false;
  bool continuous_usage = false;

  uint32_t choices() const { return static_cast<uint32_t>(prompts.size()) * choices_per_prompt; }
  const std::vector<Token>& prompt_of(uint32_t choice_index) const {
    return prompts[choice_index / choices_per_prompt];
  }
};

/// Errors are the client's: unknown model, prompt too long, ids outside the vocabulary, a bad
/// x-request-timeout-ms header, text without a tokenizer.
Result<GenerationJob> resolve_chat(const FrontContext& context, const http::Request& http,
                                   api::ChatRequest request);
Result<GenerationJob> resolve_completion(const FrontContext& context, const http::Request& http,
                                         api::CompletionRequest request);

/// invalid_argument, reason "invalid_token_id", unless 0 ≤ token < vocab_size.
Result<void> check_token_id(uint32_t vocab_size, Token token, const char* param);

/// A text of the client's own as ids: the post-processor's prefix (BOS) if asked for and not there
/// already, markers in the text count.
std::vector<Token> encode_prompt(const Tokenizer& tokenizer, const std::string& text,
                                 bool add_special_tokens);

}  // namespace baton
