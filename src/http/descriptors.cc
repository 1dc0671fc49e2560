#include "http/descriptors.h"

#include <sys/resource.h>

#include <algorithm>

#include "base/check.h"

namespace baton::http {

uint64_t raise_descriptor_limit() {
  rlimit limit = {};
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);  // fails for wrong arguments only
  if (limit.rlim_cur < limit.rlim_max) {
    rlimit raised = limit;
    raised.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur;
}

uint32_t connections_within(uint32_t wanted, uint64_t descriptors, uint32_t reserved) {
  const uint64_t room = descriptors > reserved ? descriptors - reserved : 1;
  return static_cast<uint32_t>(std::min<uint64_t>(wanted, room));
}

}  // namespace baton::http
