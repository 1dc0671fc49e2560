// Safetensors::parse over arbitrary bytes: an error, or tensors that lie inside the file, tile its
// data and fit their shapes.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

#include "base/check.h"
#include "weights/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace baton;
  // A copy of its own: aligned as a mapping is, and a read past the end is one past an allocation.
  const std::unique_ptr<std::byte[]> copy(new std::byte[size]);
  if (size != 0) std::memcpy(copy.get(), data, size);
  const std::span<const std::byte> file(copy.get(), size);
  const auto parsed = Safetensors::parse(file, "fuzz");
  if (!parsed.ok()) {
    CHECK(!parsed.error().message.empty());
    CHECK(parsed.error().code == Code::data_corrupt || parsed.error().code == Code::unsupported);
    return 0;
  }
  size_t total = 0;
  unsigned sum = 0;
  for (const auto& [name, tensor] : *parsed) {
    const size_t element = bits_of(tensor.dtype) / 8;
    CHECK(element != 0);
    size_t elements = 1;
    for (const uint64_t extent : tensor.shape) elements *= extent;
    CHECK(elements * element == tensor.data.size());
    if (tensor.data.empty()) continue;
    CHECK(tensor.data.data() >= file.data());
    CHECK(tensor.data.data() + tensor.data.size() <= file.data() + file.size());
    CHECK(reinterpret_cast<uintptr_t>(tensor.data.data()) % element == 0);
    for (const std::byte byte : tensor.data) sum += std::to_integer<unsigned>(byte);
    total += tensor.data.size();
  }
  uint64_t header_bytes;
  CHECK(size >= sizeof header_bytes);
  std::memcpy(&header_bytes, data, sizeof header_bytes);
  CHECK(total == size - sizeof header_bytes - header_bytes);
  const volatile unsigned sink = sum;  // so that the reads above happen
  static_cast<void>(sink);
  return 0;
}
