#include "http/server_state.h"

#include <cstdio>

#include "base/hash.h"

namespace baton::http {

std::string ServerState::make_request_id() {
  const uint64_t count = id_count_.fetch_add(1, std::memory_order_relaxed);
  char text[48];
  std::snprintf(text, sizeof text, "req-%016llx%08llx",
                static_cast<unsigned long long>(hash_combine(id_seed, count)),
                static_cast<unsigned long long>(count & 0xffffffff));
  return text;
}

bool BodyShare::grow_to(uint64_t bytes) {
  if (bytes <= held_) return true;
  const uint64_t more = bytes - held_;
  const uint64_t before = state_.bodies_bytes.fetch_add(more, std::memory_order_relaxed);
  if (before + more > state_.limits.bodies_bytes) {
    state_.bodies_bytes.fetch_sub(more, std::memory_order_relaxed);
    return false;
  }
  held_ = bytes;
  return true;
}

}  // namespace baton::http
