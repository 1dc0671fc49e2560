// For tests: temporary model folders and small files to put into them.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "weights/safetensors.h"

namespace baton {

/// A fresh directory, removed at the end.
class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "baton-test-XXXXXX").string();
    CHECK(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::filesystem::path& path() const { return path_; }

  /// Writes `name` below the directory, parents included; returns its path.
  std::filesystem::path write(const std::string& name, std::string_view content) const {
    const std::filesystem::path path = path_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(content.data(), static_cast<std::streamsize>(content.size()));
    file.close();
    CHECK(file.good());
    return path;
  }

 private:
  std::filesystem::path path_;
};

/// A safetensors image: the header's length, the header, the data.
inline std::string safetensors_image(const std::string& header, const std::string& data) {
  std::string image(8, '\0');
  for (size_t i = 0; i < 8; ++i) {
    image[i] = static_cast<char>((uint64_t{header.size()} >> (8 * i)) & 0xff);
  }
  return image + header + data;
}

/// Safetensors::parse over a copy that is aligned and exactly as long as the image, so that a read
/// beyond it is a read beyond an allocation. The tensors point into freed memory afterwards: their
/// names, shapes and sizes may be looked at, their bytes not.
inline Result<std::map<std::string, StoredTensor>> parse_image(std::string_view image) {
  const std::unique_ptr<std::byte[]> copy(new std::byte[image.size()]);
  std::memcpy(copy.get(), image.data(), image.size());
  return Safetensors::parse({copy.get(), image.size()}, "image");
}

}  // namespace baton
