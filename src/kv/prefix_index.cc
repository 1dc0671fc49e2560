#include "kv/prefix_index.h"

#include <algorithm>

#include "base/check.h"
#include "base/hash.h"

namespace baton {

PrefixIndex::PrefixIndex(BlockPool& pool, bool enabled)
    : pool_(pool), enabled_(enabled), nodes_(enabled ? pool.size() : 0) {}

uint64_t PrefixIndex::key_of(uint64_t salt, BlockId parent, std::span<const Token> tokens) const {
  const uint64_t seed = parent == kNoBlock ? hash_mix(salt) : nodes_[parent].key;
  return hash_bytes(std::as_bytes(tokens), seed);
}

BlockId PrefixIndex::find(uint64_t salt, BlockId parent, std::span<const Token> tokens) const {
  const auto it = by_key_.find(key_of(salt, parent, tokens));
  if (it == by_key_.end()) return kNoBlock;
  const Node& node = nodes_[it->second];
  const bool same = node.parent == parent && node.salt == salt &&
                    std::equal(tokens.begin(), tokens.end(), node.tokens.begin());
  return same ? it->second : kNoBlock;
}

uint32_t PrefixIndex::match_length(uint64_t salt, std::span<const Token> tokens) const {
  if (!enabled_) return 0;
  uint32_t blocks = 0;
  BlockId parent = kNoBlock;
  for (; tokens.size() >= kBlockTokens; tokens = tokens.subspan(kBlockTokens)) {
    parent = find(salt, parent, tokens.first(kBlockTokens));
    if (parent == kNoBlock) break;
    ++blocks;
  }
  return blocks;
}

std::vector<BlockId> PrefixIndex::match(uint64_t salt, std::span<const Token> tokens) {
  std::vector<BlockId> found;
  if (!enabled_) return found;
  BlockId parent = kNoBlock;
  for (; tokens.size() >= kBlockTokens; tokens = tokens.subspan(kBlockTokens)) {
    parent = find(salt, parent, tokens.first(kBlockTokens));
    if (parent == kNoBlock) break;
    retain(parent);
    found.push_back(parent);
  }
  return found;
}

BlockId PrefixIndex::insert(uint64_t salt, BlockId parent, std::span<const Token> tokens,
                            BlockId block) {
  CHECK(tokens.size() == kBlockTokens && pool_.refs(block) > 0);
  if (!enabled_ || nodes_[block].known) return block;
  if (parent != kNoBlock && !nodes_[parent].known) return block;  // a collision cut the chain
  const BlockId known = find(salt, parent, tokens);
  if (known != kNoBlock) {
    retain(known);
    if (pool_.release(block) == 0) park_or_free(block);
    return known;
  }
  const uint64_t key = key_of(salt, parent, tokens);
  if (!by_key_.try_emplace(key, block).second) return block;  // a collision: not kept
  Node& node = nodes_[block];
  node.known = true;
  node.parent = parent;
  node.children = 0;
  node.salt = salt;
  node.key = key;
  std::copy(tokens.begin(), tokens.end(), node.tokens.begin());
  if (parent != kNoBlock) ++nodes_[parent].children;
  return block;
}

std::optional<BlockId> PrefixIndex::take() {
  if (pool_.free_count() == 0 && !leaves_.empty()) {
    const BlockId oldest = leaves_.begin()->second;
    forget(oldest);
    pool_.put_back(oldest);
  }
  return pool_.take();
}

void PrefixIndex::release(std::span<const BlockId> chain) {
  // The tail first: it becomes older than the head, which more sequences may share.
  for (size_t i = chain.size(); i-- > 0;) {
    if (pool_.release(chain[i]) == 0) park_or_free(chain[i]);
  }
}

void PrefixIndex::retain(BlockId block) {
  if (pool_.retain(block) == 1) leaves_.erase({nodes_[block].used, block});
}

void PrefixIndex::park_or_free(BlockId block) {
  if (!enabled_ || !nodes_[block].known) {
    pool_.put_back(block);
    return;
  }
  nodes_[block].used = ++tick_;
  if (nodes_[block].children == 0) leaves_.insert({nodes_[block].used, block});
}

void PrefixIndex::forget(BlockId block) {
  Node& node = nodes_[block];
  CHECK(is_evictable(block));
  leaves_.erase({node.used, block});
  by_key_.erase(node.key);
  node.known = false;
  if (node.parent == kNoBlock) return;
  --nodes_[node.parent].children;
  if (is_evictable(node.parent)) leaves_.insert({nodes_[node.parent].used, node.parent});
}

bool PrefixIndex::is_evictable(BlockId block) const {
  return nodes_[block].known && nodes_[block].children == 0 && pool_.refs(block) == 0;
}

void PrefixIndex::check() const {
  pool_.check();
  if (!enabled_) {
    CHECK(pool_.free_count() + pool_.held_count() == pool_.size());
    return;
  }
  std::vector<uint32_t> children(nodes_.size());
  uint32_t known = 0;
  uint32_t parked = 0;
  uint32_t evictable = 0;
  for (BlockId b = 0; b < nodes_.size(); ++b) {
    const Node& node = nodes_[b];
    if (!node.known) continue;
    ++known;
    parked += pool_.refs(b) == 0;
    evictable += is_evictable(b);
    CHECK(is_evictable(b) == leaves_.contains({node.used, b}));
    CHECK(by_key_.at(node.key) == b);
    CHECK(node.key == key_of(node.salt, node.parent, node.tokens));
    if (node.parent == kNoBlock) continue;
    ++children[node.parent];
    CHECK(nodes_[node.parent].known && nodes_[node.parent].salt == node.salt);
    CHECK(pool_.refs(b) == 0 || pool_.refs(node.parent) > 0);
  }
  for (BlockId b = 0; b < nodes_.size(); ++b) {
    CHECK(!nodes_[b].known || nodes_[b].children == children[b]);
  }
  CHECK(known == by_key_.size());
  CHECK(evictable == leaves_.size());
  CHECK(pool_.free_count() + pool_.held_count() + parked == pool_.size());
}

}  // namespace baton
