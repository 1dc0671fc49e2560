#include "weights/model_config.h"

#include <limits>
#include <string_view>

#include "weights/json_file.h"

namespace baton {
namespace {

// Limits on what a config may state: far above any Qwen2 model, and low enough that products of a
// few of these counts never overflow 64 bits.
constexpr uint64_t kConfigLimitBytes = 4u << 20;
constexpr int64_t kVocabMost = 1 << 22;
constexpr int64_t kHiddenMost = 1 << 16;
constexpr int64_t kIntermediateMost = 1 << 20;
constexpr int64_t kLayersMost = 1024;
constexpr int64_t kHeadsMost = 1024;
constexpr int64_t kContextLeast = 2;  // one token of a prompt and one of its answer
constexpr int64_t kContextMost = 1 << 24;
constexpr double kRopeThetaMost = 1e15;
constexpr size_t kEosMost = 64;

/// A required count within [least, most].
Result<uint32_t> count(const JsonFields& fields, std::string_view field, int64_t most,
                       int64_t least = 1) {
  BATON_ASSIGN(const std::optional<int64_t> value, fields.integer(field, least, most));
  if (!value) return fields.corrupt(field, "is missing");
  return static_cast<uint32_t>(*value);
}

Result<void> check_architecture(const JsonFields& fields) {
  BATON_ASSIGN(const std::optional<std::string> model_type, fields.string("model_type"));
  if (model_type && *model_type != "qwen2") {
    return fields.unsupported("model_type", "is '" + *model_type + "'; Baton runs 'qwen2'");
  }
  const json::value* names = fields.find("architectures");
  if (names == nullptr) {
    if (model_type) return {};
    return fields.corrupt("architectures", "is missing, and so is 'model_type'");
  }
  if (!names->is_array() || names->get_array().size() != 1 || !names->get_array()[0].is_string()) {
    return fields.corrupt("architectures", "must be a list of one string");
  }
  const json::string& name = names->get_array()[0].get_string();
  if (name != "Qwen2ForCausalLM") {
    return fields.unsupported("architectures", "names '" + std::string(name.data(), name.size()) +
                                                   "'; Baton runs 'Qwen2ForCausalLM'");
  }
  return {};
}

/// Refuses by name what would change the forward pass and is not done.
Result<void> check_variants(const JsonFields& fields) {
  BATON_ASSIGN(const std::optional<std::string> act, fields.string("hidden_act"));
  if (act && *act != "silu") {
    return fields.unsupported("hidden_act", "is '" + *act + "'; Qwen2 uses 'silu'");
  }
  for (const char* flag : {"use_sliding_window", "use_mrope"}) {
    BATON_ASSIGN(const std::optional<bool> used, fields.boolean(flag));
    if (used.value_or(false)) return fields.unsupported(flag, "is true, which Baton does not do");
  }
  if (fields.find("quantization_config") != nullptr) {
    return fields.unsupported("quantization_config",
                              "is present; Baton reads float weights and quantises them itself");
  }
  if (const json::value* types = fields.find("layer_types"); types != nullptr) {
    if (!types->is_array()) return fields.corrupt("layer_types", "must be a list");
    for (const json::value& type : types->get_array()) {
      if (!type.is_string()) return fields.corrupt("layer_types", "must be a list of strings");
      if (type.get_string() != "full_attention") {
        return fields.unsupported("layer_types", "names a layer other than 'full_attention'");
      }
    }
  }
  return {};
}

/// Reads one of the two places where transformers states RoPE: `rope_parameters` (since 5.0, with
/// rope_theta inside) or `rope_scaling` (before; absent or null when there is none).
Result<void> read_rope_object(const JsonFields& fields, std::string_view name, double& theta) {
  BATON_ASSIGN(const std::optional<JsonFields> rope, fields.child(name));
  if (!rope) return {};
  for (const char* field : {"rope_type", "type"}) {
    BATON_ASSIGN(const std::optional<std::string> type, rope->string(field));
    if (type && *type != "default") {
      return rope->unsupported(field, "is '" + *type + "'; Baton does plain RoPE ('default')");
    }
  }
  for (const json::key_value_pair& entry : rope->object()) {
    const std::string_view key(entry.key().data(), entry.key().size());
    if (entry.value().is_object()) {
      return rope->unsupported(key, "states RoPE per kind of layer, which Baton does not do");
    }
  }
  BATON_ASSIGN(const std::optional<double> factor, rope->number("partial_rotary_factor", 0, 1));
  if (factor && *factor != 1.0) {
    return rope->unsupported("partial_rotary_factor", "must be 1");
  }
  BATON_ASSIGN(const std::optional<double> inner, rope->number("rope_theta", 1, kRopeThetaMost));
  if (inner) theta = *inner;
  return {};
}

Result<double> read_rope_theta(const JsonFields& fields) {
  double theta = 10000.0;  // the default of transformers' Qwen2Config
  BATON_ASSIGN(const std::optional<double> outer, fields.number("rope_theta", 1, kRopeThetaMost));
  if (outer) theta = *outer;
  BATON_TRY(read_rope_object(fields, "rope_scaling", theta));
  BATON_TRY(read_rope_object(fields, "rope_parameters", theta));
  return theta;
}

Result<std::string> read_dtype(const JsonFields& fields) {
  for (const char* field : {"dtype", "torch_dtype"}) {
    BATON_ASSIGN(const std::optional<std::string> dtype, fields.string(field));
    if (!dtype) continue;
    if (*dtype != "bfloat16" && *dtype != "float16" && *dtype != "float32") {
      return fields.unsupported(field,
                                "is '" + *dtype + "'; Baton reads bfloat16, float16 and float32");
    }
    return *dtype;
  }
  return std::string("float32");  // what an absent field means to transformers
}

Result<void> read_heads(const JsonFields& fields, ModelConfig& config) {
  BATON_ASSIGN(config.heads, count(fields, "num_attention_heads", kHeadsMost));
  BATON_ASSIGN(const std::optional<int64_t> kv_heads,
               fields.integer("num_key_value_heads", 1, kHeadsMost));
  config.kv_heads = kv_heads ? static_cast<uint32_t>(*kv_heads) : config.heads;
  if (config.heads % config.kv_heads != 0) {
    return fields.corrupt("num_key_value_heads",
                          "must divide num_attention_heads (" + std::to_string(config.heads) + ")");
  }
  BATON_ASSIGN(const std::optional<int64_t> head_dim, fields.integer("head_dim", 1, kHiddenMost));
  if (head_dim) {
    config.head_dim = static_cast<uint32_t>(*head_dim);
  } else if (config.hidden_size % config.heads == 0) {
    config.head_dim = config.hidden_size / config.heads;
  } else {
    return fields.corrupt("num_attention_heads",
                          "must divide hidden_size (" + std::to_string(config.hidden_size) + ")");
  }
  if (config.head_dim != 64 && config.head_dim != 128) {
    return fields.unsupported("head_dim", "is " + std::to_string(config.head_dim) +
                                              " (stated, or hidden_size / num_attention_heads); "
                                              "Baton does 64 and 128");
  }
  return {};
}

/// `eos_token_id`: absent, one id, or a list of ids.
Result<std::optional<std::vector<Token>>> read_eos(const JsonFields& fields, int64_t vocab_size) {
  const json::value* value = fields.find("eos_token_id");
  if (value == nullptr) return std::optional<std::vector<Token>>();
  const json::array single{*value};
  const json::array& ids = value->is_array() ? value->get_array() : single;
  if (ids.size() > kEosMost) {
    return fields.corrupt("eos_token_id", "lists more than " + std::to_string(kEosMost) + " ids");
  }
  std::vector<Token> tokens;
  for (const json::value& id : ids) {
    const std::optional<int64_t> token = to_integer(id);
    if (!token || *token < 0 || *token >= vocab_size) {
      return fields.corrupt("eos_token_id", "must hold ids from 0 to " +
                                                std::to_string(vocab_size - 1) +
                                                " (the vocabulary of config.json)");
    }
    tokens.push_back(static_cast<Token>(*token));
  }
  return std::optional<std::vector<Token>>(std::move(tokens));
}

Result<void> read_float(const JsonFields& fields, std::string_view field, double least, double most,
                        std::optional<float>& out) {
  BATON_ASSIGN(const std::optional<double> value, fields.number(field, least, most));
  if (value) out = static_cast<float>(*value);
  return {};
}

Result<void> read_sampling(const JsonFields& fields, GenerationConfig& config) {
  BATON_ASSIGN(const std::optional<bool> do_sample, fields.boolean("do_sample"));
  config.do_sample = do_sample.value_or(true);
  BATON_TRY(read_float(fields, "temperature", 0, kTemperatureMost, config.temperature));
  BATON_TRY(read_float(fields, "top_p", kTopPLeast, 1, config.top_p));
  BATON_TRY(read_float(fields, "min_p", 0, 1, config.min_p));
  BATON_TRY(read_float(fields, "repetition_penalty", kRepetitionPenaltyLeast,
                       kRepetitionPenaltyMost, config.repetition_penalty));
  BATON_ASSIGN(const std::optional<int64_t> top_k,
               fields.integer("top_k", -1, std::numeric_limits<int32_t>::max()));
  if (top_k) config.top_k = *top_k < 0 ? 0 : static_cast<int32_t>(*top_k);  // -1: off, as in vLLM
  return {};
}

}  // namespace

Result<ModelConfig> ModelConfig::load(const std::filesystem::path& dir) {
  BATON_ASSIGN(const JsonFields fields, JsonFields::load(dir / "config.json", kConfigLimitBytes));
  BATON_TRY(check_architecture(fields));
  BATON_TRY(check_variants(fields));

  ModelConfig config;
  BATON_ASSIGN(config.vocab_size, count(fields, "vocab_size", kVocabMost));
  BATON_ASSIGN(config.hidden_size, count(fields, "hidden_size", kHiddenMost));
  BATON_ASSIGN(config.intermediate_size, count(fields, "intermediate_size", kIntermediateMost));
  BATON_ASSIGN(config.layers, count(fields, "num_hidden_layers", kLayersMost));
  BATON_ASSIGN(config.context_tokens,
               count(fields, "max_position_embeddings", kContextMost, kContextLeast));
  BATON_TRY(read_heads(fields, config));
  BATON_ASSIGN(const std::optional<double> eps, fields.number("rms_norm_eps", 0, 1));
  if (eps) config.rms_norm_eps = static_cast<float>(*eps);
  BATON_ASSIGN(config.rope_theta, read_rope_theta(fields));
  BATON_ASSIGN(const std::optional<bool> tied, fields.boolean("tie_word_embeddings"));
  config.tied_embeddings = tied.value_or(false);  // Qwen2Config's default
  BATON_ASSIGN(config.dtype, read_dtype(fields));
  return config;
}

Result<GenerationConfig> GenerationConfig::load(const std::filesystem::path& dir) {
  BATON_ASSIGN(const JsonFields model, JsonFields::load(dir / "config.json", kConfigLimitBytes));
  BATON_ASSIGN(const uint32_t vocab_size, count(model, "vocab_size", kVocabMost));

  GenerationConfig config;
  std::optional<std::vector<Token>> eos;
  const std::filesystem::path path = dir / "generation_config.json";
  Result<JsonFields> fields = JsonFields::load(path, kConfigLimitBytes);
  if (fields.ok()) {
    BATON_TRY(read_sampling(*fields, config));
    BATON_ASSIGN(eos, read_eos(*fields, vocab_size));
  } else if (fields.error().code != Code::not_found) {
    return std::move(fields).error();
  }
  if (!eos) {
    BATON_ASSIGN(eos, read_eos(model, vocab_size));
  }
  config.eos_tokens = std::move(eos).value_or(std::vector<Token>());
  return config;
}

}  // namespace baton
