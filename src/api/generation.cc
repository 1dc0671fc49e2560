#include "api/generation.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "api/unsupported.h"

namespace baton::api {
namespace {

constexpr int64_t kInt32Max = std::numeric_limits<int32_t>::max();

void parse_stop(Fields& fields, std::vector<std::string>& out) {
  const json::value* value = fields.find("stop");
  if (value == nullptr) return;
  const auto add = [&](const json::value& entry, const std::string& name) {
    if (!entry.is_string()) return fields.wrong_type(name, "a string", entry);
    const json::string& text = entry.get_string();
    if (text.empty() || text.size() > kMaxStopBytes) {
      return fields.fail(
          name, "invalid_value",
          "'" + name + "' must have 1 to " + std::to_string(kMaxStopBytes) + " bytes.");
    }
    out.emplace_back(text);
  };
  if (value->is_string()) return add(*value, "stop");
  if (!value->is_array()) return fields.wrong_type("stop", "a string or an array", *value);
  const json::array& array = value->get_array();
  if (array.size() > kMaxStops) {
    return fields.fail("stop", "array_above_max_length",
                       "'stop' may have at most " + std::to_string(kMaxStops) + " entries.");
  }
  for (size_t i = 0; i < array.size() && fields.ok(); ++i) {
    add(array[i], "stop[" + std::to_string(i) + "]");
  }
}

/// An id as an object key spells it: decimal, no sign, no leading zero.
std::optional<Token> token_key(std::string_view key) {
  Token id = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
  if (error != std::errc() || end != key.data() + key.size()) return std::nullopt;
  if (id < 0 || std::to_string(id) != key) return std::nullopt;
  return id;
}

void parse_logit_bias(Fields& fields, std::vector<std::pair<Token, float>>& out) {
  const json::value* value = fields.find("logit_bias");
  if (value == nullptr) return;
  if (!value->is_object()) return fields.wrong_type("logit_bias", "an object", *value);
  const json::object& object = value->get_object();
  if (object.size() > kMaxLogitBias) {
    return fields.fail(
        "logit_bias", "object_above_max_length",
        "'logit_bias' may have at most " + std::to_string(kMaxLogitBias) + " entries.");
  }
  Fields entries(object, "logit_bias.");
  for (const auto& entry : object) {
    const std::optional<Token> id = token_key(entry.key());
    if (!id) {
      return fields.fail("logit_bias", "invalid_value",
                         "The keys of 'logit_bias' must be token ids in decimal.");
    }
    std::optional<double> bias;
    entries.number(entry.key(), -100, 100, bias);
    if (bias) out.emplace_back(*id, static_cast<float>(*bias));
  }
  if (!entries.ok()) fields.fail(entries.result().error());
  std::sort(out.begin(), out.end());
}

void parse_lengths(Fields& fields, Generation& out) {
  std::optional<int64_t> max_tokens, max_completion_tokens, min_tokens;
  fields.integer("max_tokens", 1, kInt32Max, max_tokens);
  fields.integer("max_completion_tokens", 1, kInt32Max, max_completion_tokens);
  fields.integer("min_tokens", 0, kInt32Max, min_tokens);
  // max_completion_tokens is the newer name of the same limit; it wins.
  out.max_tokens = max_completion_tokens ? max_completion_tokens : max_tokens;
  out.min_tokens = static_cast<uint32_t>(min_tokens.value_or(0));
  if (out.max_tokens && out.min_tokens > *out.max_tokens) {
    fields.fail("min_tokens", "invalid_value",
                "'min_tokens' must not be greater than 'max_tokens'.");
  }
}

void parse_sampling(Fields& fields, Generation& out) {
  std::optional<double> presence, frequency;
  fields.number("temperature", 0, 2, out.temperature);
  fields.number("top_p", kTopPLeast, 1, out.top_p);
  fields.integer("top_k", -1, kInt32Max, out.top_k);
  fields.number("min_p", 0, 1, out.min_p);
  fields.number("repetition_penalty", kRepetitionPenaltyLeast, kRepetitionPenaltyMost,
                out.repetition_penalty);
  fields.number("presence_penalty", -2, 2, presence);
  fields.number("frequency_penalty", -2, 2, frequency);
  out.presence_penalty = presence.value_or(0);
  out.frequency_penalty = frequency.value_or(0);
  fields.integer("seed", std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(),
                 out.seed);
}

void parse_streaming(Fields& fields, Generation& out) {
  fields.boolean("stream", out.stream);
  const json::value* value = fields.find("stream_options");
  if (value == nullptr) return;
  if (!value->is_object()) return fields.wrong_type("stream_options", "an object", *value);
  if (!out.stream) {
    return fields.fail("stream_options", "invalid_value",
                       "'stream_options' is only allowed when 'stream' is true.");
  }
  Fields options(value->get_object(), "stream_options.");
  options.boolean("include_usage", out.include_usage);
  options.boolean("continuous_usage_stats", out.continuous_usage);
  if (!options.ok()) fields.fail(options.result().error());
}

}  // namespace

void parse_generation(const json::object& object, Fields& fields, Generation& out) {
  refuse_unsupported(object, fields);
  fields.string("model", kMaxNameBytes, out.model);

  std::optional<int64_t> choices, priority;
  fields.integer("n", 1, kMaxChoices, choices);
  out.choices = static_cast<uint32_t>(choices.value_or(1));
  // As in vLLM, a client's lower number is served earlier; inside, larger goes first.
  fields.integer("priority", -100, 100, priority);
  out.priority = static_cast<int32_t>(-priority.value_or(0));

  parse_sampling(fields, out);
  parse_lengths(fields, out);
  parse_stop(fields, out.stop);
  parse_logit_bias(fields, out.logit_bias);
  std::optional<std::vector<Token>> stop_tokens;
  fields.tokens("stop_token_ids", kMaxStopTokens, stop_tokens);
  if (stop_tokens) out.stop_tokens = std::move(*stop_tokens);
  fields.boolean("ignore_eos", out.ignore_eos);
  fields.boolean("include_stop_str_in_output", out.include_stop);
  fields.boolean("skip_special_tokens", out.skip_special);
  fields.boolean("return_token_ids", out.return_token_ids);
  fields.string("cache_salt", kMaxSaltBytes, out.cache_salt);
  parse_streaming(fields, out);
}

Sampling resolve_sampling(const Generation& request, const Sampling& defaults) {
  const auto or_default = [](const std::optional<double>& value, float fallback) {
    return value ? static_cast<float>(*value) : fallback;
  };
  Sampling out;
  out.temperature = or_default(request.temperature, defaults.temperature);
  out.top_p = or_default(request.top_p, defaults.top_p);
  out.min_p = or_default(request.min_p, defaults.min_p);
  out.repetition_penalty = or_default(request.repetition_penalty, defaults.repetition_penalty);
  out.top_k = static_cast<int32_t>(std::max<int64_t>(request.top_k.value_or(defaults.top_k), 0));
  out.presence_penalty = static_cast<float>(request.presence_penalty);
  out.frequency_penalty = static_cast<float>(request.frequency_penalty);
  out.logit_bias = request.logit_bias;
  out.min_tokens = request.min_tokens;
  out.ignore_eos = request.ignore_eos;
  out.eos_tokens = defaults.eos_tokens;
  out.stop_tokens = request.stop_tokens;
  out.logprobs = request.logprobs;
  return out;
}

}  // namespace baton::api
