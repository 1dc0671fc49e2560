// Which KV blocks already hold which tokens: a tree of full blocks, shared between sequences.
//
// A node is a block of kBlockTokens tokens below its parent block (nothing, for the first) under
// one salt. Lookup goes by a chained hash, and every hit is verified by comparing parent, salt and
// tokens: a hash collision is a miss, never a wrong answer. What a sequence holds is always a path
// from the root, so a block that nobody holds has no held descendants, and evicting leaves first,
// the least recently used of them, can free every such block.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "kv/block_pool.h"
#include "token/token.h"

namespace baton {

inline constexpr BlockId kNoBlock = 0xffffffff;

/// The owner of the pool's parked blocks. All blocks are taken and released through it.
class PrefixIndex {
 public:
  /// `pool` outlives the index. Not `enabled`: nothing is ever found or kept.
  PrefixIndex(BlockPool& pool, bool enabled);

  /// Blocks of the longest known run of full blocks at the start of `tokens`, each retained.
  std::vector<BlockId> match(uint64_t salt, std::span<const Token> tokens);

  /// How many blocks match() would return.
  uint32_t match_length(uint64_t salt, std::span<const Token> tokens) const;

  /// Announces that `block`, held by the caller, holds `tokens` (exactly kBlockTokens) below
  /// `parent`, the caller's previous block (kNoBlock for the first). Returns the block that the
  /// caller holds from now on: where the same content was known, that one, and `block` is released.
  BlockId insert(uint64_t salt, BlockId parent, std::span<const Token> tokens, BlockId block);

  /// A free block, or one whose cached contents are given up. Nothing if all are held.
  std::optional<BlockId> take();

  /// Gives up one reference to each block of a sequence's table, `chain`, in position order.
  void release(std::span<const BlockId> chain);

  /// How many take() calls would succeed now.
  uint32_t available() const { return pool_.size() - pool_.held_count(); }

  /// Blocks with known contents, held or not.
  uint32_t cached() const { return static_cast<uint32_t>(by_key_.size()); }

  /// CHECKs the invariants, the pool's included; for tests and fuzzers.
  void check() const;

 private:
  struct Node {
    bool known = false;
    BlockId parent = kNoBlock;
    uint32_t children = 0;
    uint64_t salt = 0;
    uint64_t key = 0;
    uint64_t used = 0;  // tick of the last release
    std::array<Token, kBlockTokens> tokens;
  };
  uint64_t key_of(uint64_t salt, BlockId parent, std::span<const Token> tokens) const;
  BlockId find(uint64_t salt, BlockId parent, std::span<const Token> tokens) const;
  void retain(BlockId block);
  void park_or_free(BlockId block);
  void forget(BlockId block);
  bool is_evictable(BlockId block) const;

  BlockPool& pool_;
  const bool enabled_;
  std::vector<Node> nodes_;                        // by block
  std::unordered_map<uint64_t, BlockId> by_key_;   // never iterated in an order that matters
  std::set<std::pair<uint64_t, BlockId>> leaves_;  // evictable, (used, block)
  uint64_t tick_ = 0;
};

}  // namespace baton
