// A prefix tree over byte strings: which of the keys is the longest that a text begins with?
//
// Its steps are characters where a key has whole ones, and single bytes for the rest (half a
// character at a key's end, continuation bytes at its begin). So a Chinese word costs one look-up a
// character, not three, and few keys need the bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "text/packed_map.h"

namespace baton {

class TokenTrie {
 public:
  static constexpr uint32_t kNone = PackedMap::kNone;
  static constexpr size_t kMaxNodes = PackedMap::kMaxPart;

  TokenTrie() = default;

  /// Keys are numbered as given; empty ones are left out, no two equal. Nothing if there would be
  /// more than kMaxNodes different prefixes.
  static std::optional<TokenTrie> create(std::span<const std::string_view> keys);

  /// The number of the longest key that `text` begins with, or kNone. `text` is a stretch of valid
  /// UTF-8; it may begin and end inside a character.
  uint32_t longest_prefix(std::string_view text) const;

  /// The longest key that is a proper prefix of `key`, or kNone.
  uint32_t shorter(uint32_t key) const { return shorter_[key]; }

 private:
  // A node that ends a key has the key's number, the others are numbered above; the root is last.
  static constexpr uint32_t kByte = 0x110000;  // + a byte: a step that is not a whole character

  bool insert(uint32_t key, std::string_view text);
  uint32_t step(uint32_t node, uint32_t unit) const;
  uint32_t longest_partial(uint32_t node, std::string_view text) const;

  uint32_t key_count_ = 0;
  uint32_t node_count_ = 0;
  std::vector<uint32_t> shorter_;    // [key_count_]
  std::vector<uint32_t> first_;      // [≤ 65,536]: by the first character
  std::vector<uint32_t> ascii_;      // [128 × 128]: by the first two, if ASCII
  std::vector<uint64_t> has_bytes_;  // a bit a node: some key goes on with part of a character
  PackedMap edges_;                  // (node, character or kByte + byte) → node
};

}  // namespace baton
