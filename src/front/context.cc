#include "front/context.h"

#include <algorithm>
#include <cstdio>

namespace baton {
namespace {

Error missing(const char* reason, const char* message) {
  Error error = client_error(Code::unsupported, message);
  error.reason = reason;
  return error;
}

}  // namespace

Result<std::string> FrontContext::model_name(const std::optional<std::string>& asked) const {
  const std::vector<std::string>& names = options.model_names;
  if (!asked || asked->empty()) return names.front();
  if (std::find(names.begin(), names.end(), *asked) != names.end()) return *asked;
  Error error = client_error(
      Code::not_found,
      "The model '" + *asked + "' does not exist here. Served: '" + names.front() + "'.", "model");
  error.reason = "model_not_found";
  return error;
}

Result<void> FrontContext::needs_tokenizer() const {
  if (tokenizer != nullptr) return {};
  return missing(
      "no_tokenizer",
      "This model has no tokenizer, so text cannot be used: send token ids as 'prompt' to "
      "/v1/completions.");
}

Result<void> FrontContext::needs_chat_template() const {
  BATON_TRY(needs_tokenizer());
  if (chat_template.has_value()) return {};
  return missing("no_chat_template",
                 "This model has no chat template: send a 'prompt' to /v1/completions.");
}

std::string FrontContext::random_id() const {
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx",
                static_cast<unsigned long long>(options.random()),
                static_cast<unsigned long long>(options.random()));
  return text;
}

}  // namespace baton
