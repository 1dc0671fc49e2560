#include "model/qwen2_forward.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "kernels/cpu/gemm.h"
#include "kernels/ref/rope_angles.h"

namespace baton {
namespace {

static_assert(kKvPositions == kBlockTokens);

constexpr uint32_t kHeadDimMax = 256;

size_t round_up(size_t value, size_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

struct Widths {
  size_t hidden, qkv, attention, intermediate, half, vocab;
  explicit Widths(const ModelConfig& config)
      : hidden(round_up(config.hidden_size, kTileDepth)),
        qkv((size_t{config.heads} + 2 * size_t{config.kv_heads}) * config.head_dim),
        attention(size_t{config.heads} * config.head_dim),
        intermediate(round_up(config.intermediate_size, kTileDepth)),
        half(config.head_dim / 2),
        vocab(round_up(config.vocab_size, kTileColumns)) {}
  size_t row_floats() const { return 2 * hidden + qkv + attention + intermediate + 2 * half; }
};

}  // namespace

BackendLimits Qwen2Forward::backend_limits(const ModelConfig& config, uint32_t rows_max) {
  const Widths widths(config);
  BackendLimits limits;
  limits.rows = std::max(rows_max, kLogitRows);
  limits.depth =
      static_cast<uint32_t>(std::max({widths.hidden, widths.attention, widths.intermediate}));
  limits.query_rows = config.heads / config.kv_heads;
  limits.head_dim = config.head_dim;
  // Two sequences of the longest context; what does not fit runs its splits one after another.
  const uint64_t splits = config.context_tokens / kKvSplit + 1;
  limits.partial_floats =
      std::min<uint64_t>(2 * splits * config.heads * (config.head_dim + 2), uint64_t{1} << 23);
  return limits;
}

uint64_t Qwen2Forward::scratch_bytes(const ModelConfig& config, uint32_t rows_max) {
  const Widths widths(config);
  return 4 * (widths.row_floats() * rows_max + kLogitRows * (widths.vocab + widths.hidden));
}

KvLayout Qwen2Forward::kv_layout(const ModelConfig& config, DType dtype) {
  return {dtype, config.layers, config.kv_heads, config.head_dim};
}

Qwen2Forward::Qwen2Forward(Qwen2Weights weights, std::unique_ptr<CpuBackend> backend,
                           DType rope_frequencies)
    : weights_(std::move(weights)),
      config_(weights_.config),
      backend_(std::move(backend)),
      layout_(kv_layout(config_, weights_.dtype)),
      inv_freq_(rope_inverse_frequencies(config_.rope_theta, config_.head_dim, rope_frequencies)),
      bf16_(weights_.dtype == DType::bf16) {
  const Widths widths(config_);
  hidden_ = widths.hidden;
  qkv_width_ = widths.qkv;
  attention_ = widths.attention;
  intermediate_ = widths.intermediate;
}

Result<std::unique_ptr<Qwen2Forward>> Qwen2Forward::create(Qwen2Weights weights,
                                                           std::unique_ptr<CpuBackend> backend,
                                                           uint32_t rows_max,
                                                           DType rope_frequencies) {
  CHECK(weights.config.head_dim <= kHeadDimMax && weights.config.head_dim % kTileDepth == 0);
  CHECK(weights.config.heads % weights.config.kv_heads == 0);
  std::unique_ptr<Qwen2Forward> forward(
      new Qwen2Forward(std::move(weights), std::move(backend), rope_frequencies));
  BATON_ASSIGN(forward->memory_, MappedMemory::allocate(scratch_bytes(forward->config_, rows_max)));
  forward->carve(rows_max);
  return forward;
}

void Qwen2Forward::carve(uint32_t rows_max) {
  rows_max_ = rows_max;
  float* next = memory_.as<float>();
  auto take = [&](size_t floats) { return std::exchange(next, next + floats); };
  residual_ = take(rows_max * hidden_);
  normed_ = take(std::max(rows_max, kLogitRows) * hidden_);
  qkv_ = take(rows_max * qkv_width_);
  attended_ = take(rows_max * attention_);
  gated_ = take(rows_max * intermediate_);
  cos_ = take(rows_max * (config_.head_dim / 2));
  sin_ = take(rows_max * (config_.head_dim / 2));
  logits_ = take(kLogitRows * logit_stride());
}

void Qwen2Forward::run(const ForwardStep& step, std::byte* kv) {
  const auto rows = static_cast<uint32_t>(step.tokens.size());
  CHECK(rows >= 1 && rows <= rows_max_);
  slice_of_row_.resize(rows);
  for (uint32_t s = 0; s < step.slices.size(); ++s) {
    const AttentionSlice& slice = step.slices[s];
    std::fill_n(slice_of_row_.begin() + slice.first_row, slice.tokens, s);
  }
  embed(step);
  rotary_angles(step);
  plan_attention(step.slices, config_.heads, layout_, *backend_, plan_);
  for (uint32_t index = 0; index < config_.layers; ++index) layer(step, index, kv);
}

/// x += attention(norm(x)); x += mlp(norm(x))
void Qwen2Forward::layer(const ForwardStep& step, uint32_t index, std::byte* kv) {
  const Qwen2Layer& w = weights_.layers[index];
  const auto rows = static_cast<uint32_t>(step.tokens.size());

  norm(w.attention_norm, rows);
  gemm({.x = normed_,
        .x_stride = hidden_,
        .rows = rows,
        .w = &w.qkv,
        .bias = w.qkv_bias,
        .epilogue = Epilogue::store,
        .out = qkv_,
        .out_stride = qkv_width_},
       *backend_);
  rotate_and_append(step, index, kv);
  attention({.q = qkv_,
             .q_stride = qkv_width_,
             .out = attended_,
             .out_stride = attention_,
             .kv = kv,
             .layout = layout_,
             .layer = index,
             .heads = config_.heads,
             .scale = 1.0f / std::sqrt(static_cast<float>(config_.head_dim))},
            step.slices, plan_, *backend_);
  gemm({.x = attended_,
        .x_stride = attention_,
        .rows = rows,
        .w = &w.o,
        .epilogue = Epilogue::add,
        .out = residual_,
        .out_stride = hidden_},
       *backend_);

  norm(w.mlp_norm, rows);
  gemm({.x = normed_,
        .x_stride = hidden_,
        .rows = rows,
        .w = &w.gate_up,
        .epilogue = Epilogue::swiglu,
        .out = gated_,
        .out_stride = intermediate_},
       *backend_);
  gemm({.x = gated_,
        .x_stride = intermediate_,
        .rows = rows,
        .w = &w.down,
        .epilogue = Epilogue::add,
        .out = residual_,
        .out_stride = hidden_},
       *backend_);
}

/// residual = round(embedding row); the rows of a tied head were rounded when it was packed.
void Qwen2Forward::embed(const ForwardStep& step) {
  const StoredTensor& table = weights_.embedding;
  const size_t row_bytes = size_t{config_.hidden_size} * bits_of(table.dtype) / 8;
  backend_->pool().run(static_cast<uint32_t>(step.tokens.size()), [&](uint32_t row, uint32_t) {
    const Token token = step.tokens[row];
    CHECK(token >= 0 && static_cast<uint32_t>(token) < config_.vocab_size);
    float* x = residual_ + row * hidden_;
    if (config_.tied_embeddings) {
      unpack_row(weights_.head, static_cast<uint32_t>(token), x);
    } else {
      widen(table.data.data() + static_cast<size_t>(token) * row_bytes, table.dtype,
            config_.hidden_size, bf16_, x);
    }
    // Whole panels are added to x: a row that was NaN left NaN in the padding too.
    std::fill(x + config_.hidden_size, x + hidden_, 0.0f);
  });
}

void Qwen2Forward::rotary_angles(const ForwardStep& step) {
  const size_t half = config_.head_dim / 2;
  backend_->pool().run(static_cast<uint32_t>(step.positions.size()), [&](uint32_t row, uint32_t) {
    rope_angles(step.positions[row], inv_freq_, cos_ + row * half, sin_ + row * half);
  });
}

/// normed = round(x / rms(x) · weight)
void Qwen2Forward::norm(const float* weight, uint32_t rows) {
  backend_->pool().run(rows, [&](uint32_t row, uint32_t) {
    backend_->kernels().rms_norm({.x = residual_ + row * hidden_,
                                  .weight = weight,
                                  .out = normed_ + row * hidden_,
                                  .width = config_.hidden_size,
                                  .padded = static_cast<uint32_t>(hidden_),
                                  .eps = config_.rms_norm_eps,
                                  .round_bf16 = bf16_});
  });
}

/// Rotates queries in place; rotates keys into, and copies values to, the blocks of their
/// positions.
void Qwen2Forward::rotate_and_append(const ForwardStep& step, uint32_t index, std::byte* kv) {
  const uint32_t dim = config_.head_dim;
  backend_->pool().run(static_cast<uint32_t>(step.tokens.size()), [&](uint32_t row, uint32_t) {
    RopeArgs rope{.cos = cos_ + row * size_t{dim / 2},
                  .sin = sin_ + row * size_t{dim / 2},
                  .dim = dim,
                  .round_bf16 = bf16_};
    float* x = qkv_ + row * qkv_width_;
    for (uint32_t head = 0; head < config_.heads; ++head, x += dim) {
      rope.x = rope.out = x;
      backend_->kernels().rope(rope);
    }
    const uint32_t position = step.positions[row];
    const AttentionSlice& slice = step.slices[slice_of_row_[row]];
    std::byte* block = kv + slice.blocks[position / kBlockTokens] * layout_.block_bytes();
    alignas(64) float key[kHeadDimMax];
    for (uint32_t head = 0; head < config_.kv_heads; ++head, x += dim) {
      rope.x = x;
      rope.out = key;
      backend_->kernels().rope(rope);
      const uint32_t slot = position % kBlockTokens;
      write_key(layout_, block + layout_.key_offset(index, head), slot, key);
      write_value(layout_, block + layout_.value_offset(index, head), slot,
                  x + size_t{config_.kv_heads} * dim);
    }
  });
}

const float* Qwen2Forward::logits(const ForwardStep& step, uint32_t first, uint32_t count) {
  CHECK(count <= kLogitRows && first + count <= step.sample_rows.size());
  backend_->pool().run(count, [&](uint32_t i, uint32_t) {
    backend_->kernels().rms_norm({.x = residual_ + step.sample_rows[first + i] * hidden_,
                                  .weight = weights_.final_norm,
                                  .out = normed_ + i * hidden_,
                                  .width = config_.hidden_size,
                                  .padded = static_cast<uint32_t>(hidden_),
                                  .eps = config_.rms_norm_eps,
                                  .round_bf16 = bf16_});
  });
  gemm({.x = normed_,
        .x_stride = hidden_,
        .rows = count,
        .w = &weights_.head,
        .epilogue = Epilogue::store,
        .out = logits_,
        .out_stride = logit_stride()},
       *backend_);
  return logits_;
}

}  // namespace baton
