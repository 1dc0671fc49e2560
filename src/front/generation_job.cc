#include "front/generation_job.h"

#include <algorithm>
#include <charconv>

#include "base/hash.h"

namespace baton {
namespace {

constexpr uint64_t kDrawnSeedBits = 53;  // exact in every client's numbers
constexpr uint64_t kMaxTimeoutMs = 86'400'000;

Error invalid(std::string param, std::string reason, std::string message) {
  Error error = client_error(Code::invalid_argument, std::move(message), std::move(param));
  error.reason = std::move(reason);
  return error;
}

/// From x-request-timeout-ms, else the default.
Result<Deadline> deadline(const FrontContext& context, const http::Request& http) {
  uint64_t ms = context.options.request_timeout_ms;
  const std::string_view text = http.header("x-request-timeout-ms");
  if (!text.empty()) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
    if (error != std::errc() || end != text.data() + text.size() || ms == 0 || ms > kMaxTimeoutMs) {
      return invalid("x-request-timeout-ms", "invalid_value",
                     "The header 'x-request-timeout-ms' must be an integer from 1 to " +
                         std::to_string(kMaxTimeoutMs) + ".");
    }
  }
  if (ms == 0) return Deadline::never();
  return Deadline::at(context.clock.now() + milliseconds(static_cast<int64_t>(ms)));
}

Result<void> check_prompt(const SourceInfo& info, const std::vector<Token>& prompt,
                          const char* param) {
  if (prompt.empty()) {
    return invalid(param, "invalid_value", "The prompt has no tokens.");
  }
  if (prompt.size() >= info.context_tokens) {
    return invalid(param, "context_length_exceeded",
                   "This model's context is " + std::to_string(info.context_tokens) +
                       " tokens, answer included, but the prompt has " +
                       std::to_string(prompt.size()) + ".");
  }
  for (const Token token : prompt) BATON_TRY(check_token_id(info.vocab_size, token, param));
  return {};
}

Result<Sampling> sampling(const FrontContext& context, const SourceInfo& info,
                          const api::Generation& from) {
  Sampling out = api::resolve_sampling(from, context.options.sampling);
  for (const auto& [token, bias] : out.logit_bias) {
    BATON_TRY(check_token_id(info.vocab_size, token, "logit_bias"));
  }
  for (const Token token : out.stop_tokens) {
    BATON_TRY(check_token_id(info.vocab_size, token, "stop_token_ids"));
  }
  return out;
}

/// What chat and completions share once the prompts are ids.
Result<void> resolve(const FrontContext& context, const http::Request& http,
                     const api::Generation& from, const char* prompt_param, GenerationJob& job) {
  const SourceInfo info = context.source.info();
  if (!from.stop.empty() && context.tokenizer == nullptr) {
    Error error = context.needs_tokenizer().error();
    error.param = "stop";
    return error;
  }
  BATON_ASSIGN(job.answer.model, context.model_name(from.model));
  BATON_ASSIGN(const Deadline until, deadline(context, http));
  BATON_ASSIGN(const Sampling drawn, sampling(context, info, from));
  const uint64_t seed = from.seed ? static_cast<uint64_t>(*from.seed)
                                  : context.options.random() >> (64 - kDrawnSeedBits);
  job.answer.id =
      (job.answer.form == api::Form::chat ? "chatcmpl-" : "cmpl-") + context.random_id();
  job.answer.created_s = context.options.unix_time_s();
  job.answer.system_fingerprint = to_string(info.klass);
  job.answer.seed = static_cast<int64_t>(seed);

  for (const std::vector<Token>& prompt : job.prompts) {
    BATON_TRY(check_prompt(info, prompt, prompt_param));
    const int64_t room = info.context_tokens - static_cast<int64_t>(prompt.size());
    const int64_t wanted = from.max_tokens.value_or(context.options.max_tokens);
    for (uint32_t choice = 0; choice < from.choices; ++choice) {
      TokenRequest request;
      request.stream = context.next_stream.fetch_add(1, std::memory_order_relaxed);
      request.choice = choice;
      request.prompt = prompt;
      request.sampling = drawn;
      request.seed = seed;
      request.cache_salt = from.cache_salt ? hash_string(*from.cache_salt, 1) : 0;
      request.max_tokens = static_cast<uint32_t>(std::min(wanted, room));
      request.sampling.min_tokens = std::min(request.sampling.min_tokens, request.max_tokens);
      request.priority = from.priority;
      request.deadline = until;
      job.requests.push_back(std::move(request));
    }
  }

  job.choices_per_prompt = from.choices;
  job.choice.decoder.stop = from.stop;
  job.choice.decoder.include_stop = from.include_stop;
  job.choice.decoder.min_tokens = from.min_tokens;
  job.choice.decoder.skip_special = from.skip_special;
  job.choice.logprobs = from.logprobs >= 0;
  job.choice.token_ids = from.return_token_ids;
  job.choice.stop_tokens = from.stop_tokens;
  job.choice.reasoning = job.answer.reasoning;
  job.return_token_ids = from.return_token_ids;
  job.stream = from.stream;
  job.include_usage = from.include_usage;
  job.continuous_usage = from.continuous_usage;
  return {};
}

}  // namespace

Result<void> check_token_id(uint32_t vocab_size, Token token, const char* param) {
  if (token >= 0 && static_cast<uint32_t>(token) < vocab_size) return {};
  return invalid(param, "invalid_token_id",
                 "'" + std::string(param) + "' has the token id " + std::to_string(token) +
                     ", but this model's ids go from 0 to " + std::to_string(vocab_size - 1) + ".");
}

std::vector<Token> encode_prompt(const Tokenizer& tokenizer, const std::string& text,
                                 bool add_special_tokens) {
  std::vector<Token> tokens = tokenizer.encode(text, Markers::allow);
  const std::span<const Token> prefix = tokenizer.prefix();
  const bool there =
      tokens.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), tokens.begin());
  if (add_special_tokens && !there) tokens.insert(tokens.begin(), prefix.begin(), prefix.end());
  return tokens;
}

Result<GenerationJob> resolve_chat(const FrontContext& context, const http::Request& http,
                                   api::ChatRequest request) {
  BATON_TRY(context.needs_chat_template());
  GenerationJob job;
  job.answer.form = api::Form::chat;
  job.answer.reasoning =
      request.include_reasoning ? context.options.reasoning : api::ReasoningFormat::none;
  job.choice.decoder.split_reasoning = true;
  job.prompts.push_back(context.chat_template->encode(*context.tokenizer, request.messages,
                                                      request.add_generation_prompt,
                                                      context.options.content_markers));
  job.choice.decoder.starts_in_reasoning =
      ends_inside_thought(*context.tokenizer, job.prompts.front());
  BATON_TRY(resolve(context, http, request.generation, "messages", job));
  return job;
}

Result<GenerationJob> resolve_completion(const FrontContext& context, const http::Request& http,
                                         api::CompletionRequest request) {
  GenerationJob job;
  job.answer.form = api::Form::text;
  job.choice.decoder.split_reasoning = false;
  for (api::Prompt& prompt : request.prompts) {
    if (auto* tokens = std::get_if<std::vector<Token>>(&prompt)) {
      job.prompts.push_back(std::move(*tokens));
    } else {
      BATON_TRY(context.needs_tokenizer());
      job.prompts.push_back(encode_prompt(*context.tokenizer, std::get<std::string>(prompt),
                                          request.add_special_tokens));
    }
  }
  BATON_TRY(resolve(context, http, request.generation, "prompt", job));
  return job;
}

}  // namespace baton
