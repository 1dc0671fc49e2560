// A fast 64-bit hash for identity inside Baton (prefix blocks, numeric class). Not cryptographic:
// it never guards against an adversary. The value is part of the class id, so it must not change
// without a new numerics revision.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace baton {

/// Mixes all 64 bits (the finaliser of SplitMix64).
constexpr uint64_t hash_mix(uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebULL;
  x ^= x >> 31;
  return x;
}

constexpr uint64_t hash_combine(uint64_t seed, uint64_t value) {
  return hash_mix(seed * 0x9e3779b97f4a7c15ULL + value + 0x2545f4914f6cdd1dULL);
}

/// Hash of `bytes`, at memory speed: four independent lanes of 8 bytes.
uint64_t hash_bytes(std::span<const std::byte> bytes, uint64_t seed = 0);

inline uint64_t hash_string(std::string_view text, uint64_t seed = 0) {
  return hash_bytes({reinterpret_cast<const std::byte*>(text.data()), text.size()}, seed);
}

}  // namespace baton
