// From `--model`, `--device`, `--dtype` … to a loaded model with its texts.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/options.h"
#include "base/result.h"
#include "engine/engine.h"
#include "model/cpu_model.h"
#include "model/model.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"
#include "weights/model_config.h"

namespace baton::cli {

struct ModelOptions {
  std::string model;  // "" = the demo model
  std::string device = "cpu";
  std::string dtype = "bf16";
  std::string isa = "auto";
  uint32_t threads = 0;
  uint64_t kv_tokens = 0;
  std::string rope_frequencies = "fp32";
  /// `pool`: with `kv-tokens`, where the caller does not size the pool itself.
  void add_to(OptionTable& table, bool pool = true);
};

/// The scheduler's limits.
void add_engine_options(OptionTable& table, EngineOptions& options);

/// A model folder, its configuration and its texts; no weights yet.
struct ModelFolder {
  std::filesystem::path path;
  std::string name;  // as served
  ModelConfig config;
  GenerationConfig generation;
  std::shared_ptr<const Tokenizer> tokenizer;  // null: ids only
  std::optional<ChatTemplate> chat_template;   // absent: no chat

  /// Errors say what to do. A folder without tokenizer or template is fine: ids still work.
  static Result<ModelFolder> open(const std::string& spec);
};

/// Only the tokenizer and template (config.json is not needed).
Result<ModelFolder> open_texts(const std::string& spec);

/// The options of the CPU model that `options` names for a checkpoint of `config`; unsupported for
/// devices and dtypes that this program does not have. With progress on stderr where that is a
/// terminal.
Result<CpuModelOptions> cpu_model_options(const ModelOptions& options, const ModelConfig& config);

/// Loads the weights onto the device.
Result<std::unique_ptr<Model>> load_model(const ModelFolder& folder, const ModelOptions& options,
                                          const EngineOptions& engine);

/// Where the demo model lies: beside the program, in its build tree, or installed.
Result<std::filesystem::path> find_demo_model();

}  // namespace baton::cli
