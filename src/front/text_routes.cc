#include "front/text_routes.h"

#include "api/tokenize_request.h"
#include "front/generation_job.h"

namespace baton {

Result<std::string> answer_tokenize(const FrontContext& context, std::string_view body) {
  BATON_ASSIGN(const api::TokenizeRequest request, api::parse_tokenize_request(body));
  BATON_ASSIGN(const std::string model, context.model_name(request.model));
  std::vector<Token> tokens;
  if (request.prompt) {
    BATON_TRY(context.needs_tokenizer());
    tokens = encode_prompt(*context.tokenizer, *request.prompt, request.add_special_tokens);
  } else {
    BATON_TRY(context.needs_chat_template());
    tokens = context.chat_template->encode(*context.tokenizer, request.messages,
                                           request.add_generation_prompt,
                                           context.options.content_markers);
  }
  std::vector<std::string> strings;
  if (request.return_token_strs) {
    for (const Token& token : tokens) {
      strings.push_back(context.tokenizer->decode(std::span(&token, 1), false));
    }
  }
  return api::render_tokenized(tokens, context.source.info().context_tokens,
                               request.return_token_strs ? &strings : nullptr);
}

Result<std::string> answer_detokenize(const FrontContext& context, std::string_view body) {
  BATON_ASSIGN(const api::DetokenizeRequest request, api::parse_detokenize_request(body));
  BATON_ASSIGN(const std::string model, context.model_name(request.model));
  BATON_TRY(context.needs_tokenizer());
  const uint32_t vocab_size = context.source.info().vocab_size;
  for (const Token token : request.tokens) BATON_TRY(check_token_id(vocab_size, token, "tokens"));
  return api::render_detokenized(context.tokenizer->decode(request.tokens, false));
}

}  // namespace baton
