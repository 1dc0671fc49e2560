// The JSON header of a safetensors file, event by event, with duplicate keys refused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace baton {

/// One entry of the header as written; nothing but its form is checked yet.
struct SafetensorsEntry {
  std::string name;
  std::string dtype;
  std::vector<uint64_t> shape;
  uint64_t begin = 0, end = 0;  // byte offsets after the header
};

/// Parses the header's JSON: an object of tensors, each exactly {dtype, shape, data_offsets}, and
/// optionally `__metadata__`, an object of strings. Strict: no unknown or repeated fields, unsigned
/// integers only. data_corrupt errors name `file` and the tensor.
Result<std::vector<SafetensorsEntry>> parse_safetensors_header(std::string_view text,
                                                               const std::string& file);

/// A tensor's name for a message: in quotes, control characters escaped.
std::string quoted_tensor_name(std::string_view name);

}  // namespace baton
