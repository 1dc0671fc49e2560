#include "engine/validate.h"

#include <cmath>
#include <span>
#include <string>

namespace baton {
namespace {

Error wrong(const std::string& param, const std::string& message) {
  return client_error(Code::invalid_argument, param + " " + message, param);
}

Result<void> check_ids(std::span<const Token> ids, const ModelInfo& info, const char* param) {
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] >= 0 && static_cast<uint32_t>(ids[i]) < info.vocab_size) continue;
    return wrong(param, "has token " + std::to_string(ids[i]) + " at index " + std::to_string(i) +
                            "; the vocabulary has " + std::to_string(info.vocab_size));
  }
  return {};
}

Result<void> check_range(float value, float low, float high, const char* param) {
  if (value >= low && value <= high) return {};  // false for NaN
  return wrong(param, "must be between " + std::to_string(low) + " and " + std::to_string(high));
}

Result<void> check_sampling(const Sampling& s, const ModelInfo& info) {
  constexpr float kTiny = 1e-9f;
  BATON_TRY(check_range(s.temperature, 0.0f, 100.0f, "temperature"));
  BATON_TRY(check_range(s.top_p, kTiny, 1.0f, "top_p"));
  BATON_TRY(check_range(s.min_p, 0.0f, 1.0f, "min_p"));
  BATON_TRY(check_range(s.repetition_penalty, 0.01f, 100.0f, "repetition_penalty"));
  BATON_TRY(check_range(s.presence_penalty, -100.0f, 100.0f, "presence_penalty"));
  BATON_TRY(check_range(s.frequency_penalty, -100.0f, 100.0f, "frequency_penalty"));
  if (s.top_k < 0) return wrong("top_k", "must not be negative");
  if (s.logprobs < -1 || s.logprobs > kMaxTopLogprobs) {
    return wrong("logprobs", "must be at most " + std::to_string(kMaxTopLogprobs));
  }
  if (s.logit_bias.size() > kLogitBiasMax) return wrong("logit_bias", "has too many entries");
  for (const auto& [token, bias] : s.logit_bias) {
    BATON_TRY(check_ids({&token, 1}, info, "logit_bias"));
    BATON_TRY(check_range(bias, -100.0f, 100.0f, "logit_bias"));
  }
  if (s.eos_tokens.size() + s.stop_tokens.size() > kEndTokensMax) {
    return wrong("stop_token_ids", "has too many entries");
  }
  return {};
}

}  // namespace

Result<void> validate(const TokenRequest& request, const ModelInfo& info) {
  if (request.prompt.empty()) return wrong("prompt", "is empty");
  if (request.max_tokens == 0) return wrong("max_tokens", "must be at least 1");
  if (request.emitted.size() > request.max_tokens) {
    return wrong("emitted", "has more tokens than max_tokens allows");
  }
  BATON_TRY(check_ids(request.prompt, info, "prompt"));
  BATON_TRY(check_ids(request.emitted, info, "emitted"));
  return check_sampling(request.sampling, info);
}

}  // namespace baton
