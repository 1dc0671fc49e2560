// POST /v1/chat/completions, the request.
// https://platform.openai.com/docs/api-reference/chat/create
#pragma once

#include <string_view>
#include <vector>

#include "api/generation.h"
#include "base/result.h"
#include "text/chat_template.h"

namespace baton::api {

struct ChatRequest {
  Generation generation;
  std::vector<Message> messages;  // at least one; "developer" has become "system"
  bool add_generation_prompt = true;
  bool include_reasoning = true;  // false: the thought is left out of the answer
};

/// Errors: invalid_argument or unsupported, `param` naming the field, from the client.
Result<ChatRequest> parse_chat_request(std::string_view body);

/// The `messages` field alone, as /tokenize takes it too. Errors are left in `fields`.
void parse_messages(Fields& fields, std::vector<Message>& out);

}  // namespace baton::api
