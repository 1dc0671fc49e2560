#include "api/chat_request.h"

#include "api/unsupported.h"

namespace baton::api {
namespace {

/// The text of one content part, appended to `out`; parts are set apart by a newline.
void parse_part(Fields& message, const json::value& part, const std::string& name,
                std::string& out) {
  if (!part.is_object()) return message.wrong_type(name, "an object", part);
  Fields fields(part.get_object(), message.path(name) + ".");
  std::optional<std::string> type;
  fields.string("type", kMaxNameBytes, type);
  if (!fields.ok()) return message.fail(fields.result().error());
  if (!type) {
    return message.fail(name + ".type", "missing_required_parameter",
                        "Missing required parameter: '" + message.path(name) + ".type'.");
  }
  const char* key = *type == "refusal" ? "refusal" : "text";
  if (*type != "text" && *type != "input_text" && *type != "output_text" && *type != "refusal") {
    return message.fail(unsupported_parameter(
        message.path(name) + ".type",
        "Content of type '" + type->substr(0, 64) + "' is not supported: only text is."));
  }
  const json::value* text = fields.find(key);
  if (text == nullptr || !text->is_string()) {
    return message.fail(name + "." + key, "invalid_type",
                        "'" + message.path(name) + "." + key + "' must be a string.");
  }
  if (!out.empty()) out += '\n';
  out += text->get_string();
}

void parse_content(Fields& fields, const std::string& role, std::string& out) {
  const json::value* content = fields.find("content");
  if (content == nullptr) {
    if (role == "assistant") return;  // an answer cut inside its thought has none
    return fields.fail("content", "missing_required_parameter",
                       "Missing required parameter: '" + fields.path("content") + "'.");
  }
  if (content->is_string()) {
    out = content->get_string();
    return;
  }
  if (!content->is_array()) return fields.wrong_type("content", "a string or an array", *content);
  const json::array& parts = content->get_array();
  if (parts.size() > kMaxContentParts) {
    return fields.fail("content", "array_above_max_length",
                       "'" + fields.path("content") + "' may have at most " +
                           std::to_string(kMaxContentParts) + " parts.");
  }
  for (size_t i = 0; i < parts.size() && fields.ok(); ++i) {
    parse_part(fields, parts[i], "content[" + std::to_string(i) + "]", out);
  }
}

/// `reasoning` and `reasoning_content` of earlier answers are accepted and dropped, as the model's
/// own template does with thoughts; what would change the prompt is refused.
Result<Message> parse_message(const json::object& object, const std::string& path) {
  Fields fields(object, path + ".");
  std::optional<std::string> role;
  fields.string("role", kMaxNameBytes, role);
  if (fields.ok() && !role) {
    fields.fail("role", "missing_required_parameter",
                "Missing required parameter: '" + path + ".role'.");
  }
  BATON_TRY(fields.result());
  Message message{*role == "developer" ? "system" : *role, {}};
  if (message.role != "system" && message.role != "user" && message.role != "assistant" &&
      message.role != "tool") {
    fields.fail(
        "role", "invalid_value",
        "'" + path + ".role' must be 'system', 'developer', 'user', 'assistant' or 'tool'.");
  }
  for (const char* name : {"tool_calls", "function_call", "audio"}) {
    const json::value* value = fields.find(name);
    if (value == nullptr || (value->is_array() && value->get_array().empty())) continue;
    fields.fail(
        unsupported_parameter(fields.path(name), "'" + fields.path(name) + "' is not supported."));
  }
  parse_content(fields, message.role, message.content);
  BATON_TRY(fields.result());
  return message;
}

}  // namespace

void parse_messages(Fields& fields, std::vector<Message>& out) {
  const json::value* value = fields.find("messages");
  if (value == nullptr) {
    return fields.fail("messages", "missing_required_parameter",
                       "Missing required parameter: 'messages'.");
  }
  if (!value->is_array()) return fields.wrong_type("messages", "an array", *value);
  const json::array& array = value->get_array();
  if (array.empty() || array.size() > kMaxMessages) {
    return fields.fail("messages", "invalid_value",
                       "'messages' must have 1 to " + std::to_string(kMaxMessages) + " entries.");
  }
  for (size_t i = 0; i < array.size(); ++i) {
    const std::string path = "messages[" + std::to_string(i) + "]";
    if (!array[i].is_object()) return fields.wrong_type(path, "an object", array[i]);
    Result<Message> message = parse_message(array[i].get_object(), path);
    if (!message.ok()) return fields.fail(std::move(message).error());
    out.push_back(std::move(message).value());
  }
}

Result<ChatRequest> parse_chat_request(std::string_view body) {
  BATON_ASSIGN(const json::object object, parse_body(body));
  Fields fields(object);
  ChatRequest request;
  parse_generation(object, fields, request.generation);
  parse_messages(fields, request.messages);
  fields.boolean("add_generation_prompt", request.add_generation_prompt);
  fields.boolean("include_reasoning", request.include_reasoning);

  bool logprobs = false;
  std::optional<int64_t> top_logprobs;
  fields.boolean("logprobs", logprobs);
  fields.integer("top_logprobs", 0, kMaxTopLogprobs, top_logprobs);
  if (top_logprobs && !logprobs && *top_logprobs > 0) {
    fields.fail("top_logprobs", "invalid_value",
                "'top_logprobs' is only allowed when 'logprobs' is true.");
  }
  if (logprobs) request.generation.logprobs = static_cast<int32_t>(top_logprobs.value_or(0));
  BATON_TRY(fields.result());
  return request;
}

}  // namespace baton::api
