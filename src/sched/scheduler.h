// Continuous batching as a pure state machine: sequences come in, each plan() says what the next
// forward pass computes, commit() takes what was drawn. No thread, no clock, no device.
//
// Rules (docs/engine-contract.md gives the reasons):
//  - Rank: promoted sequences first, then larger priority, then earlier admission. A sequence is
//    promoted, for good, once it has waited `promote_after` in sum; so everything terminates.
//  - Admission goes in rank order and reserves the blocks of all known tokens at once. Nobody
//    overtakes a head that lacks blocks, except where a sequence waits for its own prefix, which a
//    running one is computing.
//  - Every step carries the decodes first and then prefill in rank order, cut at multiples of
//    kBlockTokens. While both exist, each is sure of its share.
//  - When blocks run out, the lowest rank loses its blocks and starts over from its tokens, without
//    repeating what was emitted. The highest rank always advances.
//  - Blocks enter the prefix index only after a finite draw has confirmed the pass that filled
//  them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "kv/block_pool.h"
#include "kv/prefix_index.h"
#include "token/token.h"

namespace baton {

struct SchedulerOptions {
  uint32_t batch_max = 64;     // sequences that run at once
  uint32_t step_tokens = 512;  // tokens of one step, at least 2
  uint32_t queue_max = 256;    // waiting sequences that admit() allows
  uint32_t context_tokens = 0;
  uint32_t block_count = 0;
  bool prefix_cache = true;
  /// Most prefill tokens of a step that also decodes, so that one long prompt does not slow every
  /// other answer, and at the same time what prefill is sure of. 0: a quarter of step_tokens.
  uint32_t mixed_prefill_tokens = 0;
  Nanos promote_after = seconds(30);
};

/// One sequence to generate.
struct Demand {
  std::vector<Token> prompt;      // at least one
  std::vector<Token> emitted;     // generated earlier; fewer than the answer may have
  std::vector<Token> end_tokens;  // drawing one of these completes the answer
  uint32_t max_tokens = 0;        // of the whole answer, at least 1
  int32_t priority = 0;
  Deadline deadline;
  uint64_t cache_salt = 0;
  Nanos arrival = 0;
};

/// The tokens of one sequence in a step. Spans are valid until commit().
struct PlannedSlice {
  SequenceId sequence = 0;
  uint32_t start = 0;               // position of tokens[0]
  std::span<const Token> tokens;    // at least one
  std::span<const BlockId> blocks;  // blocks[p / kBlockTokens] holds position p
  bool samples = false;             // the slice ends at the last known token: draw the next
  std::span<const Token> prompt;
  std::span<const Token> generated;  // emitted included
};

/// A sequence that left without a token.
struct Departure {
  SequenceId sequence = 0;
  uint32_t generated = 0;  // emitted included
  uint32_t cached_tokens = 0;
};

struct Plan {
  uint64_t number = 0;
  Nanos now = 0;
  std::vector<PlannedSlice> slices;
  std::vector<BlockId> fresh;         // to be zeroed before use
  std::vector<SequenceId> preempted;  // lost their blocks; they go on later
  std::vector<Departure> expired;     // their deadline passed; they are gone
  uint32_t tokens = 0;                // of all slices
};

/// The draw after one slice; not `valid` where the logits were not finite.
struct Draw {
  Token token = -1;
  bool valid = false;
};

/// What became of one drawn token.
struct Outcome {
  SequenceId sequence = 0;
  Token token = -1;              // -1 with Finish::error
  uint32_t position = 0;         // among generated tokens
  std::optional<Finish> finish;  // stop, length or error: the sequence is gone
  uint32_t cached_tokens = 0;    // prompt tokens that came from the prefix index
};

struct SchedulerLoad {
  uint32_t running = 0, waiting = 0;
  uint32_t blocks_total = 0, blocks_free = 0;  // free includes cached blocks that nobody holds
  uint32_t retry_after_ms = 0;                 // when a refused request might find a place
};

struct SchedulerCounters {
  uint64_t prompt_tokens = 0, generated_tokens = 0;
  uint64_t prefix_query_tokens = 0, prefix_hit_tokens = 0;
  uint64_t preemptions = 0;
};

class Scheduler {
 public:
  explicit Scheduler(const SchedulerOptions& options);
  ~Scheduler();

  /// Most tokens that the answer to a prompt may have; 0 if the prompt itself does not fit.
  static uint32_t answer_limit(const SchedulerOptions& options, size_t prompt_tokens,
                               uint32_t max_tokens);

  /// Queues a sequence. `id` was never used before. invalid_argument: it can never be served;
  /// resource_exhausted: the queue is full; deadline_exceeded.
  Result<void> admit(SequenceId id, Demand demand);

  /// The next step. commit() must follow before the next plan(). A plan without slices means that
  /// nothing is left to do; it needs no commit.
  Plan plan(Nanos now);

  /// `draws`: one for each slice that samples, in slice order.
  std::vector<Outcome> commit(const Plan& plan, std::span<const Draw> draws);

  /// The sequence leaves: at once, or with the commit of the plan that carries it. Nothing if it
  /// has already gone.
  std::optional<Departure> cancel(SequenceId id);

  bool idle() const { return sequences_.empty(); }
  SchedulerLoad load() const;
  const SchedulerCounters& counters() const { return counters_; }

  /// CHECKs all invariants; for tests and fuzzers.
  void check() const;

 private:
  struct Sequence;
  using Rank = std::pair<int64_t, uint64_t>;
  static bool goes_before(const Sequence* a, const Sequence* b);

  void expire(Plan& plan);
  void promote(Nanos now);
  void admit_waiting(Plan& plan);
  bool waits_for_prefix(const Sequence& waiting) const;
  enum class Entry : uint8_t { entered, blocked };
  Entry try_enter(Sequence& sequence, Plan& plan);
  bool make_room(const Sequence& sequence, uint64_t blocks, Plan& plan);
  uint64_t prefill_ahead_of(const Sequence& sequence) const;
  void preempt(Sequence& sequence, Plan& plan);
  bool grow(Sequence& sequence, Plan& plan);
  std::vector<Sequence*> choose_decodes(uint32_t budget) const;
  void plan_decodes(Plan& plan);
  void plan_prefill(Plan& plan);
  void add_slice(Sequence& sequence, uint32_t count, Plan& plan);
  void publish_blocks(Sequence& sequence);
  Outcome settle(Sequence& sequence, const Draw& draw, Nanos now);
  Departure depart(Sequence& sequence);
  void note_finish(Nanos now);

  const SchedulerOptions options_;
  BlockPool pool_;
  PrefixIndex index_;
  std::unordered_map<SequenceId, std::unique_ptr<Sequence>> sequences_;
  std::vector<Sequence*> running_;  // in rank order
  std::vector<Sequence*> waiting_;  // in rank order
  SchedulerCounters counters_;
  uint64_t admissions_ = 0;
  uint64_t plans_ = 0;
  bool in_flight_ = false;
  Nanos last_finish_ = 0;
  Nanos finish_interval_ = seconds(1);  // moving average
};

}  // namespace baton
