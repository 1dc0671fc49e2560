#include "cli/model_setup.h"

#include <unistd.h>

#include <cstdio>
#include <system_error>

#include "base/log.h"
#include "weights/model_finder.h"

namespace baton::cli {
namespace {

constexpr const char* kDemoName = "baton-demo";

/// Draws "loading 42 %" in place on a terminal; silent otherwise.
std::function<void(double)> progress_line() {
  if (!isatty(STDERR_FILENO)) return {};
  return [last = -1](double fraction) mutable {
    const int percent = static_cast<int>(fraction * 100);
    if (percent == last) return;
    last = percent;
    std::fprintf(stderr, "\rloading the model: %3d %%%s", percent,
                 percent >= 100 ? "\r\033[K" : "");
    std::fflush(stderr);
  };
}

std::string served_name(const std::string& spec, const std::filesystem::path& path) {
  if (spec.empty()) return kDemoName;
  std::error_code ignored;
  if (!std::filesystem::exists(spec, ignored)) return spec.substr(0, spec.find('@'));
  const auto absolute = std::filesystem::weakly_canonical(path, ignored);
  return absolute.filename().empty() ? absolute.parent_path().filename().string()
                                     : absolute.filename().string();
}

Result<std::filesystem::path> locate(const std::string& spec) {
  if (spec.empty()) return find_demo_model();
  return find_model(spec, process_environment());
}

Result<void> open_tokenizer(ModelFolder& folder) {
  auto tokenizer = Tokenizer::load(folder.path);
  if (!tokenizer) {
    if (tokenizer.error().code == Code::not_found) return {};
    return std::move(tokenizer).error();
  }
  folder.tokenizer = std::move(tokenizer).value();
  auto chat = ChatTemplate::load(folder.path, *folder.tokenizer);
  if (chat) {
    folder.chat_template = std::move(chat).value();
  } else if (chat.error().code != Code::not_found) {
    log::warn("{}: no chat: {}", folder.name, chat.error().message);
  }
  return {};
}

}  // namespace

void ModelOptions::add_to(OptionTable& table, bool pool) {
  table.add("model", &model, "DIR|org/name",
            "Model folder, or a name in the Hugging Face or ModelScope cache; without it the demo "
            "model answers");
  table.add_choice("device", &device, {"cpu", "cuda"}, "Where the model runs");
  table.add_choice("dtype", &dtype, {"bf16", "fp32", "int8", "int4"},
                   "Number format of the weights");
  table.add_choice("isa", &isa, {"auto", "plain", "avx2", "avx512", "amx"},
                   "CPU kernels; all give the same bits");
  table.add<uint32_t>("threads", &threads, 0, kCpuThreadsMax, "Compute threads; 0 = one per core");
  if (pool) {
    table.add<uint64_t>("kv-tokens", &kv_tokens, 0, uint64_t{1} << 32,
                        "KV pool in tokens; 0 = by the model's context and the memory");
  }
  table.add_choice("rope-frequencies", &rope_frequencies, {"fp32", "stored"},
                   "Rounding of RoPE's inverse frequencies: fp32 as from_pretrained() keeps them, "
                   "stored as a model cast in memory to the checkpoint's type has them");
}

void add_engine_options(OptionTable& table, EngineOptions& options) {
  table.add<uint32_t>("batch-max", &options.batch_max, 1, 1024, "Most sequences in one step");
  table.add<uint32_t>("step-tokens", &options.step_tokens, 2, 65536,
                      "Most tokens in one step, prompt and answer together");
  table.add<uint32_t>("queue-max", &options.queue_max, 1, 1 << 20,
                      "Sequences held beyond batch-max; more are refused with a retry hint");
  table.add("prefix-cache", &options.prefix_cache, "Keep KV of finished prompts for reuse");
}

Result<std::filesystem::path> find_demo_model() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto folder = program.parent_path();
  for (const auto& candidate :
       {folder / "models/demo", folder / "../models/demo", folder / "../share/baton/models/demo"}) {
    if (std::filesystem::exists(candidate / "config.json", error)) {
      return candidate.lexically_normal();
    }
  }
  return self_error(Code::not_found,
                    "the demo model was not found beside the program; name one with --model DIR");
}

Result<ModelFolder> open_texts(const std::string& spec) {
  BATON_ASSIGN(std::filesystem::path path, locate(spec));
  ModelFolder folder;
  folder.name = served_name(spec, path);
  folder.path = std::move(path);
  BATON_TRY(open_tokenizer(folder));
  return folder;
}

Result<ModelFolder> ModelFolder::open(const std::string& spec) {
  BATON_ASSIGN(ModelFolder folder, open_texts(spec));
  BATON_ASSIGN(folder.config, ModelConfig::load(folder.path));
  BATON_ASSIGN(folder.generation, GenerationConfig::load(folder.path));
  return folder;
}

Result<CpuModelOptions> cpu_model_options(const ModelOptions& options, const ModelConfig& config) {
  if (options.device == "cuda") {
    return self_error(Code::unsupported, "this program was built without CUDA; use --device cpu");
  }
  CpuModelOptions cpu;
  if (options.dtype == "bf16") {
    cpu.dtype = DType::bf16;
  } else if (options.dtype == "fp32") {
    cpu.dtype = DType::fp32;
  } else {
    return self_error(Code::unsupported,
                      "dtype " + options.dtype + " is not available yet; use bf16 or fp32");
  }
  if (options.isa != "auto") {
    BATON_ASSIGN(cpu.isa, parse_isa(options.isa));
  }
  cpu.threads = options.threads;
  cpu.kv_tokens = options.kv_tokens;
  if (options.rope_frequencies == "stored" && config.dtype != "float32") {
    cpu.rope_frequencies = config.dtype == "float16" ? DType::fp16 : DType::bf16;
  }
  cpu.progress = progress_line();
  return cpu;
}

Result<std::unique_ptr<Model>> load_model(const ModelFolder& folder, const ModelOptions& options,
                                          const EngineOptions& engine) {
  BATON_ASSIGN(CpuModelOptions cpu, cpu_model_options(options, folder.config));
  cpu.step_tokens_max = engine.step_tokens;
  cpu.step_slices_max = engine.batch_max;
  return load_cpu_model(folder.path, cpu);
}

}  // namespace baton::cli
