// config.json and generation_config.json of a Qwen2 model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "token/token.h"

namespace baton {

/// The architecture, every value checked against stated limits when read.
struct ModelConfig {
  uint32_t vocab_size = 0;
  uint32_t hidden_size = 0;
  uint32_t intermediate_size = 0;
  uint32_t layers = 0;
  uint32_t heads = 0;
  uint32_t kv_heads = 0;
  uint32_t head_dim = 0;        // 64 or 128
  uint32_t context_tokens = 0;  // max_position_embeddings
  float rms_norm_eps = 1e-6f;
  double rope_theta = 10000.0;
  bool tied_embeddings = false;
  std::string dtype;  // as stored: "bfloat16", "float16" or "float32"

  /// Reads `dir`/config.json. unsupported names what Baton does not do (other architectures,
  /// sliding windows in use, rope scaling).
  static Result<ModelConfig> load(const std::filesystem::path& dir);
};

/// Defaults for requests. A field that is absent means off.
struct GenerationConfig {
  bool do_sample = true;
  std::optional<float> temperature, top_p, min_p, repetition_penalty;
  std::optional<int32_t> top_k;
  std::vector<Token> eos_tokens;  // from generation_config.json, else config.json

  static Result<GenerationConfig> load(const std::filesystem::path& dir);
};

}  // namespace baton
