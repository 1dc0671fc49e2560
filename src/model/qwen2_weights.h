// The weights of a Qwen2 model, packed for the CPU kernels.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "kernels/cpu/mapped_memory.h"
#include "kernels/cpu/packed_matrix.h"
#include "kernels/cpu/thread_pool.h"
#include "weights/model_config.h"
#include "weights/safetensors.h"

namespace baton {

/// Where stored tensors come from: files, or a random generator.
class WeightSource {
 public:
  virtual ~WeightSource() = default;
  /// The tensor of that name and shape; an error that names file and tensor otherwise. Valid until
  /// released.
  virtual Result<StoredTensor> fetch(const std::string& name,
                                     const std::vector<uint64_t>& shape) = 0;
  /// The tensor has been packed; `still_read`: it will be looked up again later, row by row.
  virtual void release(const std::string& name, const StoredTensor& tensor, bool still_read) = 0;
};

/// The files of a model folder.
Result<std::unique_ptr<WeightSource>> open_weight_files(const std::filesystem::path& dir);

/// Random weights of about the size that training starts from, a pure function of (seed, name).
std::unique_ptr<WeightSource> random_weights(uint64_t seed, ThreadPool& pool);

/// One transformer layer. Widths are padded to multiples of 32 with zeros.
struct Qwen2Layer {
  const float* attention_norm = nullptr;  // [hidden]
  PackedMatrix qkv;                       // (heads + 2 · kv_heads) · head_dim from hidden
  const float* qkv_bias = nullptr;        // [qkv.panels · 16]
  PackedMatrix o;                         // hidden from heads · head_dim
  const float* mlp_norm = nullptr;        // [hidden]
  PackedMatrix gate_up;                   // panels of gate and up alternate; from hidden
  PackedMatrix down;                      // hidden from intermediate
};

struct Qwen2Weights {
  ModelConfig config;
  DType dtype = DType::bf16;
  StoredTensor embedding;  // [vocab][hidden] as stored, looked up row by row; empty if tied: then
                           // its rows are those of `head`
  std::vector<Qwen2Layer> layers;
  const float* final_norm = nullptr;  // [hidden]
  PackedMatrix head;                  // vocab from hidden
  uint64_t digest = 0;                // of all stored bytes, names and shapes
  MappedMemory arena;                 // everything packed
  std::unique_ptr<WeightSource> source;

  /// Bytes that stay resident: what is packed, and the embedding where it is a tensor of its own.
  uint64_t bytes() const;
};

/// Bytes of the packed form, exactly; too_large if the sizes of config.json overflow.
Result<uint64_t> packed_weight_bytes(const ModelConfig& config, DType dtype);

/// What Qwen2Weights::bytes() will be if the embedding is stored as config.json says.
Result<uint64_t> resident_weight_bytes(const ModelConfig& config, DType dtype);

/// Packs tensor by tensor, releasing each, so that two copies never exist at once.
/// `progress` gets a fraction in [0, 1]; may be empty.
Result<Qwen2Weights> load_qwen2_weights(const ModelConfig& config, DType dtype,
                                        std::unique_ptr<WeightSource> source, ThreadPool& pool,
                                        const std::function<void(double)>& progress);

}  // namespace baton
