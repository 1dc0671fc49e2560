// A hash map from integers to small values: one flat array, linear probing, no removal.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/check.h"

namespace baton {

template <class Key, class Value>
class FlatMap {
 public:
  static constexpr Key kNoKey = static_cast<Key>(~Key{0});  // never a key

  /// Room for `expected` keys; grows beyond. At most half of the slots are ever taken.
  explicit FlatMap(size_t expected = 0) { allocate(std::bit_ceil(2 * expected + 2)); }

  /// Adds a key. False, and nothing changed, if it is there already.
  bool insert(Key key, Value value) {
    CHECK(key != kNoKey);
    if (2 * (size_ + 1) > slots_.size()) grow();
    size_t i = home(key);
    for (; slots_[i].key != kNoKey; i = (i + 1) & (slots_.size() - 1)) {
      if (slots_[i].key == key) return false;
    }
    slots_[i] = {key, value};
    ++size_;
    return true;
  }

  /// The value of `key`, or null.
  const Value* find(Key key) const {
    for (size_t i = home(key);; i = (i + 1) & (slots_.size() - 1)) {
      if (slots_[i].key == key) return &slots_[i].value;
      if (slots_[i].key == kNoKey) return nullptr;
    }
  }

 private:
  struct Slot {
    Key key = kNoKey;
    Value value = {};
  };

  size_t home(Key key) const {
    return static_cast<size_t>(static_cast<uint64_t>(key) * 0x9e3779b97f4a7c15ULL >> shift_);
  }

  void allocate(size_t count) {
    slots_.assign(count, Slot{});
    shift_ = 64 - std::countr_zero(count);
    size_ = 0;
  }

  void grow() {
    const std::vector<Slot> old = std::exchange(slots_, {});
    allocate(2 * old.size());
    for (const Slot& slot : old) {
      if (slot.key != kNoKey) insert(slot.key, slot.value);
    }
  }

  std::vector<Slot> slots_;  // a power of two
  int shift_ = 0;
  size_t size_ = 0;
};

}  // namespace baton
