// Thousands of random lives of a scheduler: arrivals, priorities, cancels, deadlines, failovers,
// NaN, pools that hold hardly more than one sequence. Each seed is one world; a failure prints it.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "sched/fake_kv.h"
#include "sched/scheduler.h"

namespace baton {
namespace {

constexpr uint32_t kVocab = 40;
constexpr Nanos kStep = milliseconds(10);

struct Life {
  SequenceId id = 0;
  Demand demand;
  uint64_t seed = 0;
  uint32_t poison_from = UINT32_MAX;
  std::vector<Token> solo;  // the whole answer, computed alone
  Finish solo_finish = Finish::length;
  std::vector<Token> got;  // emitted included
  bool cancelled = false;
  std::optional<Finish> end;
};

class World {
 public:
  explicit World(uint64_t seed)
      : random_(seed), options_(random_options()), scheduler_(options_), kv_(options_.block_count) {
    for (auto& prefix : prefixes_) prefix = random_tokens(1 + below(120));
  }

  // Stated bound: what follows the last arrival takes no more steps than all positions of all
  // lives, twice over (each may be displaced by a promotion), one a step.
  void run(uint32_t arrivals) {
    uint64_t bound = 0;
    while (arrivals > 0 || !scheduler_.idle()) {
      for (uint32_t n = below(4); n > 0 && arrivals > 0; --n, --arrivals) bound += arrive();
      quiet_steps_ += arrivals == 0;
      ASSERT_LT(quiet_steps_, 2 * bound + 10) << "does not terminate";
      step();
      if (::testing::Test::HasFatalFailure()) return;
    }
    finish();
  }

  uint64_t trace() const { return trace_; }
  const SchedulerCounters& counters() const { return scheduler_.counters(); }
  const std::map<Finish, int>& ends() const { return ends_; }
  int refused() const { return refused_; }

 private:
  uint32_t below(uint64_t n) { return static_cast<uint32_t>(random_() % n); }
  bool one_in(uint64_t n) { return below(n) == 0; }

  std::vector<Token> random_tokens(size_t count) {
    std::vector<Token> tokens(count);
    for (Token& t : tokens) t = static_cast<Token>(below(kVocab));
    return tokens;
  }

  SchedulerOptions random_options() {
    SchedulerOptions o;
    o.batch_max = 1 + below(12);
    o.step_tokens = 2 + below(one_in(2) ? 10 : 200);
    o.queue_max = 1 + below(30);
    o.context_tokens = 40 + below(300);
    o.block_count = 1 + below(one_in(2) ? 8 : 40);
    o.prefix_cache = !one_in(4);
    o.mixed_prefill_tokens = one_in(2) ? 0 : 1 + below(64);
    o.promote_after = kStep * (1 + below(200));
    return o;
  }

  // Positions that the life may compute, one after another.
  uint64_t arrive() {
    Life life;
    life.id = next_id_++;
    Demand& d = life.demand;
    d.prompt = prefixes_[below(prefixes_.size())];
    d.prompt.resize(1 + below(d.prompt.size()));
    if (one_in(2)) {
      for (Token t : random_tokens(below(60))) d.prompt.push_back(t);
    }
    d.max_tokens = 1 + below(one_in(4) ? 200 : 40);
    d.end_tokens = {7};
    if (one_in(4)) d.end_tokens.clear();
    d.priority = one_in(3) ? static_cast<int32_t>(below(5)) - 2 : 0;
    d.cache_salt = one_in(4) ? 1 + below(2) : 0;
    d.arrival = now_;
    if (one_in(8)) d.deadline = Deadline::at(now_ + static_cast<Nanos>(below(100)) * kStep);
    if (one_in(10)) life.poison_from = below(150);
    life.seed = below(3);
    const uint32_t limit = Scheduler::answer_limit(options_, d.prompt.size(), d.max_tokens);
    solve(life, limit);
    if (one_in(5) && life.solo.size() > 1) {  // a failover: it goes on where another replica died
      d.emitted = life.solo;
      d.emitted.resize(below(life.solo.size()));
    }
    life.got = d.emitted;
    const size_t waiting = scheduler_.load().waiting;
    const Result<void> admitted = scheduler_.admit(life.id, d);
    if (admitted.ok()) {
      EXPECT_GT(limit, 0u);
      lives_.emplace(life.id, std::move(life));
      return d.prompt.size() + limit;
    }
    ++refused_;
    switch (admitted.error().code) {
      case Code::invalid_argument:
        EXPECT_EQ(limit, 0u);
        break;
      case Code::deadline_exceeded:
        EXPECT_TRUE(d.deadline.passed(now_));
        break;
      default:
        EXPECT_EQ(admitted.error().code, Code::resource_exhausted);
        EXPECT_GE(waiting, options_.queue_max);
        EXPECT_GT(admitted.error().retry_after_ms, 0u);
    }
    return 0;
  }

  static void solve(Life& life, uint32_t limit) {
    std::vector<Token> tokens = life.demand.prompt;
    const auto& ends = life.demand.end_tokens;
    while (life.solo.size() < limit) {
      tokens.push_back(FakeKv::next_token(tokens, life.seed, kVocab));
      life.solo.push_back(tokens.back());
      if (std::find(ends.begin(), ends.end(), tokens.back()) != ends.end()) {
        life.solo_finish = Finish::stop;
        return;
      }
    }
  }

  void step() {
    now_ += kStep;
    if (one_in(6)) cancel_one();
    const Plan plan = scheduler_.plan(now_);
    for (const Departure& late : plan.expired) {
      Life& life = lives_.at(late.sequence);
      ASSERT_TRUE(life.demand.deadline.passed(now_));
      ASSERT_EQ(late.generated, life.got.size());
      end(life, Finish::deadline);
    }
    if (plan.slices.empty()) {
      ASSERT_TRUE(scheduler_.idle());
      return;
    }
    std::vector<Draw> draws;
    ASSERT_NO_FATAL_FAILURE(compute(plan, draws));
    if (one_in(6)) cancel_one();  // while the step is under way
    for (const Outcome& outcome : scheduler_.commit(plan, draws)) {
      ASSERT_NO_FATAL_FAILURE(take(outcome));
    }
    scheduler_.check();
  }

  void compute(const Plan& plan, std::vector<Draw>& draws) {
    kv_.zero(plan.fresh);
    uint32_t tokens = 0;
    std::vector<SequenceId> seen;
    for (const PlannedSlice& slice : plan.slices) {
      const Life& life = lives_.at(slice.sequence);
      ASSERT_FALSE(life.end.has_value());
      ASSERT_TRUE(std::equal(slice.generated.begin(), slice.generated.end(), life.got.begin(),
                             life.got.end()));
      const Draw draw = kv_.run(slice, life.demand.cache_salt, life.seed, kVocab, life.poison_from);
      ASSERT_EQ(kv_.error(), "");
      if (slice.samples) draws.push_back(draw);
      tokens += static_cast<uint32_t>(slice.tokens.size());
      seen.push_back(slice.sequence);
      trace_ = hash_combine(trace_, slice.sequence * 1000 + slice.start);
      for (BlockId block : slice.blocks) trace_ = hash_combine(trace_, block);
    }
    std::sort(seen.begin(), seen.end());
    ASSERT_EQ(std::adjacent_find(seen.begin(), seen.end()), seen.end()) << "twice in one step";
    ASSERT_EQ(tokens, plan.tokens);
    ASSERT_LE(tokens, options_.step_tokens);
    ASSERT_LE(plan.slices.size(), options_.batch_max);
  }

  void take(const Outcome& outcome) {
    Life& life = lives_.at(outcome.sequence);
    ASSERT_FALSE(life.end.has_value());
    ASSERT_EQ(outcome.position, life.got.size());
    ASSERT_LE(outcome.cached_tokens, life.demand.prompt.size());
    if (outcome.finish == Finish::error) {
      ASSERT_NE(life.poison_from, UINT32_MAX);
      return end(life, Finish::error);
    }
    ASSERT_LT(outcome.position, life.solo.size());
    ASSERT_EQ(outcome.token, life.solo[outcome.position]);
    life.got.push_back(outcome.token);
    if (!outcome.finish) return;
    ASSERT_EQ(life.got.size(), life.solo.size());
    ASSERT_EQ(*outcome.finish, life.solo_finish);
    end(life, *outcome.finish);
  }

  void cancel_one() {
    if (lives_.empty()) return;
    auto it = lives_.begin();
    std::advance(it, below(lives_.size()));
    Life& life = it->second;
    const auto departure = scheduler_.cancel(life.id);
    ASSERT_EQ(departure.has_value(), !life.end.has_value());
    if (departure) end(life, Finish::cancelled);
  }

  void end(Life& life, Finish finish) {
    life.end = finish;
    ++ends_[finish];
    trace_ = hash_combine(trace_, static_cast<uint64_t>(finish));
  }

  void finish() {
    for (const auto& [id, life] : lives_) ASSERT_TRUE(life.end.has_value()) << "lost: " << id;
    const SchedulerLoad load = scheduler_.load();
    ASSERT_EQ(load.blocks_free, load.blocks_total);
    ASSERT_EQ(load.running + load.waiting, 0u);
    scheduler_.check();
  }

  std::mt19937_64 random_;
  SchedulerOptions options_;
  Scheduler scheduler_;
  FakeKv kv_;
  std::array<std::vector<Token>, 4> prefixes_;
  std::map<SequenceId, Life> lives_;
  SequenceId next_id_ = 1;
  Nanos now_ = seconds(1);
  uint64_t quiet_steps_ = 0;
  uint64_t trace_ = 0;
  std::map<Finish, int> ends_;
  int refused_ = 0;
};

TEST(SchedulerSimulation, ManyWorlds) {
  std::map<Finish, int> ends;
  uint64_t preemptions = 0;
  uint64_t hits = 0;
  int refused = 0;
  for (uint64_t seed = 1; seed <= 1500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed);
    world.run(60);
    if (HasFailure()) return;
    for (auto [finish, count] : world.ends()) ends[finish] += count;
    preemptions += world.counters().preemptions;
    hits += world.counters().prefix_hit_tokens;
    refused += world.refused();
  }
  // The worlds are worth something only if everything happened in them.
  for (Finish finish :
       {Finish::stop, Finish::length, Finish::cancelled, Finish::deadline, Finish::error}) {
    EXPECT_GT(ends[finish], 100) << to_string(finish);
  }
  EXPECT_GT(preemptions, 1000u);
  EXPECT_GT(hits, 10'000u);
  EXPECT_GT(refused, 100);
}

TEST(SchedulerSimulation, TheSameSeedIsTheSameWorld) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World a(seed);
    World b(seed);
    a.run(60);
    b.run(60);
    ASSERT_EQ(a.trace(), b.trace());
  }
}

}  // namespace
}  // namespace baton
