// The answers of the operational routes. Liveness says "restart me", readiness "send me work".
#pragma once

#include <cstdint>
#include <string>

#include "base/metrics.h"
#include "http/server.h"

namespace baton::ops {

struct Health {
  bool failed = false;    // beyond repair (the device is lost): only a restart helps
  bool ready = false;     // loaded and answering
  bool draining = false;  // goes on with what it has, takes nothing new
  uint32_t running = 0;
  uint32_t waiting = 0;
  std::string detail;  // why not ready, for a person; may be empty
};

/// 200 unless failed (503). A busy or draining process is alive.
http::Response livez(const Health& health);

/// 200 when ready, not draining and not failed; else 503 with Retry-After. JSON:
/// {"status":"ready|loading|draining|failed","running":n,"waiting":n[,"detail":"…"]}.
http::Response readyz(const Health& health);

/// Prometheus text exposition format 0.0.4.
http::Response metrics_page(const MetricRegistry& registry);

}  // namespace baton::ops
