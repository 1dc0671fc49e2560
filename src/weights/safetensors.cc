#include "weights/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "weights/json_file.h"
#include "weights/safetensors_header.h"

namespace baton {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kIndexLimitBytes = 64u << 20;
constexpr const char* kSingleFile = "model.safetensors";
constexpr const char* kIndexFile = "model.safetensors.index.json";

Error corrupt(const std::string& file, const std::string& problem) {
  return self_error(Code::data_corrupt, file + ": " + problem);
}

std::optional<DType> dtype_named(std::string_view name) {
  if (name == "F32") return DType::fp32;
  if (name == "F16") return DType::fp16;
  if (name == "BF16") return DType::bf16;
  return std::nullopt;
}

/// Bytes of a tensor of this shape; nothing if they overflow 64 bits.
std::optional<uint64_t> bytes_of(const std::vector<uint64_t>& shape, DType dtype) {
  uint64_t bytes = bits_of(dtype) / 8;
  for (const uint64_t extent : shape) {
    if (__builtin_mul_overflow(bytes, extent, &bytes)) return std::nullopt;
  }
  return bytes;
}

/// Checks one header entry against the bytes behind the header and makes the tensor of it.
Result<StoredTensor> to_tensor(SafetensorsEntry& entry, std::span<const std::byte> data,
                               uint64_t data_at, const std::string& file) {
  const std::string who = "tensor " + quoted_tensor_name(entry.name);
  const std::optional<DType> dtype = dtype_named(entry.dtype);
  if (!dtype) {
    return self_error(Code::unsupported, file + ": " + who + " has dtype " +
                                             quoted_tensor_name(entry.dtype) +
                                             "; Baton reads F32, F16 and BF16");
  }
  if (entry.begin > entry.end || entry.end > data.size()) {
    return corrupt(file, who + " has offsets [" + std::to_string(entry.begin) + ", " +
                             std::to_string(entry.end) + ") in " + std::to_string(data.size()) +
                             " bytes of data (is the file complete?)");
  }
  const std::optional<uint64_t> bytes = bytes_of(entry.shape, *dtype);
  if (!bytes || *bytes != entry.end - entry.begin) {
    return corrupt(file, who + " has a shape that does not fill its " +
                             std::to_string(entry.end - entry.begin) + " bytes");
  }
  if (*bytes != 0 && (data_at + entry.begin) % (bits_of(*dtype) / 8) != 0) {
    return self_error(Code::unsupported,
                      file + ": " + who +
                          " is not aligned to its element size; write the file again with a "
                          "current version of safetensors");
  }
  StoredTensor tensor;
  tensor.dtype = *dtype;
  tensor.shape = std::move(entry.shape);
  tensor.data = data.subspan(entry.begin, entry.end - entry.begin);
  tensor.file = file;
  return tensor;
}

/// A file name inside the model's folder, nothing that could lead elsewhere.
bool is_plain_file_name(std::string_view name) {
  return !name.empty() && name.size() <= 255 && name != "." && name != ".." &&
         name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

/// tensor → shard, as the index file says.
Result<std::map<std::string, std::string>> read_weight_map(const JsonFields& index) {
  BATON_ASSIGN(const std::optional<JsonFields> entries, index.child("weight_map"));
  if (!entries) return index.corrupt("weight_map", "is missing");
  if (entries->object().size() > kSafetensorsTensorLimit) {
    return index.corrupt("weight_map",
                         "lists more than " + std::to_string(kSafetensorsTensorLimit) + " tensors");
  }
  std::map<std::string, std::string> weight_map;
  for (const json::key_value_pair& entry : entries->object()) {
    const std::string_view tensor(entry.key().data(), entry.key().size());
    if (!entry.value().is_string()) return entries->corrupt(tensor, "must be a file name");
    const json::string& text = entry.value().get_string();
    std::string shard(text.data(), text.size());
    if (!is_plain_file_name(shard)) {
      return entries->corrupt(tensor,
                              "must be a plain file name, not " + quoted_tensor_name(shard));
    }
    weight_map.emplace(tensor, std::move(shard));
  }
  if (weight_map.empty()) return index.corrupt("weight_map", "is empty");
  return weight_map;
}

}  // namespace

/// One file in memory, read-only.
struct Safetensors::Mapping {
  std::byte* base = nullptr;
  size_t size = 0;

  ~Mapping() {
    if (base != nullptr) ::munmap(base, size);
  }
  Mapping() = default;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  std::span<const std::byte> bytes() const { return {base, size}; }

  static Result<std::unique_ptr<Mapping>> open(const fs::path& path) {
    // O_NONBLOCK: opening a FIFO must fail the check below rather than wait for a writer.
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return failure(path, errno);
    Result<std::unique_ptr<Mapping>> mapping = map(fd, path);
    ::close(fd);  // the mapping stays
    return mapping;
  }

 private:
  static Error failure(const fs::path& path, int error) {
    std::error_code ignored;
    if (error == ENOENT && fs::is_symlink(path, ignored)) {
      return self_error(Code::not_found, path.string() +
                                             ": a symbolic link to a missing file; the download is "
                                             "incomplete, fetch the model again");
    }
    return self_error(error == ENOENT ? Code::not_found : Code::io,
                      path.string() + ": " + std::strerror(error));
  }

  static Result<std::unique_ptr<Mapping>> map(int fd, const fs::path& path) {
    struct stat status;
    if (::fstat(fd, &status) != 0) return failure(path, errno);
    if (!S_ISREG(status.st_mode)) return corrupt(path.string(), "not a regular file");
    if (status.st_size == 0) return corrupt(path.string(), "is empty");
    auto mapping = std::make_unique<Mapping>();
    mapping->size = static_cast<size_t>(status.st_size);
    void* base = ::mmap(nullptr, mapping->size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (base == MAP_FAILED) return failure(path, errno);
    mapping->base = static_cast<std::byte*>(base);
    return mapping;
  }
};

Safetensors::~Safetensors() = default;

Result<std::map<std::string, StoredTensor>> Safetensors::parse(std::span<const std::byte> file,
                                                               const std::string& name) {
  constexpr size_t kLengthBytes = 8;
  if (file.size() < kLengthBytes) {
    return corrupt(name, "shorter than the 8 bytes of its header length");
  }
  uint64_t header_bytes = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) {
    header_bytes |= std::to_integer<uint64_t>(file[i]) << (8 * i);
  }
  if (header_bytes > kSafetensorsHeaderLimitBytes) {
    return corrupt(name, "states a header of " + std::to_string(header_bytes) +
                             " bytes, above the format's limit of " +
                             std::to_string(kSafetensorsHeaderLimitBytes));
  }
  if (header_bytes > file.size() - kLengthBytes) {
    return corrupt(name, "states a header of " + std::to_string(header_bytes) +
                             " bytes but has only " + std::to_string(file.size()) +
                             " in all (is the file complete?)");
  }
  const std::string_view header(reinterpret_cast<const char*>(file.data()) + kLengthBytes,
                                header_bytes);
  if (header.empty() || header.front() != '{') {
    return corrupt(name, "header does not begin with '{': not a safetensors file");
  }
  BATON_ASSIGN(std::vector<SafetensorsEntry> entries, parse_safetensors_header(header, name));

  // In order of their offsets the tensors must tile the data: no hole, no overlap, nothing left.
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  const uint64_t data_at = kLengthBytes + header_bytes;
  const std::span<const std::byte> data = file.subspan(data_at);
  std::map<std::string, StoredTensor> tensors;
  uint64_t expected = 0;
  for (SafetensorsEntry& entry : entries) {
    BATON_ASSIGN(StoredTensor tensor, to_tensor(entry, data, data_at, name));
    if (entry.begin != expected) {
      return corrupt(name, "tensor " + quoted_tensor_name(entry.name) + " begins at byte " +
                               std::to_string(entry.begin) + " of the data, " +
                               (entry.begin < expected ? "inside" : "not at the end of") +
                               " the one before it (" + std::to_string(expected) + ")");
    }
    expected = entry.end;
    tensors.emplace(std::move(entry.name), std::move(tensor));
  }
  if (expected != data.size()) {
    return corrupt(name, "the tensors end at byte " + std::to_string(expected) + " of " +
                             std::to_string(data.size()) + " bytes of data");
  }
  return tensors;
}

Result<std::unique_ptr<Safetensors>> Safetensors::open(const fs::path& dir) {
  std::unique_ptr<Safetensors> weights(new Safetensors);
  std::error_code ignored;
  const auto is_there = [&](const char* name) {  // a dangling link counts: its error says more
    return fs::symlink_status(dir / name, ignored).type() != fs::file_type::not_found;
  };
  if (is_there(kSingleFile)) {
    weights->listing_ = dir / kSingleFile;
    BATON_TRY(weights->add_file(weights->listing_, nullptr));
  } else if (is_there(kIndexFile)) {
    weights->listing_ = dir / kIndexFile;
    BATON_TRY(weights->add_shards(dir));
  } else {
    return self_error(Code::not_found, dir.string() + ": no weights here, neither " + kSingleFile +
                                           " nor " + kIndexFile +
                                           " (other formats must be converted to safetensors)");
  }
  return weights;
}

Result<void> Safetensors::add_shards(const fs::path& dir) {
  BATON_ASSIGN(const JsonFields index, JsonFields::load(dir / kIndexFile, kIndexLimitBytes));
  using WeightMap = std::map<std::string, std::string>;
  BATON_ASSIGN(const WeightMap weight_map, read_weight_map(index));
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : weight_map) shards.insert(shard);
  if (shards.size() > kSafetensorsShardLimit) {
    return index.corrupt("weight_map",
                         "names more than " + std::to_string(kSafetensorsShardLimit) + " files");
  }
  for (const std::string& shard : shards) BATON_TRY(add_file(dir / shard, &weight_map));
  for (const auto& [tensor, shard] : weight_map) {
    if (!tensors_.contains(tensor)) {
      return corrupt((dir / shard).string(), "has no tensor " + quoted_tensor_name(tensor) +
                                                 ", though " + kIndexFile + " lists it there");
    }
  }
  BATON_ASSIGN(const std::optional<JsonFields> metadata, index.child("metadata"));
  if (!metadata) return {};
  BATON_ASSIGN(const std::optional<int64_t> stated,
               metadata->integer("total_size", 0, std::numeric_limits<int64_t>::max()));
  if (stated && static_cast<uint64_t>(*stated) != total_bytes()) {
    return metadata->corrupt("total_size", "is " + std::to_string(*stated) +
                                               ", but the shards hold " +
                                               std::to_string(total_bytes()) + " bytes");
  }
  return {};
}

/// `weight_map` is the index of a sharded set: then every tensor must be one that it places here.
Result<void> Safetensors::add_file(const fs::path& path,
                                   const std::map<std::string, std::string>* weight_map) {
  BATON_ASSIGN(std::unique_ptr<Mapping> mapping, Mapping::open(path));
  using Tensors = std::map<std::string, StoredTensor>;
  BATON_ASSIGN(Tensors tensors, parse(mapping->bytes(), path.string()));
  if (weight_map != nullptr) {
    for (const auto& [name, tensor] : tensors) {
      const auto listed = weight_map->find(name);
      if (listed == weight_map->end()) {
        return corrupt(path.string(), "holds tensor " + quoted_tensor_name(name) + ", which " +
                                          kIndexFile + " does not list");
      }
      if (listed->second != path.filename()) {
        return corrupt(path.string(), "holds tensor " + quoted_tensor_name(name) + ", which " +
                                          kIndexFile + " places in " +
                                          quoted_tensor_name(listed->second));
      }
    }
  }
  tensors_.merge(tensors);
  mappings_.push_back(std::move(mapping));
  return {};
}

const StoredTensor* Safetensors::find(const std::string& name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

uint64_t Safetensors::total_bytes() const {
  uint64_t bytes = 0;
  for (const auto& [name, tensor] : tensors_) bytes += tensor.data.size();
  return bytes;
}

void Safetensors::release_pages(const StoredTensor& tensor) const {
  if (tensor.data.empty()) return;
  const uintptr_t page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const uintptr_t begin = reinterpret_cast<uintptr_t>(tensor.data.data());
  const uintptr_t first = begin - begin % page;  // mappings begin on a page: never before one
  // Advice on a read-only private mapping: the pages come back from the file if they are read
  // again, those of neighbours at the edges too. A refusal costs memory only.
  (void)::madvise(reinterpret_cast<void*>(first), begin + tensor.data.size() - first,
                  MADV_DONTNEED);
}

}  // namespace baton
