// The two sources of weights: the files of a model folder, and a random generator.
#include <map>
#include <utility>

#include "base/hash.h"
#include "model/qwen2_weights.h"

namespace baton {
namespace {

std::string shape_text(const std::vector<uint64_t>& shape) {
  std::string text = "[";
  for (uint64_t size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

class FileSource final : public WeightSource {
 public:
  explicit FileSource(std::unique_ptr<Safetensors> files) : files_(std::move(files)) {}

  Result<StoredTensor> fetch(const std::string& name, const std::vector<uint64_t>& shape) override {
    const StoredTensor* tensor = files_->find(name);
    if (tensor == nullptr) {
      return self_error(Code::data_corrupt,
                        files_->listing().string() + ": has no tensor \"" + name + "\"");
    }
    if (tensor->shape != shape) {
      return self_error(Code::data_corrupt, tensor->file + ": tensor \"" + name + "\" has shape " +
                                                shape_text(tensor->shape) +
                                                ", but config.json asks for " + shape_text(shape));
    }
    return *tensor;
  }

  void release(const std::string&, const StoredTensor& tensor, bool) override {
    files_->release_pages(tensor);
  }

 private:
  std::unique_ptr<Safetensors> files_;
};

class RandomSource final : public WeightSource {
 public:
  RandomSource(uint64_t seed, ThreadPool& pool) : seed_(seed), pool_(pool) {}

  Result<StoredTensor> fetch(const std::string& name, const std::vector<uint64_t>& shape) override {
    uint64_t count = 1;
    for (uint64_t size : shape) count *= size;
    BATON_ASSIGN(MappedMemory memory, MappedMemory::allocate(count * sizeof(bf16)));
    fill(name, memory.as<bf16>(), count);
    StoredTensor tensor{DType::bf16, shape, {memory.data(), memory.size()}, "random"};
    tensors_[name] = std::move(memory);
    return tensor;
  }

  void release(const std::string& name, const StoredTensor&, bool still_read) override {
    if (!still_read) tensors_.erase(name);
  }

 private:
  /// Norm weights are near 1; everything else is uniform with a deviation of 0.02.
  void fill(const std::string& name, bf16* out, uint64_t count) const {
    constexpr uint64_t kChunk = 1 << 16;
    const bool norm = name.find("norm") != std::string::npos;
    const uint64_t key = hash_string(name, seed_);
    pool_.run(static_cast<uint32_t>((count + kChunk - 1) / kChunk), [&](uint32_t chunk, uint32_t) {
      const uint64_t end = std::min(count, (chunk + 1) * kChunk);
      for (uint64_t i = chunk * kChunk; i < end; i += 4) {
        uint64_t bits = hash_mix(key + i * 0x9e3779b97f4a7c15ULL);
        for (uint64_t j = i; j < std::min(end, i + 4); ++j, bits >>= 16) {
          const float uniform = static_cast<float>(static_cast<int16_t>(bits & 0xffff)) / 32768.0f;
          out[j] = to_bf16(uniform * 0.0346f + (norm ? 1.0f : 0.0f));
        }
      }
    });
  }

  const uint64_t seed_;
  ThreadPool& pool_;
  std::map<std::string, MappedMemory> tensors_;
};

}  // namespace

Result<std::unique_ptr<WeightSource>> open_weight_files(const std::filesystem::path& dir) {
  BATON_ASSIGN(std::unique_ptr<Safetensors> files, Safetensors::open(dir));
  return std::unique_ptr<WeightSource>(std::make_unique<FileSource>(std::move(files)));
}

std::unique_ptr<WeightSource> random_weights(uint64_t seed, ThreadPool& pool) {
  return std::make_unique<RandomSource>(seed, pool);
}

}  // namespace baton
