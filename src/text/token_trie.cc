#include "text/token_trie.h"

#include <algorithm>
#include <numeric>

#include "text/utf8.h"

namespace baton {
namespace {

constexpr size_t kFirstCharacters = 65'536;

uint8_t byte_at(std::string_view text, size_t i) {
  return static_cast<uint8_t>(text[i]);
}

bool is_continuation(uint8_t byte) {
  return (byte & 0xC0) == 0x80;
}

/// Bytes of the character that begins with `lead` (of valid UTF-8, not a continuation byte).
size_t character_bytes(uint8_t lead) {
  return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

}  // namespace

std::optional<TokenTrie> TokenTrie::create(std::span<const std::string_view> keys) {
  if (keys.size() >= kMaxNodes) return std::nullopt;
  TokenTrie trie;
  trie.key_count_ = static_cast<uint32_t>(keys.size());
  trie.node_count_ = trie.key_count_ + 1;
  trie.shorter_.assign(keys.size(), kNone);
  trie.first_.assign(kFirstCharacters, kNone);
  trie.ascii_.assign(128 * 128, kNone);
  trie.edges_ = PackedMap(2 * keys.size());
  // Shorter keys first: then a key's last node cannot exist before the key is added.
  std::vector<uint32_t> order(keys.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return keys[a].size() < keys[b].size(); });
  for (const uint32_t key : order) {
    if (!keys[key].empty() && !trie.insert(key, keys[key])) return std::nullopt;
  }
  return trie;
}

bool TokenTrie::insert(uint32_t key, std::string_view text) {
  has_bytes_.resize((node_count_ + text.size()) / 64 + 1);
  shorter_[key] = longest_prefix(text.substr(0, text.size() - 1));
  uint32_t node = key_count_;
  for (size_t i = 0; i < text.size();) {
    const Utf8Step character = utf8_step(text.substr(i));
    uint32_t unit = kByte + byte_at(text, i);
    size_t next = i + 1;
    if (character.kind == Utf8Step::Kind::valid) {
      const char* p = text.data() + i;
      unit = utf8_next(p);
      next = i + character.length;
    } else if (!is_continuation(byte_at(text, i))) {
      has_bytes_[node / 64] |= uint64_t{1} << node % 64;
    }
    uint32_t to = step(node, unit);
    CHECK(to == kNone || next < text.size());
    if (to == kNone) {
      if (node_count_ == kMaxNodes) return false;
      to = next == text.size() ? key : node_count_++;
      edges_.insert(PackedMap::key(node, unit), to);
      if (i == 0 && unit < kFirstCharacters) first_[unit] = to;
      if (i == 1 && unit < 128 && byte_at(text, 0) < 128) {
        ascii_[size_t{byte_at(text, 0)} << 7 | unit] = to;
      }
    }
    node = to;
    i = next;
  }
  return true;
}

inline uint32_t TokenTrie::step(uint32_t node, uint32_t unit) const {
  return edges_.find(PackedMap::key(node, unit));
}

/// The longest key that goes on from `node` with some but not all bytes of the character that
/// `text` begins with; kNone if none does.
uint32_t TokenTrie::longest_partial(uint32_t node, std::string_view text) const {
  uint32_t longest = kNone;
  for (const char byte : text) {
    node = step(node, kByte + static_cast<uint8_t>(byte));
    if (node == kNone) break;
    if (node < key_count_) longest = node;
  }
  return longest;
}

uint32_t TokenTrie::longest_prefix(std::string_view text) const {
  if (text.empty()) return kNone;
  uint32_t longest = kNone;
  uint32_t node = key_count_;
  size_t i = 0;
  if (byte_at(text, 0) < 0x80) {
    node = first_[byte_at(text, 0)];
    i = 1;
    if (text.size() > 1 && byte_at(text, 1) < 0x80) {
      if (node < key_count_) longest = node;
      node = ascii_[size_t{byte_at(text, 0)} << 7 | byte_at(text, 1)];
      i = 2;
    }
  }
  while (node != kNone) {
    if (node < key_count_) longest = node;
    if (i == text.size()) break;
    const uint8_t lead = byte_at(text, i);
    if (lead < 0x80) {
      node = step(node, lead);
      ++i;
      continue;
    }
    if (is_continuation(lead)) {
      node = step(node, kByte + lead);
      ++i;
      continue;
    }
    if (i > 0 && (has_bytes_[node / 64] >> node % 64 & 1)) {
      const uint32_t partial = longest_partial(node, text.substr(i));
      if (partial != kNone) longest = partial;
    }
    const size_t bytes = character_bytes(lead);
    if (text.size() - i < bytes) break;
    const char* p = text.data() + i;
    const uint32_t character = utf8_next(p);
    node = i == 0 && character < kFirstCharacters ? first_[character] : step(node, character);
    i += bytes;
  }
  return longest != kNone ? longest : longest_partial(key_count_, text);
}

}  // namespace baton
