// The metric registry: lock-free counters, gauges and histograms, rendered by `ops`.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace baton {

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

class Counter {
 public:
  void add(uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

/// Fixed buckets, upper bounds in ascending order (an implicit +Inf follows).
class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds);
  void observe(double value);
  const std::vector<double>& bounds() const { return bounds_; }
  /// Counts per bucket (not cumulative), +Inf last.
  std::vector<uint64_t> counts() const;
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::vector<double> bounds_;
  std::vector<std::atomic<uint64_t>> counts_;
  std::atomic<double> sum_{0.0};
};

/// Owns all metrics of a process. Registration is thread-safe and idempotent: the same name and
/// labels give the same object. Names follow Prometheus ("baton_requests_total").
class MetricRegistry {
 public:
  enum class Kind : uint8_t { counter, gauge, histogram };

  Counter& counter(const std::string& name, const std::string& help, MetricLabels labels = {});
  Histogram& histogram(const std::string& name, const std::string& help, std::vector<double> bounds,
                       MetricLabels labels = {});
  /// A value read when rendered (`kind` counter or gauge).
  void computed(Kind kind, const std::string& name, const std::string& help,
                std::function<double()> read, MetricLabels labels = {});

  /// Prometheus text exposition format 0.0.4, families sorted by name.
  std::string render() const;

 private:
  struct Series {
    MetricLabels labels;
    std::unique_ptr<Counter> counter;
    std::unique_ptr<Histogram> histogram;
    std::function<double()> read;
  };
  struct Family {
    std::string name, help;
    Kind kind;
    std::vector<std::unique_ptr<Series>> series;
  };
  Series& series(Kind kind, const std::string& name, const std::string& help, MetricLabels labels);

  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Family>> families_;
};

}  // namespace baton
