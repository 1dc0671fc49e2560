// Time is passed in: code asks a Clock, tests use a ManualClock.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

namespace baton {

/// Monotonic nanoseconds since an arbitrary start.
using Nanos = int64_t;

constexpr Nanos milliseconds(int64_t ms) {
  return ms * 1'000'000;
}
constexpr Nanos seconds(int64_t s) {
  return s * 1'000'000'000;
}

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Nanos now() const = 0;
};

class SteadyClock final : public Clock {
 public:
  Nanos now() const override {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
};

class ManualClock final : public Clock {
 public:
  Nanos now() const override { return now_; }
  void advance(Nanos by) { now_ += by; }

 private:
  Nanos now_ = 0;
};

/// A point in time after which an answer is of no use. Travels between processes as remaining time.
class Deadline {
 public:
  Deadline() = default;  // never
  static Deadline never() { return {}; }
  static Deadline at(Nanos when) {
    Deadline d;
    d.when_ = when;
    return d;
  }
  bool is_never() const { return when_ == std::numeric_limits<Nanos>::max(); }
  bool passed(Nanos now) const { return now >= when_; }
  Nanos when() const { return when_; }
  Nanos remaining(Nanos now) const { return when_ > now ? when_ - now : 0; }

 private:
  Nanos when_ = std::numeric_limits<Nanos>::max();
};

}  // namespace baton
