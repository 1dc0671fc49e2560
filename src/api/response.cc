#include "api/response.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/json.h"

namespace baton::api {
namespace {

/// JSON has no infinity; OpenAI's documentation names −9999 for "very unlikely".
double finite(float logprob) {
  return logprob > -9999.0f ? static_cast<double>(logprob) : -9999.0;
}

json::array ids(const std::vector<Token>& tokens) {
  return json::array(tokens.begin(), tokens.end());
}

json::value bytes(const TokenText& token) {
  if (!token.bytes) return nullptr;
  json::array out;
  out.reserve(token.bytes->size());
  for (const char c : *token.bytes) out.emplace_back(static_cast<uint8_t>(c));
  return out;
}

json::object token_entry(const TokenText& token, float logprob) {
  json::object entry;
  entry["token"] = token.text;
  entry["logprob"] = finite(logprob);
  entry["bytes"] = bytes(token);
  return entry;
}

json::object chat_logprobs(const std::vector<TokenLogprob>& logprobs) {
  json::array content;
  for (const TokenLogprob& position : logprobs) {
    json::object entry = token_entry(position.token, position.logprob);
    json::array top;
    for (const auto& [token, logprob] : position.top) top.push_back(token_entry(token, logprob));
    entry["top_logprobs"] = std::move(top);
    content.push_back(std::move(entry));
  }
  json::object out;
  out["content"] = std::move(content);
  out["refusal"] = nullptr;
  return out;
}

/// Alternatives are keyed by their text, so of two tokens with equal text the better one stays.
json::object text_logprobs(const std::vector<TokenLogprob>& logprobs, uint64_t offset) {
  json::array tokens, token_logprobs, top_logprobs, text_offset;
  for (const TokenLogprob& position : logprobs) {
    tokens.emplace_back(position.token.text);
    token_logprobs.emplace_back(finite(position.logprob));
    json::object top;
    for (const auto& [token, logprob] : position.top) top.emplace(token.text, finite(logprob));
    top.emplace(position.token.text, finite(position.logprob));
    top_logprobs.push_back(std::move(top));
    text_offset.emplace_back(offset);
    offset += count_characters(position.token.text);
  }
  json::object out;
  out["tokens"] = std::move(tokens);
  out["token_logprobs"] = std::move(token_logprobs);
  out["top_logprobs"] = std::move(top_logprobs);
  out["text_offset"] = std::move(text_offset);
  return out;
}

json::object head(const Answer& answer, const char* object) {
  json::object out;
  out["id"] = answer.id;
  out["object"] = object;
  out["created"] = answer.created_s;
  out["model"] = answer.model;
  out["system_fingerprint"] = answer.system_fingerprint;
  out["seed"] = answer.seed;
  return out;
}

json::object usage_object(const Usage& usage) {
  json::object out;
  out["prompt_tokens"] = usage.prompt_tokens;
  out["completion_tokens"] = usage.completion_tokens;
  out["total_tokens"] = usage.prompt_tokens + usage.completion_tokens;
  out["prompt_tokens_details"] = json::object{{"cached_tokens", usage.cached_tokens}};
  out["completion_tokens_details"] = json::object{{"reasoning_tokens", usage.reasoning_tokens}};
  return out;
}

void put_reasoning(json::object& out, const json::value& text, ReasoningFormat format) {
  if (format == ReasoningFormat::both || format == ReasoningFormat::reasoning_content) {
    out["reasoning_content"] = text;
  }
  if (format == ReasoningFormat::both || format == ReasoningFormat::reasoning) {
    out["reasoning"] = text;
  }
}

json::value text_or_null(const std::optional<std::string>& text) {
  return text ? json::value(*text) : json::value(nullptr);
}

json::object delta(const ChoicePart& part, ReasoningFormat format) {
  json::object out;
  if (part.role) out["role"] = "assistant";
  if (part.content) out["content"] = *part.content;
  if (part.reasoning) put_reasoning(out, json::value(*part.reasoning), format);
  return out;
}

json::object message(const ChoicePart& part, ReasoningFormat format) {
  json::object out;
  out["role"] = "assistant";
  out["content"] = text_or_null(part.content);
  put_reasoning(out, text_or_null(part.reasoning), format);
  out["refusal"] = nullptr;
  return out;
}

json::object choice(const Answer& answer, const ChoicePart& part, bool chunk) {
  json::object out;
  out["index"] = part.index;
  if (answer.form == Form::text) {
    out["text"] = part.content.value_or("");
  } else if (chunk) {
    out["delta"] = delta(part, answer.reasoning);
  } else {
    out["message"] = message(part, answer.reasoning);
  }
  out["logprobs"] = !part.logprobs              ? json::value(nullptr)
                    : answer.form == Form::chat ? chat_logprobs(*part.logprobs)
                                                : text_logprobs(*part.logprobs, part.text_offset);
  out["finish_reason"] = part.finish ? json::value(to_string(*part.finish)) : json::value(nullptr);
  if (part.finish) {
    if (const auto* text = std::get_if<std::string>(&part.stop_reason)) {
      out["stop_reason"] = *text;
    } else if (const auto* token = std::get_if<Token>(&part.stop_reason)) {
      out["stop_reason"] = *token;
    } else {
      out["stop_reason"] = nullptr;
    }
  }
  if (part.token_ids) out["token_ids"] = ids(*part.token_ids);
  if (answer.form == Form::text && part.prompt_token_ids != nullptr) {
    out["prompt_token_ids"] = ids(*part.prompt_token_ids);
  }
  return out;
}

const char* chunk_object(Form form) {
  return form == Form::chat ? "chat.completion.chunk" : "text_completion";
}

std::string event(const json::object& object) {
  return "data: " + json::serialize(object) + "\n\n";
}

json::object model_object(const ModelInfo& model) {
  json::object out;
  out["id"] = model.id;
  out["object"] = "model";
  out["created"] = model.created_s;
  out["owned_by"] = model.owner;
  out["root"] = model.root;
  out["parent"] = nullptr;
  out["max_model_len"] = model.context_tokens;
  return out;
}

}  // namespace

std::string render_response(const Answer& answer, std::span<const ChoicePart> choices,
                            const Usage& usage) {
  json::object out =
      head(answer, answer.form == Form::chat ? "chat.completion" : "text_completion");
  json::array array;
  for (const ChoicePart& part : choices) array.push_back(choice(answer, part, false));
  out["choices"] = std::move(array);
  out["usage"] = usage_object(usage);
  if (answer.form == Form::chat && !choices.empty() && choices[0].prompt_token_ids != nullptr) {
    out["prompt_token_ids"] = ids(*choices[0].prompt_token_ids);
  }
  return json::serialize(out);
}

std::string render_chunk(const Answer& answer, const ChoicePart& part, const ChunkUsage& usage) {
  json::object out = head(answer, chunk_object(answer.form));
  json::array array;
  array.push_back(choice(answer, part, true));
  out["choices"] = std::move(array);
  if (std::holds_alternative<std::nullptr_t>(usage)) {
    out["usage"] = nullptr;
  } else if (const auto* so_far = std::get_if<Usage>(&usage)) {
    out["usage"] = usage_object(*so_far);
  }
  if (answer.form == Form::chat && part.prompt_token_ids != nullptr) {
    out["prompt_token_ids"] = ids(*part.prompt_token_ids);
  }
  return event(out);
}

std::string render_usage_chunk(const Answer& answer, const Usage& usage) {
  json::object out = head(answer, chunk_object(answer.form));
  out["choices"] = json::array();
  out["usage"] = usage_object(usage);
  return event(out);
}

std::string render_model(const ModelInfo& model) {
  return json::serialize(model_object(model));
}

std::string render_models(std::span<const ModelInfo> models) {
  json::array data;
  for (const ModelInfo& model : models) data.push_back(model_object(model));
  json::object out;
  out["object"] = "list";
  out["data"] = std::move(data);
  return json::serialize(out);
}

uint64_t count_characters(std::string_view text) {
  return static_cast<uint64_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; }));
}

}  // namespace baton::api
