#include "model/benchmark.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <utility>

#include "model/cpu_model_impl.h"

namespace baton {
namespace {

double seconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

class EngineBenchmark {
 public:
  EngineBenchmark(CpuModel& model, const EngineBenchmarkOptions& options)
      : model_(model), options_(options), weights_(model.forward().weights()) {
    sampling_.temperature = 0.0f;
  }

  /// Bytes of weights that one step reads: all that is packed, which is the matrices in whole tiles
  /// and the vectors. Rows of the embedding, one a token, are left out.
  double step_weight_bytes() const { return static_cast<double>(weights_.arena.size()); }
  double kv_bytes(uint32_t positions) const {
    return static_cast<double>(model_.forward().layout().block_bytes()) / kBlockTokens * positions;
  }

  /// Streaming reads of the packed weights by all threads, GB/s.
  double read_bandwidth() {
    constexpr uint64_t kChunk = uint64_t{1} << 20;
    const auto chunks = static_cast<uint32_t>(weights_.arena.size() / kChunk);
    if (chunks == 0) return 0;
    const Stream stream = stream_of(model_.forward().backend());
    const double seconds = seconds_of([&] {
      model_.forward().backend().pool().run(chunks, [&](uint32_t chunk, uint32_t) {
        sink_.fetch_add(stream(weights_.arena.data() + chunk * kChunk, kChunk),
                        std::memory_order_relaxed);
      });
    });
    return static_cast<double>(chunks * kChunk) / seconds / 1e9;
  }

  EngineBenchmarkRow decode(uint32_t batch) {
    fill_sequences(batch);
    step_seconds(batch);  // warm
    std::vector<double> ceilings, rates;
    for (uint32_t round = 0; round < options_.rounds; ++round) {
      ceilings.push_back(read_bandwidth());
      const double seconds = seconds_of([&] {
        for (uint32_t i = 0; i < options_.decode_steps; ++i) step_seconds(batch);
      });
      rates.push_back(batch * options_.decode_steps / seconds);
    }
    EngineBenchmarkRow row = base_row(batch, options_.context_tokens, 0);
    row.tokens_per_s = median(rates);
    row.bytes_per_token = step_weight_bytes() / batch + kv_bytes(options_.context_tokens);
    return finish(row, median(ceilings), 1);
  }

  EngineBenchmarkRow prompt(uint32_t tokens) {
    std::vector<double> ceilings, rates;
    for (uint32_t round = 0; round < options_.rounds; ++round) {
      ceilings.push_back(read_bandwidth());
      rates.push_back(tokens / seconds_of([&] { run_slices(1, 0, tokens, true); }));
    }
    EngineBenchmarkRow row = base_row(1, 0, tokens);
    row.tokens_per_s = median(rates);
    row.bytes_per_token = step_weight_bytes() / tokens;
    return finish(row, median(ceilings), 1.0 / tokens);
  }

 private:
  using Stream = uint64_t (*)(const void*, size_t);
  static Stream stream_of(CpuBackend& backend) { return backend.kernels().read_stream; }

  EngineBenchmarkRow base_row(uint32_t batch, uint32_t context, uint32_t tokens) const {
    EngineBenchmarkRow row;
    row.device = model_.info().device;
    row.dtype = model_.info().dtype;
    row.batch = batch;
    row.context = context;
    row.prompt = tokens;
    return row;
  }

  /// `heads_per_token`: how often the head runs; a prompt needs the logits of its last token only.
  EngineBenchmarkRow finish(EngineBenchmarkRow row, double ceiling, double heads_per_token) const {
    row.gb_per_s = row.bytes_per_token * row.tokens_per_s / 1e9;
    row.ceiling_gb_per_s = ceiling;
    row.fraction = ceiling > 0 ? row.gb_per_s / ceiling : 0;
    double weights = heads_per_token * elements(weights_.head);
    for (const Qwen2Layer& layer : weights_.layers) {
      weights += elements(layer.qkv) + elements(layer.o) + elements(layer.gate_up);
      weights += elements(layer.down);
    }
    row.gflop_per_s = 2 * weights * row.tokens_per_s / 1e9;
    return row;
  }

  static double elements(const PackedMatrix& matrix) {
    return static_cast<double>(matrix.n) * matrix.k;
  }

  /// Gives each sequence its blocks and positions 0 … context.
  void fill_sequences(uint32_t batch) {
    const uint32_t step = model_.info().step_tokens_max;
    for (uint32_t sequence = 0; sequence < batch; ++sequence) {
      for (uint32_t start = 0; start < options_.context_tokens; start += step) {
        const uint32_t tokens = std::min(step, options_.context_tokens - start);
        run_sequence(sequence, start, tokens);
      }
    }
  }

  uint32_t blocks_per_sequence() const {
    return (options_.context_tokens + kBlockTokens) / kBlockTokens;
  }

  std::vector<BlockId> blocks_of(uint32_t sequence, uint32_t count) const {
    std::vector<BlockId> blocks(count);
    std::iota(blocks.begin(), blocks.end(), sequence * blocks_per_sequence());
    return blocks;
  }

  void run_sequence(uint32_t sequence, uint32_t start, uint32_t tokens) {
    const std::vector<BlockId> blocks = blocks_of(
        sequence, std::max(blocks_per_sequence(), (start + tokens - 1) / kBlockTokens + 1));
    std::vector<Token> ids(tokens);
    for (uint32_t i = 0; i < tokens; ++i) {
      ids[i] = static_cast<Token>((i * uint64_t{7919} + start) % model_.info().vocab_size);
    }
    Slice slice;
    slice.start = start;
    slice.tokens = ids;
    slice.blocks = blocks;
    model_.launch({&slice, 1}, {});
  }

  /// One token for each sequence at position `context`, sampled.
  void step_seconds(uint32_t batch) { run_slices(batch, options_.context_tokens, 1, true); }

  void run_slices(uint32_t batch, uint32_t start, uint32_t tokens, bool sampled) {
    std::vector<std::vector<BlockId>> blocks(batch);
    std::vector<Token> ids(tokens);
    for (uint32_t i = 0; i < tokens; ++i) {
      ids[i] = static_cast<Token>((i * uint64_t{104729} + 1) % model_.info().vocab_size);
    }
    std::vector<Slice> slices(batch);
    for (uint32_t i = 0; i < batch; ++i) {
      blocks[i] =
          blocks_of(i, std::max(blocks_per_sequence(), (start + tokens - 1) / kBlockTokens + 1));
      slices[i].sequence = i;
      slices[i].start = start;
      slices[i].tokens = ids;
      slices[i].blocks = blocks[i];
      if (sampled) slices[i].sample.sampling = &sampling_;
    }
    model_.launch(slices, {});
  }

  CpuModel& model_;
  const EngineBenchmarkOptions& options_;
  const Qwen2Weights& weights_;
  Sampling sampling_;
  std::atomic<uint64_t> sink_{0};  // keeps the reads
};

Result<void> check_options(const EngineBenchmarkOptions& options) {
  auto within = [](const std::vector<uint32_t>& values, uint32_t most) {
    return std::all_of(values.begin(), values.end(),
                       [&](uint32_t value) { return value >= 1 && value <= most; });
  };
  if (!within(options.batches, options.model.step_slices_max) ||
      !within(options.batches, options.model.step_tokens_max) ||
      !within(options.prompts, options.model.step_tokens_max) || options.context_tokens < 1 ||
      options.context_tokens > 131'072 || options.decode_steps < 1 || options.rounds < 1) {
    return client_error(Code::invalid_argument,
                        "batches and prompts must fit a step; context, steps and rounds are >= 1");
  }
  return {};
}

}  // namespace

Result<void> run_engine_benchmark(const std::filesystem::path& dir,
                                  const EngineBenchmarkOptions& options,
                                  const std::function<void(const EngineBenchmarkRow&)>& on_row) {
  BATON_TRY(check_options(options));
  BATON_ASSIGN(ModelConfig config, ModelConfig::load(dir));
  CpuModelOptions model_options = options.model;
  // Room for every row, and no more: the pool is not what is measured.
  uint64_t tokens = 0;
  for (uint32_t batch : options.batches) {
    tokens = std::max(tokens, uint64_t{batch} * (options.context_tokens + kBlockTokens));
  }
  for (uint32_t prompt : options.prompts) tokens = std::max<uint64_t>(tokens, prompt);
  model_options.kv_tokens = tokens + kBlockTokens;
  const auto longest_prompt = std::max_element(options.prompts.begin(), options.prompts.end());
  if (options.context_tokens + 1 > config.context_tokens ||
      (longest_prompt != options.prompts.end() && *longest_prompt > config.context_tokens)) {
    return client_error(Code::invalid_argument, "the model's context is " +
                                                    std::to_string(config.context_tokens) +
                                                    " tokens: contexts and prompts must fit in it");
  }
  const CpuModelSource source{
      config, [&](ThreadPool& pool) -> Result<std::unique_ptr<WeightSource>> {
        return options.random ? random_weights(1, pool) : open_weight_files(dir);
      }};
  BATON_ASSIGN(std::unique_ptr<CpuModel> model, build_cpu_model(source, model_options));
  EngineBenchmark benchmark(*model, options);
  for (uint32_t batch : options.batches) on_row(benchmark.decode(batch));
  for (uint32_t prompt : options.prompts) on_row(benchmark.prompt(prompt));
  return {};
}

}  // namespace baton
