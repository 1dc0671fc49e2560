#include "base/hash.h"

#include <cstring>

namespace baton {
namespace {

uint64_t load64(const std::byte* p) {
  uint64_t v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

uint64_t lane_step(uint64_t lane, uint64_t word) {
  lane = (lane ^ word) * 0x9e3779b97f4a7c15ULL;
  return lane ^ (lane >> 32);
}

}  // namespace

uint64_t hash_bytes(std::span<const std::byte> bytes, uint64_t seed) {
  const std::byte* p = bytes.data();
  size_t left = bytes.size();
  uint64_t lane[4] = {seed ^ 0x243f6a8885a308d3ULL, seed ^ 0x13198a2e03707344ULL,
                      seed ^ 0xa4093822299f31d0ULL, seed ^ 0x082efa98ec4e6c89ULL};
  for (; left >= 32; left -= 32, p += 32) {
    for (int i = 0; i < 4; ++i) lane[i] = lane_step(lane[i], load64(p + 8 * i));
  }
  for (; left >= 8; left -= 8, p += 8) lane[0] = lane_step(lane[0], load64(p));
  if (left > 0) {
    uint64_t tail = 0;
    std::memcpy(&tail, p, left);
    lane[1] = lane_step(lane[1], tail);
  }
  uint64_t h = hash_mix(bytes.size() + seed);
  for (uint64_t l : lane) h = hash_combine(h, l);
  return h;
}

}  // namespace baton
