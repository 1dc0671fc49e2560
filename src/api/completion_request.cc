#include "api/completion_request.h"

namespace baton::api {
namespace {

/// A string, an array of strings, an array of ids or an array of arrays of ids.
void parse_prompts(Fields& fields, std::vector<Prompt>& out) {
  const json::value* value = fields.find("prompt");
  if (value == nullptr) {
    return fields.fail("prompt", "missing_required_parameter",
                       "Missing required parameter: 'prompt'.");
  }
  if (value->is_string()) {
    out.emplace_back(std::string(value->get_string()));
    return;
  }
  if (!value->is_array()) return fields.wrong_type("prompt", "a string or an array", *value);
  const json::array& array = value->get_array();
  if (array.empty()) {
    return fields.fail("prompt", "invalid_value", "'prompt' must not be empty.");
  }
  const auto add_tokens = [&](const json::value& ids, const std::string& path) {
    Result<std::vector<Token>> tokens = parse_tokens(ids, path, kMaxPromptTokens);
    if (!tokens.ok()) return fields.fail(std::move(tokens).error());
    out.emplace_back(std::move(tokens).value());
  };
  if (array[0].is_number()) return add_tokens(*value, "prompt");
  if (array.size() > kMaxPrompts) {
    return fields.fail("prompt", "array_above_max_length",
                       "'prompt' may have at most " + std::to_string(kMaxPrompts) + " entries.");
  }
  for (size_t i = 0; i < array.size() && fields.ok(); ++i) {
    const std::string name = "prompt[" + std::to_string(i) + "]";
    if (array[i].is_string()) {
      out.emplace_back(std::string(array[i].get_string()));
    } else if (array[i].is_array()) {
      add_tokens(array[i], name);
    } else {
      fields.wrong_type(name, "a string or an array of token ids", array[i]);
    }
  }
}

}  // namespace

Result<CompletionRequest> parse_completion_request(std::string_view body) {
  BATON_ASSIGN(const json::object object, parse_body(body));
  Fields fields(object);
  CompletionRequest request;
  parse_generation(object, fields, request.generation);
  parse_prompts(fields, request.prompts);
  fields.boolean("add_special_tokens", request.add_special_tokens);
  if (fields.ok() && request.prompts.size() * request.generation.choices > kMaxAnswers) {
    fields.fail(
        "n", "invalid_value",
        "'n' times the number of prompts must be at most " + std::to_string(kMaxAnswers) + ".");
  }
  std::optional<int64_t> logprobs;
  fields.integer("logprobs", 0, kMaxTopLogprobs, logprobs);
  if (logprobs) request.generation.logprobs = static_cast<int32_t>(*logprobs);
  BATON_TRY(fields.result());
  return request;
}

}  // namespace baton::api
