// A hash map for tables that must stay in the processor's cache: 42-bit keys, 22-bit values, eight
// bytes an entry, linear probing, no removal.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/check.h"

namespace baton {

class PackedMap {
 public:
  static constexpr int kValueBits = 22;
  static constexpr uint32_t kMaxPart = (1u << 21) - 1;           // of a key
  static constexpr uint32_t kMaxValue = (1u << kValueBits) - 2;  // all ones are kNone
  static constexpr uint32_t kNone = (1u << kValueBits) - 1;      // "no such key"

  /// A key has two parts.
  static constexpr uint64_t key(uint32_t a, uint32_t b) { return uint64_t{a} << 21 | b; }

  /// Room for `expected` keys; grows beyond.
  explicit PackedMap(size_t expected = 0) { allocate(std::bit_ceil(expected + expected / 2 + 2)); }

  /// Adds a key. False, and nothing changed, if it is there already.
  bool insert(uint64_t key, uint32_t value) {
    CHECK(key >> 42 == 0 && value <= kMaxValue);
    if (8 * (size_ + 1) > 6 * slots_.size()) grow();
    size_t i = home(key);
    for (; slots_[i] != kEmpty; i = (i + 1) & (slots_.size() - 1)) {
      if (slots_[i] >> kValueBits == key) return false;
    }
    slots_[i] = key << kValueBits | value;
    ++size_;
    const uint64_t bit = hash(key) >> (shift_ - kFilterShift);
    filter_[bit / 64] |= uint64_t{1} << bit % 64;
    return true;
  }

  /// The value of `key`, or kNone.
  uint32_t find(uint64_t key) const {
    const uint64_t bit = hash(key) >> (shift_ - kFilterShift);
    if (!(filter_[bit / 64] >> bit % 64 & 1)) return kNone;
    for (size_t i = home(key);; i = (i + 1) & (slots_.size() - 1)) {
      const uint64_t slot = slots_[i];
      // An empty slot is all ones: no key, and its value bits are kNone.
      if (slot >> kValueBits == key || slot == kEmpty) return slot & kNone;
    }
  }

 private:
  static constexpr uint64_t kEmpty = ~uint64_t{0};

  static constexpr int kFilterShift = 3;  // 8 bits of filter a slot

  /// Mixes the key into the highest bits.
  static uint64_t hash(uint64_t key) { return key * 0x9e3779b97f4a7c15ULL; }

  size_t home(uint64_t key) const { return static_cast<size_t>(hash(key) >> shift_); }

  void allocate(size_t count) {
    slots_.assign(count, kEmpty);
    filter_.assign((count << kFilterShift) / 64 + 1, 0);
    shift_ = 64 - std::countr_zero(count);
    size_ = 0;
  }

  void grow() {
    const std::vector<uint64_t> old = std::exchange(slots_, {});
    allocate(2 * old.size());
    for (const uint64_t slot : old) {
      if (slot != kEmpty) insert(slot >> kValueBits, static_cast<uint32_t>(slot & kNone));
    }
  }

  std::vector<uint64_t> slots_;   // a power of two, at most three quarters taken
  std::vector<uint64_t> filter_;  // a bit a hash: most look-ups fail, and this table is smaller
  int shift_ = 0;
  size_t size_ = 0;
};

}  // namespace baton
