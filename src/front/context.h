// What every route of the front works with. Constant after construction, counters aside.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "front/front.h"
#include "ops/service_metrics.h"

namespace baton {

struct FrontContext {
  TokenSource& source;
  std::shared_ptr<const Tokenizer> tokenizer;  // may be null
  std::optional<ChatTemplate> chat_template;
  FrontOptions options;
  ops::ServiceMetrics& metrics;
  MetricRegistry& registry;
  const Clock& clock;
  mutable std::atomic<uint64_t> next_stream{0};

  /// The name to answer with, or 404 model_not_found. Absent means the served model.
  Result<std::string> model_name(const std::optional<std::string>& asked) const;

  /// Errors say that this model has none.
  Result<void> needs_tokenizer() const;
  Result<void> needs_chat_template() const;

  /// 32 hex digits.
  std::string random_id() const;
};

}  // namespace baton
