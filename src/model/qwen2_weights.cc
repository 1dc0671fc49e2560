#include "model/qwen2_weights.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/hash.h"
#include "kernels/cpu/kernels.h"

namespace baton {
namespace {

constexpr uint32_t round_up(uint32_t value, uint32_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// The sizes that follow from a config.
struct Shape {
  uint32_t hidden, qkv, attention, gate_up;
  explicit Shape(const ModelConfig& config)
      : hidden(round_up(config.hidden_size, kTileDepth)),
        qkv((config.heads + 2 * config.kv_heads) * config.head_dim),
        attention(config.heads * config.head_dim),
        gate_up(2 * round_up(config.intermediate_size, kTileColumns)) {}
};

/// Hands out the arena front to back, 64-byte aligned.
class Carver {
 public:
  explicit Carver(const MappedMemory& arena) : arena_(arena) {}

  std::byte* take(uint64_t bytes) {
    const uint64_t begin = used_;
    used_ += (bytes + 63) / 64 * 64;
    CHECK(used_ <= arena_.size());
    return arena_.data() + begin;
  }
  float* floats(uint64_t count) { return reinterpret_cast<float*>(take(count * sizeof(float))); }
  void matrix(PackedMatrix& matrix) { matrix.data = take(matrix.bytes()); }
  bool all_taken() const { return used_ == arena_.size(); }

 private:
  const MappedMemory& arena_;
  uint64_t used_ = 0;
};

/// Adds sizes and remembers whether one overflowed.
class CheckedSum {
 public:
  void matrix(uint64_t n, uint64_t k, DType dtype, uint64_t times = 1) {
    uint64_t bytes = 0;
    n = (n + kTileColumns - 1) / kTileColumns * kTileColumns;
    k = (k + kTileDepth - 1) / kTileDepth * kTileDepth;
    overflow_ |= __builtin_mul_overflow(n, k, &bytes);
    add(bytes, dtype, times);
  }
  void vector(uint64_t size, uint64_t times) { add(size, DType::fp32, times); }
  void add(uint64_t count, DType dtype, uint64_t times) {
    overflow_ |= __builtin_mul_overflow(count, bits_of(dtype) / 8, &count);
    overflow_ |= __builtin_mul_overflow(count, times, &count);
    overflow_ |= __builtin_add_overflow(total_, count, &total_);
  }
  Result<uint64_t> total() const {
    if (overflow_ || total_ > uint64_t{1} << 46) {
      return client_error(Code::too_large,
                          "config.json describes a model of more than 64 TiB of weights");
    }
    return total_;
  }

 private:
  uint64_t total_ = 0;
  bool overflow_ = false;
};

class Loader {
 public:
  Loader(Qwen2Weights& weights, ThreadPool& pool, const std::function<void(double)>& progress)
      : weights_(weights),
        config_(weights.config),
        shape_(weights.config),
        pool_(pool),
        progress_(progress),
        carver_(weights.arena) {}

  Result<void> run() {
    BATON_TRY(load_embedding_and_head());
    weights_.layers.resize(config_.layers);
    for (uint32_t i = 0; i < config_.layers; ++i) {
      BATON_TRY(load_layer(weights_.layers[i], "model.layers." + std::to_string(i) + "."));
    }
    BATON_ASSIGN(weights_.final_norm, vector("model.norm.weight", config_.hidden_size));
    CHECK(carver_.all_taken());  // packed_weight_bytes() is exact
    weights_.digest = digest_;
    if (progress_) progress_(1.0);
    return {};
  }

 private:
  Result<void> load_embedding_and_head() {
    const std::vector<uint64_t> shape = {config_.vocab_size, config_.hidden_size};
    const std::string name = "model.embed_tokens.weight";
    BATON_ASSIGN(weights_.embedding, weights_.source->fetch(name, shape));
    add_digest(name, weights_.embedding);
    weights_.head = packed_shape(weights_.dtype, config_.vocab_size, config_.hidden_size);
    carver_.matrix(weights_.head);
    if (config_.tied_embeddings) {
      pack(weights_.head, weights_.embedding, 0, 1);
    } else {
      BATON_TRY(matrix("lm_head.weight", config_.vocab_size, weights_.head, 0, 1));
    }
    weights_.source->release(name, weights_.embedding, !config_.tied_embeddings);
    if (config_.tied_embeddings) weights_.embedding = {};
    return {};
  }

  Result<void> load_layer(Qwen2Layer& layer, const std::string& prefix) {
    const uint32_t q = config_.heads * config_.head_dim, kv = config_.kv_heads * config_.head_dim;
    const std::string attention = prefix + "self_attn.", mlp = prefix + "mlp.";
    BATON_ASSIGN(layer.attention_norm,
                 vector(prefix + "input_layernorm.weight", config_.hidden_size));

    layer.qkv = packed_shape(weights_.dtype, shape_.qkv, config_.hidden_size);
    carver_.matrix(layer.qkv);
    float* bias = carver_.floats(shape_.qkv);
    layer.qkv_bias = bias;
    uint32_t row = 0;  // head_dim is a multiple of 16, so q, k and v begin at panels of their own
    for (const auto& [name, rows] : {std::pair{"q_proj", q}, {"k_proj", kv}, {"v_proj", kv}}) {
      BATON_TRY(matrix(attention + name + ".weight", rows, layer.qkv, row / kTileColumns, 1));
      BATON_TRY(vector_into(attention + name + ".bias", rows, bias + row));
      row += rows;
    }

    layer.o = packed_shape(weights_.dtype, config_.hidden_size, q);
    carver_.matrix(layer.o);
    BATON_TRY(matrix(attention + "o_proj.weight", config_.hidden_size, layer.o, 0, 1));
    BATON_ASSIGN(layer.mlp_norm,
                 vector(prefix + "post_attention_layernorm.weight", config_.hidden_size));

    layer.gate_up = packed_shape(weights_.dtype, shape_.gate_up, config_.hidden_size);
    carver_.matrix(layer.gate_up);
    const uint32_t intermediate = config_.intermediate_size;
    BATON_TRY(matrix(mlp + "gate_proj.weight", intermediate, layer.gate_up, 0, 2));
    BATON_TRY(matrix(mlp + "up_proj.weight", intermediate, layer.gate_up, 1, 2));

    layer.down = packed_shape(weights_.dtype, config_.hidden_size, intermediate);
    carver_.matrix(layer.down);
    return matrix(mlp + "down_proj.weight", config_.hidden_size, layer.down, 0, 1);
  }

  /// Fetches a [rows][into.k] tensor and packs its rows into panels first, first + step, …
  Result<void> matrix(const std::string& name, uint32_t rows, const PackedMatrix& into,
                      uint32_t first, uint32_t step) {
    BATON_ASSIGN(const StoredTensor tensor, weights_.source->fetch(name, {rows, into.k}));
    add_digest(name, tensor);
    pack(into, tensor, first, step);
    weights_.source->release(name, tensor, false);
    return {};
  }

  void pack(const PackedMatrix& into, const StoredTensor& tensor, uint32_t first, uint32_t step) {
    const StoredRows rows{tensor.data.data(), tensor.dtype, tensor.shape[0], into.k};
    const auto panels = static_cast<uint32_t>((rows.rows - 1) / kTileColumns + 1);
    pool_.run(panels, [&](uint32_t panel, uint32_t) {
      pack_panel(into, first + panel * step, rows, uint64_t{panel} * kTileColumns);
    });
    packed_ += uint64_t{panels} * into.panel_bytes();
    if (progress_) {
      progress_(
          std::min(1.0, static_cast<double>(packed_) / static_cast<double>(weights_.arena.size())));
    }
  }

  Result<const float*> vector(const std::string& name, uint32_t size) {
    float* out = carver_.floats(round_up(size, kTileDepth));
    BATON_TRY(vector_into(name, size, out));
    return static_cast<const float*>(out);
  }

  /// Norm weights and biases stay as exact as they are stored.
  Result<void> vector_into(const std::string& name, uint32_t size, float* out) {
    BATON_ASSIGN(const StoredTensor tensor, weights_.source->fetch(name, {size}));
    add_digest(name, tensor);
    widen(tensor.data.data(), tensor.dtype, size, false, out);
    weights_.source->release(name, tensor, false);
    return {};
  }

  /// Chunks of a fixed size are hashed in parallel; their hashes are combined in order.
  void add_digest(const std::string& name, const StoredTensor& tensor) {
    constexpr size_t kChunk = size_t{1} << 22;
    const size_t size = tensor.data.size();
    std::vector<uint64_t> hashes((size + kChunk - 1) / kChunk);
    pool_.run(static_cast<uint32_t>(hashes.size()), [&](uint32_t chunk, uint32_t) {
      const size_t begin = chunk * kChunk;
      hashes[chunk] = hash_bytes(tensor.data.subspan(begin, std::min(kChunk, size - begin)));
    });
    digest_ = hash_combine(digest_, hash_string(name));
    digest_ = hash_combine(digest_, static_cast<uint64_t>(tensor.dtype));
    for (uint64_t hash : hashes) digest_ = hash_combine(digest_, hash);
  }

  Qwen2Weights& weights_;
  const ModelConfig& config_;
  const Shape shape_;
  ThreadPool& pool_;
  const std::function<void(double)>& progress_;
  Carver carver_;
  uint64_t packed_ = 0;
  uint64_t digest_ = 0;
};

}  // namespace

uint64_t Qwen2Weights::bytes() const {
  return arena.size() + embedding.data.size();
}

namespace {

void add_packed(const ModelConfig& config, DType dtype, CheckedSum& sum) {
  const Shape shape(config);
  const uint64_t layers = config.layers;
  sum.matrix(config.vocab_size, config.hidden_size, dtype);
  sum.matrix(shape.qkv, config.hidden_size, dtype, layers);
  sum.matrix(config.hidden_size, shape.attention, dtype, layers);
  sum.matrix(shape.gate_up, config.hidden_size, dtype, layers);
  sum.matrix(config.hidden_size, config.intermediate_size, dtype, layers);
  sum.vector(shape.hidden, 2 * layers + 1);  // the norms
  sum.vector(shape.qkv, layers);             // the biases
}

}  // namespace

Result<uint64_t> packed_weight_bytes(const ModelConfig& config, DType dtype) {
  CheckedSum sum;
  add_packed(config, dtype, sum);
  return sum.total();
}

Result<uint64_t> resident_weight_bytes(const ModelConfig& config, DType dtype) {
  CheckedSum sum;
  add_packed(config, dtype, sum);
  const DType stored = config.dtype == "float32" ? DType::fp32 : DType::bf16;
  if (!config.tied_embeddings) {
    sum.add(uint64_t{config.vocab_size} * config.hidden_size, stored, 1);
  }
  return sum.total();
}

Result<Qwen2Weights> load_qwen2_weights(const ModelConfig& config, DType dtype,
                                        std::unique_ptr<WeightSource> source, ThreadPool& pool,
                                        const std::function<void(double)>& progress) {
  Qwen2Weights weights;
  weights.config = config;
  weights.dtype = dtype;
  weights.source = std::move(source);
  BATON_ASSIGN(const uint64_t bytes, packed_weight_bytes(config, dtype));
  BATON_ASSIGN(weights.arena, MappedMemory::allocate(bytes));
  BATON_TRY(Loader(weights, pool, progress).run());
  return weights;
}

}  // namespace baton
