// baton bench engine: how fast the model is, beside the ceiling measured in the same run. One JSON
// object a row.
#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include "base/log.h"
#include "cli/commands.h"
#include "cli/json_lines.h"
#include "cli/model_setup.h"
#include "cli/option_binding.h"
#include "model/benchmark.h"

namespace baton::cli {
namespace {

struct BenchOptions {
  ModelOptions model;
  std::string random;
  std::string batches = "1,4,16";
  std::string prompts = "128,512";
  EngineBenchmarkOptions benchmark;

  void add_to(OptionTable& table) {
    model.add_to(table, /*pool=*/false);
    table.add("random", &random, "CONFIG_DIR",
              "Random weights of the shape in CONFIG_DIR/config.json instead of --model");
    table.add("batches", &batches, "N,N,…", "Sequences decoded together, a row each (1…256)");
    table.add("prompts", &prompts, "N,N,…",
              "Prompt lengths to take in, a row each; empty for none");
    table.add<uint32_t>("context", &benchmark.context_tokens, 1, 1 << 20,
                        "Positions before the first measured token");
    table.add<uint32_t>("steps", &benchmark.decode_steps, 1, 100'000, "Measured steps of a row");
    table.add<uint32_t>("rounds", &benchmark.rounds, 1, 1000,
                        "Rounds of bandwidth, then decoding; the median is reported");
  }
};

Result<std::vector<uint32_t>> parse_list(const char* name, const std::string& text, uint32_t max) {
  std::vector<uint32_t> values;
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  while (at != end) {
    uint32_t value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    const bool separated = next == end || (*next == ',' && next + 1 != end);
    if (error != std::errc() || !separated || value == 0 || value > max || values.size() == 64) {
      return client_error(Code::invalid_argument,
                          std::string("--") + name + ": expected numbers from 1 to " +
                              std::to_string(max) + " separated by commas, at most 64");
    }
    values.push_back(value);
    at = next == end ? end : next + 1;
  }
  return values;
}

json::object to_json(const EngineBenchmarkRow& row) {
  return {{"device", row.device},
          {"dtype", row.dtype},
          {"batch", row.batch},
          {"context", row.context},
          {"prompt", row.prompt},
          {"tokens_per_s", row.tokens_per_s},
          {"bytes_per_token", row.bytes_per_token},
          {"gb_per_s", row.gb_per_s},
          {"ceiling_gb_per_s", row.ceiling_gb_per_s},
          {"fraction", row.fraction},
          {"gflop_per_s", row.gflop_per_s}};
}

Result<void> run_bench(BenchOptions& options) {
  EngineBenchmarkOptions& benchmark = options.benchmark;
  BATON_ASSIGN(benchmark.batches, parse_list("batches", options.batches, 256));
  BATON_ASSIGN(benchmark.prompts, parse_list("prompts", options.prompts, 65536));
  benchmark.random = !options.random.empty();
  std::filesystem::path folder;
  ModelConfig config;
  if (benchmark.random) {
    folder = options.random;
    BATON_ASSIGN(config, ModelConfig::load(folder));
  } else {
    BATON_ASSIGN(const ModelFolder found, ModelFolder::open(options.model.model));
    folder = found.path;
    config = found.config;
  }
  BATON_ASSIGN(benchmark.model, cpu_model_options(options.model, config));
  for (const uint32_t prompt : benchmark.prompts) {
    benchmark.model.step_tokens_max = std::max(benchmark.model.step_tokens_max, prompt);
  }
  return run_engine_benchmark(folder, benchmark,
                              [](const EngineBenchmarkRow& row) { print_line(to_json(row)); });
}

}  // namespace

void add_bench(CLI::App& app, int& exit_code) {
  CLI::App* bench = app.add_subcommand("bench", "Benchmarks");
  bench->require_subcommand(1);
  add_command<BenchOptions>(*bench, "engine",
                            "Decoding and prompt speed, beside the read bandwidth of the same run",
                            exit_code, [](BenchOptions& options) {
                              log::init("warn");
                              const Result<void> result = run_bench(options);
                              return result ? 0 : fail(result.error());
                            });
}

}  // namespace baton::cli
