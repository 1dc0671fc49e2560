// A prefix tree over byte strings: which of the keys is the longest that a text begins with?
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "text/flat_map.h"

namespace baton {

class ByteTrie {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  ByteTrie() = default;

  /// Keys are numbered as given; empty ones are left out, no two equal, less than 2^23 bytes
  /// together.
  explicit ByteTrie(std::span<const std::string_view> keys);

  /// The number of the longest key that `text` begins with, or kNone.
  uint32_t longest_prefix(std::string_view text) const;

  /// The longest key that is a proper prefix of `key`, or kNone.
  uint32_t shorter(uint32_t key) const { return shorter_[key]; }

 private:
  // A node that ends a key has the key's number; the others are numbered above.
  uint32_t child(uint32_t node, uint8_t byte) const;

  uint32_t key_count_ = 0;
  std::vector<uint32_t> shorter_;      // [key_count_]
  std::vector<uint32_t> first_;        // [256]: by the first byte
  std::vector<uint32_t> second_;       // [65,536]: by the first two, most significant first
  FlatMap<uint32_t, uint32_t> edges_;  // node << 8 | byte → node
};

}  // namespace baton
