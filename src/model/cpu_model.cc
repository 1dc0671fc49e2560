#include "model/cpu_model.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/hash.h"
#include "model/cpu_model_impl.h"
#include "model/memory_limit.h"

namespace baton {
namespace {

/// Changes whenever any bit of any result may change (docs/engine-contract.md).
constexpr uint64_t kNumericsRevision = 1;

/// Left for the rest of the process when the pool is sized to the memory that is there.
constexpr uint64_t kReserveBytes = uint64_t{256} << 20;

std::string mib(uint64_t bytes) {
  return std::to_string((bytes >> 20) + 1) + " MiB";
}

uint64_t config_hash(const ModelConfig& config) {
  uint64_t hash = 0;
  for (uint64_t value :
       {uint64_t{config.vocab_size}, uint64_t{config.hidden_size},
        uint64_t{config.intermediate_size}, uint64_t{config.layers}, uint64_t{config.heads},
        uint64_t{config.kv_heads}, uint64_t{config.head_dim}, uint64_t{config.context_tokens},
        uint64_t{std::bit_cast<uint32_t>(config.rms_norm_eps)},
        std::bit_cast<uint64_t>(config.rope_theta), uint64_t{config.tied_embeddings}}) {
    hash = hash_combine(hash, value);
  }
  return hash;
}

Result<void> check_options(const CpuModelOptions& options) {
  if (options.dtype != DType::bf16 && options.dtype != DType::fp32) {
    return client_error(
        Code::unsupported,
        "the CPU computes in bf16 or fp32, not in " + std::string(to_string(options.dtype)),
        "dtype");
  }
  if (options.isa && !isa_available(*options.isa)) {
    return client_error(Code::invalid_argument,
                        "this processor has no " + std::string(to_string(*options.isa)) +
                            "; the best it has is " + std::string(to_string(best_isa())),
                        "isa");
  }
  if (options.threads > kCpuThreadsMax) {
    return client_error(Code::invalid_argument,
                        "at most " + std::to_string(kCpuThreadsMax) + " threads", "threads");
  }
  constexpr uint32_t kStepTokensLimit = 65'536;
  if (options.step_tokens_max < 1 || options.step_tokens_max > kStepTokensLimit ||
      options.step_slices_max < 1 || options.step_slices_max > kStepTokensLimit) {
    return client_error(Code::invalid_argument,
                        "a step takes 1 to 65,536 tokens and 1 to 65,536 slices");
  }
  return {};
}

/// Blocks of the KV pool, from the options and the memory that is left beside `other_bytes`.
Result<uint32_t> pool_blocks(const ModelConfig& config, const CpuModelOptions& options,
                             uint64_t other_bytes) {
  constexpr uint64_t kBlocksMax = uint64_t{1} << 30;
  const uint64_t block_bytes = Qwen2Forward::kv_layout(config, options.dtype).block_bytes();
  const uint64_t available = available_memory_bytes();
  const uint64_t wanted_tokens =
      options.kv_tokens != 0 ? options.kv_tokens : std::max<uint64_t>(config.context_tokens, 8192);
  const uint64_t wanted = (wanted_tokens - 1) / kBlockTokens + 1;
  uint64_t pool_bytes = 0, needed = 0;
  if (wanted > kBlocksMax || __builtin_mul_overflow(wanted, block_bytes, &pool_bytes) ||
      __builtin_add_overflow(other_bytes + kReserveBytes, pool_bytes, &needed)) {
    return client_error(Code::too_large,
                        "a KV pool of " + std::to_string(wanted_tokens) + " tokens is too large",
                        "kv_tokens");
  }
  if (needed <= available) return static_cast<uint32_t>(wanted);
  if (options.kv_tokens != 0) {
    return self_error(Code::resource_exhausted,
                      "the model needs " + mib(needed) + " (" + mib(other_bytes) +
                          " of weights and scratch, " + mib(pool_bytes) + " of KV pool, " +
                          mib(kReserveBytes) + " for the rest of the process), but only " +
                          mib(available) + " are available: ask for a smaller KV pool");
  }
  const uint64_t least = std::min<uint64_t>(wanted, 512 / kBlockTokens);
  const uint64_t taken = other_bytes + kReserveBytes;
  const uint64_t fitting = available > taken ? (available - taken) / block_bytes : 0;
  if (fitting < least) {
    return self_error(Code::resource_exhausted,
                      "the model needs " + mib(taken + least * block_bytes) + ", but only " +
                          mib(available) + " are available");
  }
  return static_cast<uint32_t>(fitting);
}

}  // namespace

CpuModel::CpuModel(std::unique_ptr<Qwen2Forward> forward, uint32_t block_count,
                   const CpuModelOptions& options)
    : forward_(std::move(forward)), touched_(block_count, false) {
  const ModelConfig& config = forward_->weights().config;
  CpuBackend& backend = forward_->backend();
  const uint32_t threads = backend.pool().threads();
  info_.vocab_size = config.vocab_size;
  info_.context_tokens = static_cast<uint32_t>(
      std::min<uint64_t>(config.context_tokens, uint64_t{block_count} * kBlockTokens));
  info_.block_count = block_count;
  info_.step_tokens_max = options.step_tokens_max;
  info_.step_slices_max = options.step_slices_max;
  info_.device = "cpu (" + std::string(to_string(backend.isa())) + ", " + std::to_string(threads) +
                 (threads == 1 ? " thread)" : " threads)");
  info_.dtype = to_string(options.dtype);
  sampler_scratch_.resize(threads);
}

Result<std::unique_ptr<CpuModel>> CpuModel::create(std::unique_ptr<Qwen2Forward> forward,
                                                   uint32_t block_count,
                                                   const CpuModelOptions& options) {
  std::unique_ptr<CpuModel> model(new CpuModel(std::move(forward), block_count, options));
  BATON_ASSIGN(model->kv_, MappedMemory::allocate(uint64_t{block_count} *
                                                  model->forward_->layout().block_bytes()));
  model->info_.klass = model->compute_class();
  return model;
}

MemoryPlan CpuModel::memory() const {
  return {forward_->weights().bytes(), kv_.size(), forward_->scratch_bytes()};
}

/// The class covers a small known forward pass, so that a processor or a build that computes
/// differently is of another class: a prompt long enough for the many-row kernels, then one token.
ClassId CpuModel::compute_class() {
  const Qwen2Weights& weights = forward_->weights();
  uint64_t hash = hash_combine(config_hash(weights.config), kNumericsRevision);
  hash = hash_combine(hash, static_cast<uint64_t>(weights.dtype));
  hash = hash_combine(hash, static_cast<uint64_t>(forward_->layout().dtype));
  hash = hash_combine(hash, weights.digest);
  hash = hash_combine(hash, hash_bytes(std::as_bytes(forward_->rope_frequencies())));

  constexpr uint32_t kPromptTokens = 20;
  static_assert(kPromptTokens < kBlockTokens);
  const BlockId block = 0;
  for (uint32_t position = 0; position <= kPromptTokens;) {
    // Chunks of the prompt, as small as a step is here: no bit depends on how it was cut.
    const uint32_t tokens =
        position == kPromptTokens ? 1 : std::min(kPromptTokens - position, info_.step_tokens_max);
    ForwardStep step;
    for (uint32_t i = 0; i < tokens; ++i) {
      step.positions.push_back(position + i);
      step.tokens.push_back(
          static_cast<Token>((position + i) * uint64_t{7919} % weights.config.vocab_size));
    }
    step.slices.push_back({0, tokens, position, &block});
    step.sample_rows.push_back(tokens - 1);
    forward_->run(step, kv_.data());
    position += tokens;
    if (position < kPromptTokens) continue;
    const float* logits = forward_->logits(step, 0, 1);
    hash = hash_combine(hash, hash_bytes(std::as_bytes(std::span(logits, info_.vocab_size))));
  }
  std::memset(kv_.data(), 0, forward_->layout().block_bytes());
  return ClassId{hash};
}

void CpuModel::make_step(std::span<const Slice> slices) {
  step_.tokens.clear();
  step_.positions.clear();
  step_.slices.clear();
  step_.sample_rows.clear();
  sampling_.clear();
  CHECK(slices.size() <= info_.step_slices_max);
  for (uint32_t i = 0; i < slices.size(); ++i) {
    const Slice& slice = slices[i];
    const auto tokens = static_cast<uint32_t>(slice.tokens.size());
    CHECK(tokens >= 1 && step_.tokens.size() + tokens <= info_.step_tokens_max);
    CHECK(uint64_t{slice.start} + tokens <= slice.blocks.size() * uint64_t{kBlockTokens});
    CHECK(uint64_t{slice.start} + tokens <= info_.context_tokens);
    const uint32_t blocks_used = (slice.start + tokens - 1) / kBlockTokens + 1;
    for (uint32_t b = 0; b < blocks_used; ++b) CHECK(slice.blocks[b] < info_.block_count);
    for (uint32_t b = slice.start / kBlockTokens; b < blocks_used; ++b) {
      touched_[slice.blocks[b]] = true;
    }
    step_.slices.push_back(
        {static_cast<uint32_t>(step_.tokens.size()), tokens, slice.start, slice.blocks.data()});
    for (uint32_t t = 0; t < tokens; ++t) {
      step_.tokens.push_back(slice.tokens[t]);
      step_.positions.push_back(slice.start + t);
    }
    if (slice.sample.sampling != nullptr) {
      sampling_.push_back(i);
      step_.sample_rows.push_back(static_cast<uint32_t>(step_.tokens.size()) - 1);
    }
  }
}

/// Blocks that were never written are zero already: they take no memory until they are used.
void CpuModel::zero(std::span<const BlockId> fresh) {
  const size_t block_bytes = forward_->layout().block_bytes();
  forward_->backend().pool().run(static_cast<uint32_t>(fresh.size()), [&](uint32_t i, uint32_t) {
    CHECK(fresh[i] < info_.block_count);
    if (touched_[fresh[i]]) std::memset(kv_.data() + fresh[i] * block_bytes, 0, block_bytes);
  });
  for (BlockId block : fresh) touched_[block] = false;
}

void CpuModel::sample_all(std::span<const Slice> slices) {
  results_.clear();
  results_.resize(sampling_.size());
  for (uint32_t first = 0; first < sampling_.size(); first += Qwen2Forward::kLogitRows) {
    const auto count = std::min<uint32_t>(Qwen2Forward::kLogitRows,
                                          static_cast<uint32_t>(sampling_.size()) - first);
    const float* logits = forward_->logits(step_, first, count);
    forward_->backend().pool().run(count, [&](uint32_t i, uint32_t worker) {
      const Slice& slice = slices[sampling_[first + i]];
      Sampled& result = results_[first + i];
      result = sample({logits + i * forward_->logit_stride(), info_.vocab_size}, slice.sample,
                      sampler_scratch_[worker]);
      result.sequence = slice.sequence;
    });
  }
}

void CpuModel::launch(std::span<const Slice> slices, std::span<const BlockId> fresh) {
  zero(fresh);
  make_step(slices);
  if (!step_.tokens.empty()) forward_->run(step_, kv_.data());
  sample_all(slices);
}

Result<std::span<const Sampled>> CpuModel::collect() {
  return std::span<const Sampled>(results_);
}

Result<std::unique_ptr<CpuModel>> build_cpu_model(const CpuModelSource& source,
                                                  const CpuModelOptions& options) {
  BATON_TRY(check_options(options));
  const ModelConfig& config = source.config;
  const CpuIsa isa = options.isa.value_or(best_isa());
  const uint32_t threads = options.threads != 0 ? options.threads : default_thread_count();
  const BackendLimits limits = Qwen2Forward::backend_limits(config, options.step_tokens_max);
  BATON_ASSIGN(const uint64_t weight_bytes, resident_weight_bytes(config, options.dtype));
  const uint64_t scratch_bytes = Qwen2Forward::scratch_bytes(config, options.step_tokens_max) +
                                 CpuBackend::scratch_bytes(isa, threads, limits);
  BATON_ASSIGN(const uint32_t blocks, pool_blocks(config, options, weight_bytes + scratch_bytes));

  BATON_ASSIGN(std::unique_ptr<CpuBackend> backend, CpuBackend::create(isa, threads, limits));
  BATON_ASSIGN(std::unique_ptr<WeightSource> weight_source, source.open(backend->pool()));
  BATON_ASSIGN(Qwen2Weights weights,
               load_qwen2_weights(config, options.dtype, std::move(weight_source), backend->pool(),
                                  options.progress));
  BATON_ASSIGN(std::unique_ptr<Qwen2Forward> forward,
               Qwen2Forward::create(std::move(weights), std::move(backend), options.step_tokens_max,
                                    options.rope_frequencies));
  return CpuModel::create(std::move(forward), blocks, options);
}

Result<std::unique_ptr<Model>> load_cpu_model(const std::filesystem::path& dir,
                                              const CpuModelOptions& options) {
  BATON_ASSIGN(ModelConfig config, ModelConfig::load(dir));
  const CpuModelSource source{config, [&](ThreadPool&) { return open_weight_files(dir); }};
  BATON_ASSIGN(std::unique_ptr<CpuModel> model, build_cpu_model(source, options));
  return std::unique_ptr<Model>(std::move(model));
}

Result<std::unique_ptr<Model>> random_cpu_model(const std::filesystem::path& dir, uint64_t seed,
                                                const CpuModelOptions& options) {
  BATON_ASSIGN(ModelConfig config, ModelConfig::load(dir));
  const CpuModelSource source{
      config, [&](ThreadPool& pool) {
        return Result<std::unique_ptr<WeightSource>>(random_weights(seed, pool));
      }};
  BATON_ASSIGN(std::unique_ptr<CpuModel> model, build_cpu_model(source, options));
  return std::unique_ptr<Model>(std::move(model));
}

}  // namespace baton
