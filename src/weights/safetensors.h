// Memory-mapped safetensors: one file or a sharded set, every offset checked before use.
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

/// One stored tensor: row-major bytes inside a mapped file.
struct StoredTensor {
  DType dtype = DType::fp32;
  std::vector<uint64_t> shape;
  std::span<const std::byte> data;  // valid while its Safetensors lives
};

class Safetensors {
 public:
  /// Maps `dir`/model.safetensors or the shards that model.safetensors.index.json names.
  /// data_corrupt errors name file and tensor.
  static Result<std::unique_ptr<Safetensors>> open(const std::filesystem::path& dir);

  /// Parses and checks one file image (the fuzzers' entry). `name` is used in errors.
  static Result<std::map<std::string, StoredTensor>> parse(std::span<const std::byte> file,
                                                           const std::string& name);
  ~Safetensors();
  Safetensors(const Safetensors&) = delete;
  Safetensors& operator=(const Safetensors&) = delete;

  /// nullptr if there is none of that name.
  const StoredTensor* find(const std::string& name) const;
  const std::map<std::string, StoredTensor>& tensors() const { return tensors_; }
  uint64_t total_bytes() const;

  /// Tells the kernel that these pages are no longer needed, so that packing a model does not keep
  /// two copies of it resident. The data stays readable.
  void release_pages(const StoredTensor& tensor) const;

 private:
  struct Mapping;
  Safetensors() = default;
  std::vector<std::unique_ptr<Mapping>> mappings_;
  std::map<std::string, StoredTensor> tensors_;
};

}  // namespace baton
