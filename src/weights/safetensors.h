// Memory-mapped safetensors: one file or a sharded set, every offset checked before use.
//
// Format: https://huggingface.co/docs/safetensors (u64 header length, JSON header, tensor bytes).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "tensor/tensor.h"

namespace baton {

// Limits. The header limit is the format's own; the others are far above any model of the family.
inline constexpr uint64_t kSafetensorsHeaderLimitBytes = 100'000'000;
inline constexpr size_t kSafetensorsTensorLimit = 100'000;  // in a file, and in a whole model
inline constexpr size_t kSafetensorsRankLimit = 8;
inline constexpr size_t kSafetensorsNameLimitBytes = 1024;
inline constexpr size_t kSafetensorsShardLimit = 4096;

/// One stored tensor: row-major bytes inside a mapped file, aligned to its element size.
struct StoredTensor {
  DType dtype = DType::fp32;  // fp32, fp16 or bf16
  std::vector<uint64_t> shape;
  std::span<const std::byte> data;  // valid while its Safetensors lives
  std::string file;                 // where it lies, for messages
};

class Safetensors {
 public:
  /// Maps `dir`/model.safetensors or the shards that model.safetensors.index.json names.
  /// data_corrupt errors name file and tensor; not_found if there are no weights or a shard is
  /// missing; unsupported for a dtype that Baton does not read.
  ///
  /// The size is checked here, against the file as it is now. A file that another process cuts
  /// short afterwards raises SIGBUS when the lost pages are read, as for every mapped file; model
  /// files are replaced by rename, never rewritten in place.
  static Result<std::unique_ptr<Safetensors>> open(const std::filesystem::path& dir);

  /// Parses and checks one file image (the fuzzers' entry). `name` is used in errors. The tensors
  /// point into `file`, whose start is taken as aligned.
  static Result<std::map<std::string, StoredTensor>> parse(std::span<const std::byte> file,
                                                           const std::string& name);
  ~Safetensors();
  Safetensors(const Safetensors&) = delete;
  Safetensors& operator=(const Safetensors&) = delete;

  /// nullptr if there is none of that name.
  const StoredTensor* find(const std::string& name) const;
  const std::map<std::string, StoredTensor>& tensors() const { return tensors_; }
  uint64_t total_bytes() const;
  /// The file that lists all tensors, for messages: the only one, or the index of the shards.
  const std::filesystem::path& listing() const { return listing_; }

  /// Tells the kernel that these pages are no longer needed, so that packing a model does not keep
  /// two copies of it resident. The data stays readable.
  void release_pages(const StoredTensor& tensor) const;

 private:
  struct Mapping;
  Safetensors() = default;
  Result<void> add_file(const std::filesystem::path& path,
                        const std::map<std::string, std::string>* weight_map);
  Result<void> add_shards(const std::filesystem::path& dir);

  std::filesystem::path listing_;
  std::vector<std::unique_ptr<Mapping>> mappings_;
  std::map<std::string, StoredTensor> tensors_;
};

}  // namespace baton
