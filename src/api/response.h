// Answers of /v1/chat/completions and /v1/completions: whole, or chunk by chunk.
// https://platform.openai.com/docs/api-reference/chat/object and /chat/streaming
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "api/reasoning_format.h"
#include "token/token.h"

namespace baton::api {

enum class Form : uint8_t { chat, text };

/// What all parts of one answer have in common.
struct Answer {
  Form form = Form::chat;
  ReasoningFormat reasoning = ReasoningFormat::both;  // chat only; `tags` are put in by the caller
  std::string id;                                     // "chatcmpl-…" or "cmpl-…"
  int64_t created_s = 0;
  std::string model;
  std::string system_fingerprint;
  int64_t seed = 0;
};

struct Usage {
  uint64_t prompt_tokens = 0;
  uint64_t completion_tokens = 0;
  uint64_t cached_tokens = 0;     // of the prompt
  uint64_t reasoning_tokens = 0;  // of the completion
};

struct TokenText {
  Token id = -1;
  std::string text;                       // valid UTF-8
  std::optional<std::string> bytes = {};  // nothing without a tokenizer
};

struct TokenLogprob {
  TokenText token;
  float logprob = 0;
  std::vector<std::pair<TokenText, float>> top;  // best first
};

/// Why a choice ended: the stop string or the stop token, or nothing (EOS, length).
using StopReason = std::variant<std::monostate, std::string, Token>;

/// One choice, or what is new of it.
struct ChoicePart {
  uint32_t index = 0;
  bool role = false;                     // a chunk that opens the choice
  std::optional<std::string> content;    // chat content or completion text
  std::optional<std::string> reasoning;  // chat only
  std::optional<std::vector<TokenLogprob>> logprobs;
  uint64_t text_offset = 0;  // completions: characters of this choice before logprobs[0]
  std::optional<std::vector<Token>> token_ids;
  const std::vector<Token>* prompt_token_ids = nullptr;
  std::optional<Finish> finish;  // stop or length
  StopReason stop_reason;
};

/// The whole answer as a JSON object.
std::string render_response(const Answer& answer, std::span<const ChoicePart> choices,
                            const Usage& usage);

/// How a chunk speaks of usage: not at all, null, or with what there is so far.
using ChunkUsage = std::variant<std::monostate, std::nullptr_t, Usage>;

/// One server-sent event: `data: {…}\n\n`.
std::string render_chunk(const Answer& answer, const ChoicePart& part, const ChunkUsage& usage);

/// The last chunk of `stream_options.include_usage`: no choices, only usage.
std::string render_usage_chunk(const Answer& answer, const Usage& usage);

/// Ends every stream.
inline constexpr std::string_view kDoneEvent = "data: [DONE]\n\n";

/// A comment that clients skip and proxies count as life.
inline constexpr std::string_view kKeepAliveEvent = ": keep-alive\n\n";

struct ModelInfo {
  std::string id;
  int64_t created_s = 0;
  std::string owner;
  uint32_t context_tokens = 0;
  std::string root;  // the name it is an alias of
};

std::string render_model(const ModelInfo& model);
std::string render_models(std::span<const ModelInfo> models);

/// The number of characters (code points) of valid UTF-8.
uint64_t count_characters(std::string_view text);

}  // namespace baton::api
