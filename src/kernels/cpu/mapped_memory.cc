#include "kernels/cpu/mapped_memory.h"

#include <sys/mman.h>

#include <cstring>
#include <string>
#include <utility>

namespace baton {

Result<MappedMemory> MappedMemory::allocate(uint64_t bytes) {
  MappedMemory memory;
  if (bytes == 0) return memory;
  void* data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) {
    return self_error(Code::resource_exhausted, "the system refused " +
                                                    std::to_string(bytes >> 20) +
                                                    " MiB of memory: " + std::strerror(errno));
  }
  madvise(data, bytes, MADV_HUGEPAGE);  // advice: a kernel without huge pages may say no
  memory.data_ = static_cast<std::byte*>(data);
  memory.size_ = bytes;
  return memory;
}

MappedMemory::~MappedMemory() {
  if (data_ != nullptr) munmap(data_, size_);
}

MappedMemory::MappedMemory(MappedMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedMemory& MappedMemory::operator=(MappedMemory&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace baton
