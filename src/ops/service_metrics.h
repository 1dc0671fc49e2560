// The service's metric set. Names follow Prometheus: own prefix, base units, counters end in
// _total.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "base/metrics.h"
#include "http/server.h"
#include "ops/access_log.h"

namespace baton::ops {

/// Metrics that the front feeds. Thread-safe. `registry` must outlive it, and it must outlive the
/// last render of `registry`.
class ServiceMetrics {
 public:
  explicit ServiceMetrics(MetricRegistry& registry);
  ServiceMetrics(const ServiceMetrics&) = delete;
  ServiceMetrics& operator=(const ServiceMetrics&) = delete;

  /// Counts one request that is over, all of it from the record.
  void observe(const AccessRecord& record);

  /// Counts a request as being served for as long as it lives.
  class InFlight {
   public:
    explicit InFlight(ServiceMetrics& metrics) : metrics_(metrics) {
      metrics_.in_flight_.fetch_add(1, std::memory_order_relaxed);
    }
    ~InFlight() { metrics_.in_flight_.fetch_sub(1, std::memory_order_relaxed); }
    InFlight(const InFlight&) = delete;
    InFlight& operator=(const InFlight&) = delete;

   private:
    ServiceMetrics& metrics_;
  };

 private:
  MetricRegistry& registry_;
  std::atomic<int64_t> in_flight_{0};
  Histogram& time_to_first_token_;
  Histogram& time_per_output_token_;
  Histogram& request_prompt_tokens_;
  Histogram& request_generation_tokens_;
  Counter& prompt_tokens_;
  Counter& cached_tokens_;
  Counter& generation_tokens_;
};

/// What the token source reports when metrics are rendered. `ops` knows neither engine nor fleet:
/// whoever starts the process maps theirs to this.
struct LoadSample {
  bool ready = false;
  bool draining = false;
  uint32_t running = 0;
  uint32_t waiting = 0;
  uint32_t blocks_total = 0;
  uint32_t blocks_free = 0;
  uint64_t steps = 0;
  uint64_t preemptions = 0;
  uint64_t prefix_query_tokens = 0;
  uint64_t prefix_hit_tokens = 0;
};

/// Gauges and counters over `read`, which must be thread-safe and outlive the last render.
void register_load_metrics(MetricRegistry& registry, std::function<LoadSample()> read);

/// Connections and refused requests; `read` is usually the server's stats(). Lifetime as above.
void register_http_metrics(MetricRegistry& registry, std::function<http::ServerStats()> read);

/// baton_build_info{version, model, class} 1.
void register_build_info(MetricRegistry& registry, const std::string& version,
                         const std::string& model, const std::string& klass);

/// The standard process_* metrics (CPU, resident memory, open files, start time), from /proc.
void register_process_metrics(MetricRegistry& registry);

}  // namespace baton::ops
