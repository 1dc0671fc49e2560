// POST /v1/completions, the request.
// https://platform.openai.com/docs/api-reference/completions/create
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "api/generation.h"
#include "base/result.h"

namespace baton::api {

/// A text to tokenise, or ids to take as they are.
using Prompt = std::variant<std::string, std::vector<Token>>;

struct CompletionRequest {
  Generation generation;
  std::vector<Prompt> prompts;     // 1…kMaxPrompts
  bool add_special_tokens = true;  // the post-processor's prefix (BOS) before a text
};

/// Errors: invalid_argument or unsupported, `param` naming the field, from the client.
Result<CompletionRequest> parse_completion_request(std::string_view body);

}  // namespace baton::api
