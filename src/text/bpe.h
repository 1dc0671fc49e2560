// Byte-pair merging of one piece of text.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "text/flat_map.h"
#include "token/token.h"

namespace baton {

/// What a merge table is made from: tokens as raw bytes, merges in order of priority.
struct BpeSpec {
  struct Merge {
    Token left, right, merged;
  };
  std::vector<std::string> tokens;  // by id; empty: no such id
  std::vector<Merge> merges;        // first = merged first
};

/// An immutable merge table, shared by all threads.
class Bpe {
 public:
  /// invalid_argument if a byte has no token or a merge is listed twice.
  static Result<Bpe> create(const BpeSpec& spec);

  /// Appends the ids of `piece` to `out`: the pair of lowest rank is merged first, the leftmost of
  /// equals, until none is left.
  void encode(std::string_view piece, std::vector<Token>& out) const;

  /// The same by its plain definition, O(n log n): the rule for tables that `encode` has no fast
  /// way for, and the test's yardstick.
  void encode_by_merging(std::string_view piece, std::vector<Token>& out) const;

 private:
  struct Ranked {
    uint32_t rank;
    Token merged;
  };

  Bpe() = default;

  const Ranked* find(Token left, Token right) const {
    return pairs_.find(static_cast<uint64_t>(left) << 32 | static_cast<uint32_t>(right));
  }

  Token byte_tokens_[256] = {};
  FlatMap<uint64_t, Ranked> pairs_;
};

}  // namespace baton
