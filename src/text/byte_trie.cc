#include "text/byte_trie.h"

#include <algorithm>
#include <numeric>

namespace baton {
namespace {

uint8_t byte_at(std::string_view text, size_t i) {
  return static_cast<uint8_t>(text[i]);
}

}  // namespace

ByteTrie::ByteTrie(std::span<const std::string_view> keys)
    : key_count_(static_cast<uint32_t>(keys.size())),
      shorter_(keys.size(), kNone),
      first_(256, kNone),
      second_(65'536, kNone),
      edges_(2 * keys.size()) {
  // Shorter keys first: then a key's last node cannot exist before the key is added.
  std::vector<uint32_t> order(keys.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return keys[a].size() < keys[b].size(); });
  uint32_t next_node = key_count_;
  for (const uint32_t key : order) {
    const std::string_view text = keys[key];
    uint32_t node = kNone;
    uint32_t shorter = kNone;
    for (size_t i = 0; i < text.size(); ++i) {
      const bool last = i + 1 == text.size();
      uint32_t to = i == 0   ? first_[byte_at(text, 0)]
                    : i == 1 ? second_[size_t{byte_at(text, 0)} << 8 | byte_at(text, 1)]
                             : child(node, byte_at(text, i));
      CHECK(!last || to == kNone);
      if (to == kNone) {
        to = last ? key : next_node++;
        CHECK(to < 1u << 24);
        if (i == 0) {
          first_[byte_at(text, 0)] = to;
        } else if (i == 1) {
          second_[size_t{byte_at(text, 0)} << 8 | byte_at(text, 1)] = to;
        } else {
          edges_.insert(node << 8 | byte_at(text, i), to);
        }
      }
      if (to < key_count_ && !last) shorter = to;
      node = to;
    }
    if (!text.empty()) shorter_[key] = shorter;
  }
}

inline uint32_t ByteTrie::child(uint32_t node, uint8_t byte) const {
  const uint32_t* found = edges_.find(node << 8 | byte);
  return found != nullptr ? *found : kNone;
}

uint32_t ByteTrie::longest_prefix(std::string_view text) const {
  if (text.empty() || key_count_ == 0) return kNone;
  uint32_t node = first_[byte_at(text, 0)];
  if (node == kNone) return kNone;
  uint32_t longest = node < key_count_ ? node : kNone;
  if (text.size() == 1) return longest;
  node = second_[size_t{byte_at(text, 0)} << 8 | byte_at(text, 1)];
  for (size_t i = 2; node != kNone; ++i) {
    if (node < key_count_) longest = node;
    if (i == text.size()) break;
    node = child(node, byte_at(text, i));
  }
  return longest;
}

}  // namespace baton
