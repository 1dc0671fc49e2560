// The input is a script for a scheduler and a fake model: the first bytes choose its limits, then
// each byte is an event. Whatever the script, the invariants hold and everything ends.
#include <algorithm>
#include <map>
#include <vector>

#include "base/check.h"
#include "kv/block_pool.h"
#include "sched/fake_kv.h"
#include "sched/scheduler.h"

namespace {

using namespace baton;

constexpr uint32_t kVocab = 16;
constexpr size_t kScriptMax = 2000;

class Script {
 public:
  Script(const uint8_t* data, size_t size) : data_(data), left_(std::min(size, kScriptMax)) {}
  bool done() const { return left_ == 0; }
  uint32_t next() {
    if (left_ == 0) return 0;
    --left_;
    return *data_++;
  }

 private:
  const uint8_t* data_;
  size_t left_;
};

struct Life {
  uint64_t salt = 0;
  uint64_t seed = 0;
  uint32_t poison_from = UINT32_MAX;
  uint32_t generated = 0;
};

class World {
 public:
  explicit World(Script& script)
      : options_(limits(script)), scheduler_(options_), kv_(options_.block_count) {}

  void event(Script& script) {
    const uint32_t what = script.next();
    switch (what % 8) {
      case 0:
      case 1:
        admit(script);
        break;
      case 2:
        cancel(script.next());
        break;
      case 3:
        now_ += seconds(script.next());
        break;
      default:
        step(what % 8 == 4 ? script.next() : UINT32_MAX);
    }
  }

  void finish() {
    for (uint64_t steps = 0; !scheduler_.idle(); ++steps) {
      CHECK(steps <= 2 * work_ + 10);
      step(UINT32_MAX);
    }
    CHECK(lives_.empty());
    CHECK(scheduler_.load().blocks_free == scheduler_.load().blocks_total);
  }

 private:
  static SchedulerOptions limits(Script& script) {
    SchedulerOptions o;
    o.batch_max = 1 + script.next() % 8;
    o.step_tokens = 2 + script.next();
    o.queue_max = 1 + script.next() % 16;
    o.context_tokens = 2 + script.next();
    o.block_count = 1 + script.next() % 16;
    const uint32_t flags = script.next();
    o.prefix_cache = (flags & 1) != 0;
    o.mixed_prefill_tokens = flags >> 1;
    o.promote_after = seconds(script.next());
    return o;
  }

  void admit(Script& script) {
    Demand d;
    d.prompt.assign(script.next() % 160, static_cast<Token>(script.next() % 2));
    d.emitted.assign(script.next() % 4, 3);
    d.max_tokens = script.next() % 64;
    d.priority = static_cast<int32_t>(script.next() % 4);
    d.end_tokens = {static_cast<Token>(script.next() % (2 * kVocab))};
    const uint32_t flags = script.next();
    d.cache_salt = flags & 1;
    if ((flags & 2) != 0) d.deadline = Deadline::at(now_ + seconds(script.next()));
    d.arrival = now_;
    Life life;
    life.salt = d.cache_salt;
    life.seed = flags >> 6;
    life.generated = static_cast<uint32_t>(d.emitted.size());
    if ((flags & 4) != 0) life.poison_from = script.next();
    const uint64_t work =
        d.prompt.size() + Scheduler::answer_limit(options_, d.prompt.size(), d.max_tokens);
    const SequenceId id = next_id_++;
    if (!scheduler_.admit(id, std::move(d)).ok()) return;
    lives_.emplace(id, life);
    work_ += work;
  }

  void cancel(uint32_t which) {
    if (lives_.empty()) return;
    auto it = lives_.begin();
    std::advance(it, which % lives_.size());
    CHECK(scheduler_.cancel(it->first).has_value());
    CHECK(!scheduler_.cancel(it->first).has_value());
    lives_.erase(it);
  }

  // `cancelled`: who leaves while the step is under way, if anybody.
  void step(uint32_t cancelled) {
    const Plan plan = scheduler_.plan(now_);
    for (const Departure& late : plan.expired) CHECK(lives_.erase(late.sequence) == 1);
    if (plan.slices.empty()) {
      CHECK(scheduler_.idle());
      return;
    }
    CHECK(plan.tokens <= options_.step_tokens);
    kv_.zero(plan.fresh);
    std::vector<Draw> draws;
    for (const PlannedSlice& slice : plan.slices) {
      const Life& life = lives_.at(slice.sequence);
      const Draw draw = kv_.run(slice, life.salt, life.seed, kVocab, life.poison_from);
      CHECK(kv_.error().empty());
      if (slice.samples) draws.push_back(draw);
    }
    if (cancelled != UINT32_MAX) cancel(cancelled);
    for (const Outcome& outcome : scheduler_.commit(plan, draws)) {
      Life& life = lives_.at(outcome.sequence);
      CHECK(outcome.position == life.generated);
      ++life.generated;
      if (outcome.finish) lives_.erase(outcome.sequence);
    }
    scheduler_.check();
  }

  SchedulerOptions options_;
  Scheduler scheduler_;
  FakeKv kv_;
  std::map<SequenceId, Life> lives_;
  SequenceId next_id_ = 1;
  Nanos now_ = seconds(1);
  uint64_t work_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Script script(data, size);
  World world(script);
  while (!script.done()) world.event(script);
  world.finish();
  return 0;
}
