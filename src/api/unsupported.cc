#include "api/unsupported.h"

namespace baton::api {
namespace {

using Harmless = bool (*)(const json::value&);

bool empty(const json::value& value) {
  if (value.is_bool()) return !value.get_bool();
  if (value.is_array()) return value.get_array().empty();
  if (value.is_object()) return value.get_object().empty();
  if (value.is_string()) return value.get_string().empty();
  return false;
}

bool none_or_auto(const json::value& value) {
  return value.is_string() && (value.get_string() == "none" || value.get_string() == "auto");
}

bool plain_text_format(const json::value& value) {
  if (!value.is_object()) return false;
  const json::value* type = value.get_object().if_contains("type");
  return type != nullptr && type->is_string() && type->get_string() == "text";
}

bool only_text(const json::value& value) {
  if (!value.is_array()) return false;
  for (const json::value& entry : value.get_array()) {
    if (!entry.is_string() || entry.get_string() != "text") return false;
  }
  return true;
}

struct Row {
  const char* name;
  Harmless harmless;
  const char* what;
};

constexpr Row kTable[] = {
    // OpenAI
    {"tools", empty, "Tool calls"},
    {"tool_choice", none_or_auto, "Forcing a tool call"},
    {"functions", empty, "Function calls"},
    {"function_call", none_or_auto, "Forcing a function call"},
    {"response_format", plain_text_format, "Output in a required format"},
    {"modalities", only_text, "Output other than text"},
    {"audio", empty, "Audio"},
    {"prediction", empty, "Predicted output"},
    {"web_search_options", nullptr, "Web search"},
    {"suffix", empty, "Insertion before a suffix"},
    {"echo", empty, "Echoing the prompt"},
    // vLLM
    {"use_beam_search", empty, "Beam search"},
    {"prompt_logprobs", nullptr, "Logprobs of the prompt"},
    {"guided_json", nullptr, "Guided decoding"},
    {"guided_regex", nullptr, "Guided decoding"},
    {"guided_choice", nullptr, "Guided decoding"},
    {"guided_grammar", nullptr, "Guided decoding"},
    {"structured_outputs", empty, "Guided decoding"},
    {"bad_words", empty, "Forbidding words"},
    {"allowed_token_ids", empty, "Restricting the vocabulary"},
    {"logits_processors", empty, "A logits processor"},
    {"truncate_prompt_tokens", nullptr, "Truncating the prompt"},
    {"prompt_embeds", nullptr, "A prompt of embeddings"},
    {"thinking_token_budget", nullptr, "A budget for the thought"},
    {"continue_final_message", empty, "Continuing the last message"},
    {"chat_template", nullptr, "A chat template of the request's own"},
    {"documents", empty, "Documents"},
};

}  // namespace

Error unsupported_parameter(const std::string& path, const std::string& message) {
  Error error = client_error(Code::unsupported, message, path);
  error.reason = "unsupported_parameter";
  return error;
}

void refuse_unsupported(const json::object& object, Fields& fields) {
  for (const Row& row : kTable) {
    const json::value* value = fields.find(row.name);
    if (value == nullptr || (row.harmless != nullptr && row.harmless(*value))) continue;
    fields.fail(unsupported_parameter(
        fields.path(row.name),
        std::string(row.what) + " is not supported: leave '" + fields.path(row.name) + "' out."));
    return;
  }
  // best_of picks among hidden answers by their logprobs; as many as are returned is no choice.
  const json::value* best_of = object.if_contains("best_of");
  if (best_of == nullptr || best_of->is_null()) return;
  const json::value* n = fields.find("n");
  const std::optional<int64_t> choices = n == nullptr ? 1 : as_integer(*n);
  if (as_integer(*best_of) != choices || !choices) {
    fields.fail(unsupported_parameter(fields.path("best_of"),
                                      "'best_of' other than 'n' is not supported: leave it out."));
  }
}

}  // namespace baton::api
