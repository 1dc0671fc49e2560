#include "api/tokenize_request.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "api/chat_request.h"

namespace baton::api {

Result<TokenizeRequest> parse_tokenize_request(std::string_view body) {
  BATON_ASSIGN(const json::object object, parse_body(body));
  Fields fields(object);
  TokenizeRequest request;
  fields.string("model", kMaxNameBytes, request.model);
  fields.string("prompt", body.size(), request.prompt);
  if (!request.prompt && fields.ok()) {
    if (fields.find("messages") == nullptr) {
      fields.fail("prompt", "missing_required_parameter",
                  "Missing required parameter: 'prompt' or 'messages'.");
    } else {
      parse_messages(fields, request.messages);
    }
  }
  fields.boolean("add_special_tokens", request.add_special_tokens);
  fields.boolean("add_generation_prompt", request.add_generation_prompt);
  fields.boolean("return_token_strs", request.return_token_strs);
  BATON_TRY(fields.result());
  return request;
}

Result<DetokenizeRequest> parse_detokenize_request(std::string_view body) {
  BATON_ASSIGN(const json::object object, parse_body(body));
  Fields fields(object);
  DetokenizeRequest request;
  fields.string("model", kMaxNameBytes, request.model);
  std::optional<std::vector<Token>> tokens;
  fields.tokens("tokens", kMaxPromptTokens, tokens);
  if (!tokens && fields.ok()) {
    fields.fail("tokens", "missing_required_parameter", "Missing required parameter: 'tokens'.");
  }
  BATON_TRY(fields.result());
  request.tokens = std::move(*tokens);
  return request;
}

std::string render_tokenized(const std::vector<Token>& tokens, uint32_t context_tokens,
                             const std::vector<std::string>* strings) {
  json::object out;
  out["count"] = tokens.size();
  out["max_model_len"] = context_tokens;
  out["tokens"] = json::array(tokens.begin(), tokens.end());
  if (strings == nullptr) {
    out["token_strs"] = nullptr;
  } else {
    out["token_strs"] = json::array(strings->begin(), strings->end());
  }
  return json::serialize(out);
}

std::string render_detokenized(const std::string& text) {
  json::object out;
  out["prompt"] = text;
  return json::serialize(out);
}

}  // namespace baton::api
