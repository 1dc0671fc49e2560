#include "engine/validate.h"

#include <cstdio>
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

/// The limits are compared in float: 0.01f is below 0.01.
Result<void> check_range(float value, double low, double high, const char* param) {
  // False for NaN.
  if (value >= static_cast<float>(low) && value <= static_cast<float>(high)) return {};
  char range[64];
  std::snprintf(range, sizeof range, "must be between %g and %g", low, high);
  return wrong(param, range);
}

Result<void> check_sampling(const Sampling& s, const ModelInfo& info) {
  BATON_TRY(check_range(s.temperature, 0, kTemperatureMost, "temperature"));
  BATON_TRY(check_range(s.top_p, kTopPLeast, 1, "top_p"));
  BATON_TRY(check_range(s.min_p, 0, 1, "min_p"));
  BATON_TRY(check_range(s.repetition_penalty, kRepetitionPenaltyLeast, kRepetitionPenaltyMost,
                        "repetition_penalty"));
  BATON_TRY(check_range(s.presence_penalty, -100, 100, "presence_penalty"));
  BATON_TRY(check_range(s.frequency_penalty, -100, 100, "frequency_penalty"));
  if (s.top_k < 0) return wrong("top_k", "must not be negative");
  if (s.logprobs < -1 || s.logprobs > kMaxTopLogprobs) {
    return wrong("logprobs", "must be at most " + std::to_string(kMaxTopLogprobs));
  }
  if (s.logit_bias.size() > kLogitBiasMax) return wrong("logit_bias", "has too many entries");
  for (const auto& [token, bias] : s.logit_bias) {
    BATON_TRY(check_ids({&token, 1}, info, "logit_bias"));
    BATON_TRY(check_range(bias, -100, 100, "logit_bias"));
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
