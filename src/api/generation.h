// What chat and text completions have in common: how to generate. Parsed and range-checked, not yet
// resolved against the model (vocabulary, context, defaults).
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/fields.h"
#include "token/token.h"

namespace baton::api {

// Limits of a request. Beyond them: invalid_argument.
inline constexpr int64_t kMaxChoices = 16;  // n
inline constexpr size_t kMaxPrompts = 64;   // of one /v1/completions request
inline constexpr size_t kMaxAnswers = 256;  // prompts × n
inline constexpr size_t kMaxMessages = 4096;
inline constexpr size_t kMaxContentParts = 1024;  // of one message
inline constexpr size_t kMaxStops = 16;
inline constexpr size_t kMaxStopBytes = 1024;  // of one stop string
inline constexpr size_t kMaxStopTokens = 128;
inline constexpr size_t kMaxLogitBias = 300;
inline constexpr size_t kMaxSaltBytes = 256;
inline constexpr size_t kMaxNameBytes = 512;                 // model
inline constexpr size_t kMaxPromptTokens = size_t{1} << 20;  // as ids, before the context is known

struct Generation {
  std::optional<std::string> model;  // absent: whatever is served
  uint32_t choices = 1;
  // Absent: the model's default.
  std::optional<double> temperature, top_p, min_p, repetition_penalty;
  std::optional<int64_t> top_k;  // 0 or -1 = off
  double presence_penalty = 0, frequency_penalty = 0;
  std::vector<std::pair<Token, float>> logit_bias;  // ascending ids, each once
  std::optional<int64_t> max_tokens;
  uint32_t min_tokens = 0;
  std::optional<int64_t> seed;
  bool ignore_eos = false;
  std::vector<Token> stop_tokens;
  std::vector<std::string> stop;
  bool include_stop = false;
  bool skip_special = true;
  bool return_token_ids = false;
  int32_t logprobs = -1;  // -1: none; else how many alternatives
  int32_t priority = 0;   // as TokenRequest: larger goes first
  std::optional<std::string> cache_salt;
  bool stream = false;
  bool include_usage = false;     // a last chunk with the usage
  bool continuous_usage = false;  // usage so far in every chunk
};

/// Reads the common fields of `object` into `out`; errors are left in `fields`. First the known
/// parameters that Baton does not do are refused by name (reason "unsupported_parameter").
void parse_generation(const json::object& object, Fields& fields, Generation& out);

/// How to draw: what the request says, `defaults` (the model's) where it does not.
Sampling resolve_sampling(const Generation& request, const Sampling& defaults);

}  // namespace baton::api
