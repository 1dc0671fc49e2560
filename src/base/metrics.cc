#include "base/metrics.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/check.h"

namespace baton {
namespace {

std::string number(double value) {
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value == std::floor(value) && std::fabs(value) < 1e15) {
    char text[32];
    std::snprintf(text, sizeof text, "%.0f", value);
    return text;
  }
  char text[40];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

std::string escaped(const std::string& text, bool quotes) {
  std::string out;
  for (char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
  return out;
}

std::string label_set(const MetricLabels& labels, const std::string& le = {}) {
  if (labels.empty() && le.empty()) return {};
  std::string out = "{";
  for (const auto& [key, value] : labels) {
    if (out.size() > 1) out += ',';
    out += key + "=\"" + escaped(value, true) + '"';
  }
  if (!le.empty()) {
    if (out.size() > 1) out += ',';
    out += "le=\"" + le + '"';
  }
  return out + "}";
}

const char* type_name(MetricRegistry::Kind kind) {
  switch (kind) {
    case MetricRegistry::Kind::counter:
      return "counter";
    case MetricRegistry::Kind::gauge:
      return "gauge";
    case MetricRegistry::Kind::histogram:
      return "histogram";
  }
  return "untyped";
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {
  CHECK(std::is_sorted(bounds_.begin(), bounds_.end()));
}

void Histogram::observe(double value) {
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  counts_[static_cast<size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  double sum = sum_.load(std::memory_order_relaxed);
  while (!sum_.compare_exchange_weak(sum, sum + value, std::memory_order_relaxed)) {
  }
}

std::vector<uint64_t> Histogram::counts() const {
  std::vector<uint64_t> out;
  for (const auto& count : counts_) out.push_back(count.load(std::memory_order_relaxed));
  return out;
}

MetricRegistry::Series& MetricRegistry::series(Kind kind, const std::string& name,
                                               const std::string& help, MetricLabels labels) {
  auto family = std::find_if(families_.begin(), families_.end(),
                             [&](const auto& f) { return f->name == name; });
  if (family == families_.end()) {
    families_.push_back(std::make_unique<Family>(Family{name, help, kind, {}}));
    family = families_.end() - 1;
  }
  CHECK((*family)->kind == kind);
  for (auto& existing : (*family)->series) {
    if (existing->labels == labels) return *existing;
  }
  auto fresh = std::make_unique<Series>();
  fresh->labels = std::move(labels);
  (*family)->series.push_back(std::move(fresh));
  return *(*family)->series.back();
}

Counter& MetricRegistry::counter(const std::string& name, const std::string& help,
                                 MetricLabels labels) {
  const std::lock_guard lock(mutex_);
  Series& s = series(Kind::counter, name, help, std::move(labels));
  if (!s.counter) s.counter = std::make_unique<Counter>();
  return *s.counter;
}

Histogram& MetricRegistry::histogram(const std::string& name, const std::string& help,
                                     std::vector<double> bounds, MetricLabels labels) {
  const std::lock_guard lock(mutex_);
  Series& s = series(Kind::histogram, name, help, std::move(labels));
  if (!s.histogram) s.histogram = std::make_unique<Histogram>(std::move(bounds));
  return *s.histogram;
}

void MetricRegistry::computed(Kind kind, const std::string& name, const std::string& help,
                              std::function<double()> read, MetricLabels labels) {
  CHECK(kind != Kind::histogram);
  const std::lock_guard lock(mutex_);
  series(kind, name, help, std::move(labels)).read = std::move(read);
}

std::string MetricRegistry::render() const {
  const std::lock_guard lock(mutex_);
  std::vector<const Family*> sorted;
  for (const auto& family : families_) sorted.push_back(family.get());
  std::sort(sorted.begin(), sorted.end(),
            [](const Family* a, const Family* b) { return a->name < b->name; });
  std::string out;
  for (const Family* family : sorted) {
    out += "# HELP " + family->name + ' ' + escaped(family->help, false) + '\n';
    out += "# TYPE " + family->name + ' ' + type_name(family->kind) + '\n';
    for (const auto& s : family->series) {
      if (s->histogram) {
        const std::vector<uint64_t> counts = s->histogram->counts();
        uint64_t cumulative = 0;
        for (size_t i = 0; i < counts.size(); ++i) {
          cumulative += counts[i];
          const bool last = i == s->histogram->bounds().size();
          out += family->name + "_bucket" +
                 label_set(s->labels, last ? "+Inf" : number(s->histogram->bounds()[i])) + ' ' +
                 std::to_string(cumulative) + '\n';
        }
        out +=
            family->name + "_sum" + label_set(s->labels) + ' ' + number(s->histogram->sum()) + '\n';
        out += family->name + "_count" + label_set(s->labels) + ' ' + std::to_string(cumulative) +
               '\n';
      } else {
        const double value = s->read ? s->read() : static_cast<double>(s->counter->value());
        out += family->name + label_set(s->labels) + ' ' + number(value) + '\n';
      }
    }
  }
  return out;
}

}  // namespace baton
