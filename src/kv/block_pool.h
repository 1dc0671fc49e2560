// The KV blocks of one model, as ids with reference counts. The bytes belong to the model.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "token/token.h"

namespace baton {

/// Every block is in exactly one state: free (on the free list), held (refs > 0), or parked
/// (refs = 0, kept by the prefix index for its contents). free + parked + held = size.
class BlockPool {
 public:
  explicit BlockPool(uint32_t count);

  uint32_t size() const { return static_cast<uint32_t>(blocks_.size()); }
  uint32_t free_count() const { return static_cast<uint32_t>(free_.size()); }
  uint32_t held_count() const { return held_; }
  uint32_t refs(BlockId block) const;

  /// Free → held with one reference, and marked fresh. Nothing if no block is free.
  std::optional<BlockId> take();

  /// One more reference to a held or parked block. Returns the new count.
  uint32_t retain(BlockId block);

  /// One reference less. Returns what is left; at 0 the block is parked.
  uint32_t release(BlockId block);

  /// Parked → free.
  void put_back(BlockId block);

  /// Blocks taken since the last call, each once: the model zeroes them before use.
  std::vector<BlockId> take_fresh();

  /// CHECKs the invariants; for tests and fuzzers.
  void check() const;

 private:
  struct Block {
    uint32_t refs = 0;
    bool free = true;
    bool fresh = false;
  };
  Block& at(BlockId block);

  std::vector<Block> blocks_;
  std::vector<BlockId> free_;  // taken from the back
  std::vector<BlockId> fresh_;
  uint32_t held_ = 0;
};

}  // namespace baton
