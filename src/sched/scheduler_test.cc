#include "sched/scheduler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>

namespace baton {
namespace {

SchedulerOptions make_options() {
  SchedulerOptions o;
  o.batch_max = 8;
  o.step_tokens = 128;
  o.queue_max = 8;
  o.context_tokens = 4096;
  o.block_count = 128;
  return o;
}

Demand make_demand(size_t prompt_tokens, uint32_t max_tokens, Token fill = 5) {
  Demand d;
  d.prompt.assign(prompt_tokens, fill);
  d.max_tokens = max_tokens;
  return d;
}

const PlannedSlice* find(const Plan& plan, SequenceId id) {
  for (const PlannedSlice& slice : plan.slices) {
    if (slice.sequence == id) return &slice;
  }
  return nullptr;
}

uint32_t prefill_tokens(const Plan& plan) {
  uint32_t tokens = 0;
  for (const PlannedSlice& slice : plan.slices) {
    if (slice.generated.empty()) tokens += static_cast<uint32_t>(slice.tokens.size());
  }
  return tokens;
}

/// Drives a scheduler; every draw is token 9.
struct Driver {
  explicit Driver(const SchedulerOptions& options) : scheduler(options) {}

  Plan step() {
    Plan plan = scheduler.plan(now);
    std::vector<Draw> draws;
    for (const PlannedSlice& slice : plan.slices) {
      if (slice.samples) draws.push_back({9, true});
      sizes[slice.sequence] = slice.tokens.size();
    }
    if (!plan.slices.empty()) {
      for (const Outcome& o : scheduler.commit(plan, draws)) outcomes.push_back(o);
    }
    scheduler.check();
    now += milliseconds(10);
    return plan;
  }
  size_t tokens_of(SequenceId id) const {
    return static_cast<size_t>(std::count_if(outcomes.begin(), outcomes.end(),
                                             [&](const Outcome& o) { return o.sequence == id; }));
  }
  void admit(SequenceId id, Demand d) {
    d.arrival = now;
    const Result<void> admitted = scheduler.admit(id, std::move(d));
    EXPECT_TRUE(admitted.ok());
  }

  Scheduler scheduler;
  Nanos now = seconds(1);
  std::vector<Outcome> outcomes;
  std::map<SequenceId, size_t> sizes;
};

TEST(Scheduler, ALongPrefillDoesNotHoldUpDecoding) {
  Driver d(make_options());
  d.admit(1, make_demand(10, 100));
  d.step();
  ASSERT_EQ(d.tokens_of(1), 1u);
  d.admit(2, make_demand(2000, 10, 6));
  for (uint32_t i = 0; d.tokens_of(2) == 0; ++i) {
    const Plan plan = d.step();
    ASSERT_NE(find(plan, 1), nullptr) << "step " << i;
    ASSERT_NE(find(plan, 2), nullptr) << "step " << i;
    EXPECT_LE(find(plan, 2)->tokens.size(), 32u) << "a quarter of the step";
    ASSERT_LT(i, 64u);
  }
}

TEST(Scheduler, DecodingDoesNotHoldUpPrefill) {
  SchedulerOptions options = make_options();
  options.batch_max = 64;
  options.queue_max = 64;
  options.step_tokens = 32;
  Driver d(options);
  for (SequenceId id = 1; id <= 40; ++id) d.admit(id, make_demand(1, 200, 100));
  for (int i = 0; i < 10; ++i) d.step();  // more decodes than a step holds
  d.admit(100, make_demand(64, 10, 6));
  for (int i = 0; i < 8; ++i) {
    const Plan plan = d.step();
    ASSERT_NE(find(plan, 100), nullptr);
    EXPECT_EQ(find(plan, 100)->tokens.size(), 8u);
  }
  EXPECT_EQ(d.tokens_of(100), 1u);
}

TEST(Scheduler, DecodesThatDoNotFitTakeTurns) {
  SchedulerOptions options = make_options();
  options.step_tokens = 4;
  Driver d(options);
  for (SequenceId id = 1; id <= 8; ++id) d.admit(id, make_demand(1, 1000, 100));
  for (int i = 0; i < 100; ++i) d.step();
  for (SequenceId id = 2; id <= 8; ++id) {
    EXPECT_GE(d.tokens_of(id), 33u) << id << " waits for more than ceil(7 / 3) steps";
  }
  EXPECT_GT(d.tokens_of(1), 90u) << "the first always advances";
}

TEST(Scheduler, ChunksEndAtBlockBorders) {
  SchedulerOptions options = make_options();
  options.step_tokens = 100;
  Driver d(options);
  d.admit(1, make_demand(250, 2));
  EXPECT_EQ(find(d.step(), 1)->tokens.size(), 96u);
  EXPECT_EQ(find(d.step(), 1)->tokens.size(), 96u);
  const Plan last = d.step();
  EXPECT_EQ(find(last, 1)->tokens.size(), 58u);
  EXPECT_TRUE(find(last, 1)->samples);
}

TEST(Scheduler, ChoicesOfOnePromptWaitForTheirPrefix) {
  Driver d(make_options());
  d.admit(1, make_demand(300, 5));
  d.admit(2, make_demand(300, 5));
  d.admit(3, make_demand(40, 5, 77));  // of another prompt: overtakes
  uint32_t computed = 0;
  while (!d.scheduler.idle()) computed += prefill_tokens(d.step());
  EXPECT_EQ(computed, 300u + (300 - 288) + 40);
  for (const Outcome& o : d.outcomes) EXPECT_EQ(o.cached_tokens, o.sequence == 2 ? 288u : 0u);
}

TEST(Scheduler, TheLastPromptTokenIsAlwaysComputed) {
  Driver d(make_options());
  d.admit(1, make_demand(64, 1));
  d.step();
  d.admit(2, make_demand(64, 1));
  const Plan plan = d.step();
  EXPECT_EQ(find(plan, 2)->start, 32u);
  EXPECT_EQ(find(plan, 2)->tokens.size(), 32u);
}

TEST(Scheduler, WhatCanNeverFitIsRefused) {
  SchedulerOptions options = make_options();
  options.context_tokens = 100;
  Scheduler scheduler(options);
  EXPECT_EQ(scheduler.admit(1, make_demand(100, 1)).error().code, Code::invalid_argument);
  EXPECT_TRUE(scheduler.admit(2, make_demand(99, 1)).ok());
  options.context_tokens = 4096;
  options.block_count = 2;
  Scheduler small(options);
  EXPECT_EQ(small.admit(1, make_demand(64, 1)).error().code, Code::invalid_argument);
  EXPECT_TRUE(small.admit(2, make_demand(63, 50)).ok());
  EXPECT_EQ(small.admit(3, make_demand(0, 1)).error().code, Code::invalid_argument);
  EXPECT_EQ(small.admit(4, make_demand(1, 0)).error().code, Code::invalid_argument);
}

TEST(Scheduler, TheAnswerIsClippedToContextAndPool) {
  SchedulerOptions options = make_options();
  options.block_count = 3;
  Driver d(options);
  d.admit(1, make_demand(90, 1000));
  while (!d.scheduler.idle()) d.step();
  EXPECT_EQ(d.tokens_of(1), 6u);
  EXPECT_EQ(d.outcomes.back().finish, Finish::length);
}

TEST(Scheduler, TheYoungestLosesItsBlocksAndLosesNothingElse) {
  SchedulerOptions options = make_options();
  options.block_count = 6;
  options.prefix_cache = false;
  Driver d(options);
  d.admit(1, make_demand(30, 100, 10));
  d.admit(2, make_demand(30, 100, 20));
  std::vector<SequenceId> preempted;
  while (!d.scheduler.idle()) {
    const Plan plan = d.step();
    preempted.insert(preempted.end(), plan.preempted.begin(), plan.preempted.end());
  }
  EXPECT_FALSE(preempted.empty());
  for (SequenceId id : preempted) EXPECT_EQ(id, 2u);
  EXPECT_EQ(d.tokens_of(1), 100u);
  EXPECT_EQ(d.tokens_of(2), 100u);
}

TEST(Scheduler, AdmissionLeavesRoomForGrowth) {
  SchedulerOptions options = make_options();
  options.block_count = 8;
  Driver d(options);
  d.admit(1, make_demand(31, 40, 10));
  d.step();
  d.admit(2, make_demand(7 * 32, 2, 20));  // would fit now, and be displaced two tokens later
  while (!d.scheduler.idle()) d.step();
  EXPECT_EQ(d.scheduler.counters().preemptions, 0u);
}

TEST(Scheduler, LargerPriorityGoesFirstAndDisplaces) {
  SchedulerOptions options = make_options();
  options.batch_max = 1;
  Driver d(options);
  d.admit(1, make_demand(10, 50, 10));
  d.step();
  Demand equal = make_demand(10, 50, 20);
  d.admit(2, equal);
  EXPECT_TRUE(d.step().preempted.empty());
  Demand urgent = make_demand(10, 5, 30);
  urgent.priority = 1;
  d.admit(3, urgent);
  const Plan plan = d.step();
  EXPECT_EQ(plan.preempted, std::vector<SequenceId>{1});
  EXPECT_NE(find(plan, 3), nullptr);
  while (!d.scheduler.idle()) d.step();
  EXPECT_EQ(d.tokens_of(1), 50u);
  EXPECT_EQ(d.outcomes.back().sequence, 2u) << "the displaced one keeps its place before it";
}

TEST(Scheduler, NobodyWaitsForever) {
  SchedulerOptions options = make_options();
  options.batch_max = 1;
  options.promote_after = seconds(1);
  Driver d(options);
  d.admit(1, make_demand(10, 20, 10));
  SequenceId next = 2;
  for (int i = 0; i < 1000 && d.tokens_of(1) < 20; ++i) {
    if (d.scheduler.load().waiting < 3) {  // larger priorities keep coming
      Demand urgent = make_demand(10, 10, static_cast<Token>(next));
      urgent.priority = 10;
      d.admit(next++, urgent);
    }
    d.step();
  }
  EXPECT_EQ(d.tokens_of(1), 20u);
}

TEST(Scheduler, CancelFreesAtOnceOrWithTheStep) {
  Driver d(make_options());
  d.admit(1, make_demand(100, 50));
  d.admit(2, make_demand(100, 50, 6));
  d.step();
  EXPECT_TRUE(d.scheduler.cancel(1).has_value());
  EXPECT_FALSE(d.scheduler.cancel(1).has_value());
  EXPECT_EQ(d.scheduler.load().running + d.scheduler.load().waiting, 1u);
  const Plan plan = d.scheduler.plan(d.now);
  ASSERT_NE(find(plan, 2), nullptr);
  EXPECT_TRUE(d.scheduler.cancel(2).has_value());
  EXPECT_FALSE(d.scheduler.cancel(2).has_value());
  std::vector<Draw> draws;
  if (find(plan, 2)->samples) draws.push_back({9, true});
  EXPECT_TRUE(d.scheduler.commit(plan, draws).empty());
  EXPECT_TRUE(d.scheduler.idle());
  EXPECT_EQ(d.scheduler.load().blocks_free, d.scheduler.load().blocks_total);
}

TEST(Scheduler, AFullQueueRefusesWithARetryHint) {
  SchedulerOptions options = make_options();
  options.queue_max = 2;
  Scheduler scheduler(options);
  EXPECT_TRUE(scheduler.admit(1, make_demand(1, 1)).ok());
  EXPECT_TRUE(scheduler.admit(2, make_demand(1, 1)).ok());
  const Result<void> refused = scheduler.admit(3, make_demand(1, 1));
  EXPECT_EQ(refused.error().code, Code::resource_exhausted);
  EXPECT_TRUE(refused.error().retry_safe);
  EXPECT_GE(refused.error().retry_after_ms, 100u);
}

TEST(Scheduler, ANonFiniteDrawLeavesNothingInTheCache) {
  Driver d(make_options());
  d.admit(1, make_demand(100, 5));
  Plan plan = d.scheduler.plan(d.now);
  const std::vector<Draw> bad = {{9, false}};
  const std::vector<Outcome> outcomes = d.scheduler.commit(plan, bad);
  ASSERT_EQ(outcomes.size(), 1u);
  EXPECT_EQ(outcomes[0].finish, Finish::error);
  EXPECT_EQ(outcomes[0].token, -1);
  d.admit(2, make_demand(100, 5));
  EXPECT_EQ(find(d.step(), 2)->start, 0u);
}

}  // namespace
}  // namespace baton
