// The HTTP surface over a TokenSource: the OpenAI routes, tokenize and detokenize, health, metrics
// and the page at `/`. Written once; the source is the local engine or a fleet.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/reasoning_format.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "http/server.h"
#include "stream/token_source.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"
#include "token/token.h"

namespace baton {

namespace ops {
class ServiceMetrics;
}

struct FrontContext;

struct FrontOptions {
  /// The served name first, then aliases. At least one.
  std::vector<std::string> model_names;
  std::string owner = "baton";
  int64_t created_s = 0;  // Unix time the model was made available: "created" in /v1/models

  /// What a request gets that does not say: generation_config.json's values, absent means off, and
  /// the model's EOS ids.
  Sampling sampling = {};
  uint32_t max_tokens = 2048;

  api::ReasoningFormat reasoning = api::ReasoningFormat::both;
  Markers content_markers = Markers::escape;  // markers inside message content
  uint32_t keep_alive_ms = 5'000;             // SSE comment after so long a silence; 0 = none
  uint32_t request_timeout_ms = 0;            // deadline of a request that states none; 0 = none
  bool access_log = true;

  /// Shown on the page at `/`: what runs.
  std::string version;
  std::string device;  // "cpu (AMX), 4 threads"
  std::string dtype;   // "bf16"

  /// Randomness and wall time are passed in. Both are called from any thread; empty: the system's.
  std::function<uint64_t()> random = {};
  std::function<int64_t()> unix_time_s = {};
};

/// Answers requests. Thread-safe after construction: one Front serves all connections. Everything
/// passed by reference must outlive it, and it must outlive every request: close the server and let
/// the executor run dry first.
class Front {
 public:
  /// `tokenizer` may be null and `chat_template` empty: the routes that need them then say so
  /// (400), prompts of ids still work, with empty text. `registry` is what /metrics renders.
  Front(TokenSource& source, std::shared_ptr<const Tokenizer> tokenizer,
        std::optional<ChatTemplate> chat_template, FrontOptions options,
        ops::ServiceMetrics& metrics, MetricRegistry& registry, const Clock& clock);
  ~Front();
  Front(const Front&) = delete;
  Front& operator=(const Front&) = delete;

  http::Handler handler();

  /// The body of an answer to bytes that are not HTTP, in OpenAI's error shape.
  static http::Response unparsed(int status, const std::string& message);

 private:
  std::unique_ptr<const FrontContext> context_;
};

}  // namespace baton
