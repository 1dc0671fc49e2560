#include "kv/block_pool.h"

#include <limits>
#include <utility>

#include "base/check.h"

namespace baton {

BlockPool::BlockPool(uint32_t count) : blocks_(count) {
  CHECK(count > 0);
  free_.reserve(count);
  for (BlockId b = count; b > 0; --b) free_.push_back(b - 1);  // block 0 goes first
}

BlockPool::Block& BlockPool::at(BlockId block) {
  CHECK(block < blocks_.size());
  return blocks_[block];
}

uint32_t BlockPool::refs(BlockId block) const {
  CHECK(block < blocks_.size());
  return blocks_[block].refs;
}

std::optional<BlockId> BlockPool::take() {
  if (free_.empty()) return std::nullopt;
  const BlockId id = free_.back();
  free_.pop_back();
  Block& block = at(id);
  CHECK(block.free && block.refs == 0);
  block.free = false;
  block.refs = 1;
  ++held_;
  if (!block.fresh) {
    block.fresh = true;
    fresh_.push_back(id);
  }
  return id;
}

uint32_t BlockPool::retain(BlockId id) {
  Block& block = at(id);
  CHECK(!block.free && block.refs < std::numeric_limits<uint32_t>::max());
  if (block.refs == 0) ++held_;
  return ++block.refs;
}

uint32_t BlockPool::release(BlockId id) {
  Block& block = at(id);
  CHECK(block.refs > 0);
  if (--block.refs == 0) --held_;
  return block.refs;
}

void BlockPool::put_back(BlockId id) {
  Block& block = at(id);
  CHECK(!block.free && block.refs == 0);
  block.free = true;
  free_.push_back(id);
}

std::vector<BlockId> BlockPool::take_fresh() {
  for (BlockId id : fresh_) blocks_[id].fresh = false;
  return std::exchange(fresh_, {});
}

void BlockPool::check() const {
  uint32_t held = 0;
  uint32_t free = 0;
  uint32_t fresh = 0;
  for (const Block& block : blocks_) {
    CHECK(!block.free || block.refs == 0);
    held += block.refs > 0;
    free += block.free;
    fresh += block.fresh;
  }
  CHECK(held == held_);
  CHECK(free == free_.size());
  CHECK(fresh == fresh_.size());
  for (BlockId id : free_) CHECK(id < blocks_.size() && blocks_[id].free);
}

}  // namespace baton
