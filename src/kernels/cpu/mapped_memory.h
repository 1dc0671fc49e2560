// Large zeroed memory straight from the operating system, in huge pages where it gives them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/result.h"

namespace baton {

/// Owns one anonymous mapping. Pages that were never touched are zero and take no memory.
class MappedMemory {
 public:
  MappedMemory() = default;
  /// resource_exhausted if the system refuses. `bytes` may be 0.
  static Result<MappedMemory> allocate(uint64_t bytes);
  ~MappedMemory();
  MappedMemory(MappedMemory&& other) noexcept;
  MappedMemory& operator=(MappedMemory&& other) noexcept;

  std::byte* data() const { return data_; }
  uint64_t size() const { return size_; }
  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(data_);
  }

 private:
  std::byte* data_ = nullptr;
  uint64_t size_ = 0;
};

}  // namespace baton
