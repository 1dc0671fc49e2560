// Byte-pair merging of one piece of text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/packed_map.h"
#include "text/token_trie.h"
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
///
/// The rule is that of all BPE: of the pairs of neighbours that have a merge, the one of lowest
/// rank is merged first, the leftmost of equals, until none is left. `encode_by_merging` does just
/// that. `encode` gives the same tokens from left to right without merging, in linear time (Bas and
/// Antonov, "So many tokens, so little time", GitHub 2024): a list of tokens is the encoding of its
/// bytes exactly if every two neighbours are the encoding of theirs, and every prefix of the text
/// has one encoding, so a depth-first search that tries longer tokens first needs to enter each
/// position at most once.
class Bpe {
 public:
  /// invalid_argument if a byte has no token, a merge is listed twice or names no token;
  /// too_large above 2^21 different prefixes of tokens.
  static Result<Bpe> create(const BpeSpec& spec);

  /// Appends the ids of `piece` to `out`.
  void encode(std::string_view piece, std::vector<Token>& out) const;

  /// The same by the plain definition, O(n log n): for tables where a merge comes before its parts
  /// or a token has two merges, which have no fast way, and the yardstick of the tests.
  void encode_by_merging(std::string_view piece, std::vector<Token>& out) const;

  /// True if `encode` has its fast way.
  bool is_ordered() const { return ordered_; }

 private:
  // Tokens are numbered here in the order in which they come to be: first the bytes by their value,
  // then what the merges make. In an ordered table a lower number is an earlier merge.
  using Part = uint32_t;
  struct Merge {
    Part left, right;
  };
  class Search;

  static constexpr Part kBytes = 256;
  static constexpr uint32_t kNoMerge = PackedMap::kNone;

  Bpe() = default;

  Result<std::vector<Part>> number_tokens(const BpeSpec& spec);
  Result<void> read_merges(const BpeSpec& spec, const std::vector<Part>& part_of);
  Result<void> prepare_search(const BpeSpec& spec, const std::vector<Part>& part_of);

  /// The rank of the merge of two neighbours, or kNoMerge.
  uint32_t rank_of(Part left, Part right) const { return ranks_.find(PackedMap::key(left, right)); }

  /// True if no merge before number `limit` happens across the border of `left` and `right`.
  bool stay_apart(Part left, Part right, Part limit) const;

  std::vector<Token> ids_;    // by number
  PackedMap ranks_;           // (left, right) → rank
  std::vector<Part> merged_;  // by rank
  bool ordered_ = false;      // merged_[rank] = kBytes + rank, and made of lower ones

  // For the search; only if ordered.
  std::vector<Merge> made_of_;     // by number; a byte is made of itself twice
  std::vector<uint16_t> lengths_;  // by number, in bytes
  TokenTrie trie_;                 // the tokens that their own bytes encode to
};

}  // namespace baton
