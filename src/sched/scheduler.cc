#include "sched/scheduler.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "base/check.h"

namespace baton {

struct Scheduler::Sequence {
  SequenceId id = 0;
  std::vector<Token> tokens;  // prompt, then generated
  uint32_t prompt_tokens = 0;
  uint32_t answer_limit = 0;
  std::vector<Token> end_tokens;
  int32_t priority = 0;
  Deadline deadline;
  uint64_t salt = 0;

  uint64_t admission = 0;  // earlier goes first
  bool running = false;
  bool promoted = false;
  bool leaving = false;  // cancelled while a plan carries it
  bool counted = false;  // its prompt has been counted and looked up once
  Nanos waiting_since = 0;
  Nanos waited = 0;        // in earlier waits
  uint64_t last_plan = 0;  // that carried it

  std::vector<BlockId> blocks;
  uint32_t computed = 0;   // positions [0, computed) are in the blocks
  uint32_t published = 0;  // blocks offered to the prefix index
  uint32_t cached_tokens = 0;

  uint32_t known() const { return static_cast<uint32_t>(tokens.size()); }
  uint32_t remaining() const { return known() - computed; }
  bool prefilling() const { return remaining() > 1; }
  uint32_t generated() const { return known() - prompt_tokens; }
  int64_t level() const {
    return promoted ? std::numeric_limits<int64_t>::max() : int64_t{priority};
  }
};

namespace {

constexpr uint32_t kRetryMinMs = 100;
constexpr uint32_t kRetryMaxMs = 30'000;

uint32_t blocks_for(uint64_t tokens) {
  return static_cast<uint32_t>((tokens + kBlockTokens - 1) / kBlockTokens);
}

SchedulerOptions checked(SchedulerOptions options) {
  CHECK(options.batch_max >= 1 && options.step_tokens >= 2);
  CHECK(options.context_tokens >= 2 && options.block_count >= 1);
  if (options.mixed_prefill_tokens == 0) options.mixed_prefill_tokens = options.step_tokens / 4;
  options.mixed_prefill_tokens =
      std::clamp(options.mixed_prefill_tokens, 1u, options.step_tokens - 1);
  return options;
}

}  // namespace

Scheduler::Scheduler(const SchedulerOptions& options)
    : options_(checked(options)), pool_(options.block_count), index_(pool_, options.prefix_cache) {}

Scheduler::~Scheduler() = default;

uint32_t Scheduler::answer_limit(const SchedulerOptions& options, size_t prompt_tokens,
                                 uint32_t max_tokens) {
  const uint64_t pool_tokens = uint64_t{options.block_count} * kBlockTokens;
  const uint64_t most = std::min<uint64_t>(options.context_tokens, pool_tokens);
  if (prompt_tokens >= most) return 0;
  return static_cast<uint32_t>(std::min<uint64_t>(max_tokens, most - prompt_tokens));
}

bool Scheduler::goes_before(const Sequence* a, const Sequence* b) {
  if (a->level() != b->level()) return a->level() > b->level();
  return a->admission < b->admission;
}

Result<void> Scheduler::admit(SequenceId id, Demand demand) {
  CHECK(!sequences_.contains(id));
  if (demand.prompt.empty()) {
    return client_error(Code::invalid_argument, "the prompt is empty", "prompt");
  }
  if (demand.max_tokens == 0) {
    return client_error(Code::invalid_argument, "max_tokens must be at least 1", "max_tokens");
  }
  const uint32_t limit = answer_limit(options_, demand.prompt.size(), demand.max_tokens);
  if (limit == 0) {
    return client_error(
        Code::invalid_argument,
        "the prompt has " + std::to_string(demand.prompt.size()) +
            " tokens; with the answer it may have at most " +
            std::to_string(std::min<uint64_t>(options_.context_tokens,
                                              uint64_t{options_.block_count} * kBlockTokens)),
        "prompt");
  }
  if (demand.emitted.size() >= limit) {
    return client_error(Code::invalid_argument, "all tokens of the answer are already emitted");
  }
  if (demand.deadline.passed(demand.arrival)) {
    return client_error(Code::deadline_exceeded, "the deadline has passed");
  }
  if (waiting_.size() >= options_.queue_max) {
    Error error = self_error(Code::resource_exhausted,
                             "the queue is full (" + std::to_string(waiting_.size()) + " waiting)");
    error.retry_safe = true;
    error.retry_after_ms = load().retry_after_ms;
    return error;
  }
  auto sequence = std::make_unique<Sequence>();
  sequence->id = id;
  sequence->prompt_tokens = static_cast<uint32_t>(demand.prompt.size());
  sequence->tokens = std::move(demand.prompt);
  sequence->tokens.insert(sequence->tokens.end(), demand.emitted.begin(), demand.emitted.end());
  sequence->answer_limit = limit;
  sequence->end_tokens = std::move(demand.end_tokens);
  sequence->priority = demand.priority;
  sequence->deadline = demand.deadline;
  sequence->salt = demand.cache_salt;
  sequence->admission = admissions_++;
  sequence->waiting_since = demand.arrival;
  waiting_.insert(std::upper_bound(waiting_.begin(), waiting_.end(), sequence.get(), goes_before),
                  sequence.get());
  sequences_.emplace(id, std::move(sequence));
  return {};
}

Plan Scheduler::plan(Nanos now) {
  CHECK(!in_flight_);
  Plan plan;
  plan.number = ++plans_;
  plan.now = now;
  expire(plan);
  promote(now);
  admit_waiting(plan);
  plan_decodes(plan);
  plan_prefill(plan);
  plan.fresh = pool_.take_fresh();
  CHECK(plan.tokens <= options_.step_tokens && plan.slices.size() <= options_.batch_max);
  CHECK(!plan.slices.empty() || sequences_.empty());
  in_flight_ = !plan.slices.empty();
  return plan;
}

void Scheduler::expire(Plan& plan) {
  std::vector<Sequence*> late;
  for (const auto* list : {&running_, &waiting_}) {
    for (Sequence* s : *list) {
      if (s->deadline.passed(plan.now)) late.push_back(s);
    }
  }
  for (Sequence* s : late) plan.expired.push_back(depart(*s));
}

void Scheduler::promote(Nanos now) {
  bool any = false;
  for (Sequence* s : waiting_) {
    if (s->promoted || s->waited + (now - s->waiting_since) < options_.promote_after) continue;
    s->promoted = any = true;
  }
  if (any) std::sort(waiting_.begin(), waiting_.end(), goes_before);
}

void Scheduler::admit_waiting(Plan& plan) {
  // Those that preemption adds below go behind whoever displaced them: a later plan looks at them.
  const std::vector<Sequence*> candidates = waiting_;
  for (Sequence* s : candidates) {
    if (prefill_ahead_of(*s) >= options_.step_tokens) return;
    if (waits_for_prefix(*s)) continue;
    if (try_enter(*s, plan) == Entry::blocked) return;
  }
}

// What running sequences of higher rank still have to prefill: they take the step's budget first,
// and who enters too early only holds blocks.
uint64_t Scheduler::prefill_ahead_of(const Sequence& sequence) const {
  uint64_t tokens = 0;
  for (const Sequence* s : running_) {
    if (s->prefilling() && goes_before(s, &sequence)) tokens += s->remaining();
  }
  return tokens;
}

// True if a running sequence of higher rank is computing blocks that `waiting` could share when
// they are done: the other answers to one prompt, or requests with one long system prompt.
bool Scheduler::waits_for_prefix(const Sequence& waiting) const {
  if (!options_.prefix_cache) return false;
  const size_t usable = waiting.tokens.size() - 1;
  for (const Sequence* s : running_) {
    if (!s->prefilling() || s->salt != waiting.salt || !goes_before(s, &waiting)) continue;
    const size_t most = std::min(usable, s->tokens.size());
    const auto stop = waiting.tokens.begin() + static_cast<ptrdiff_t>(most);
    const auto first_other = std::mismatch(waiting.tokens.begin(), stop, s->tokens.begin()).first;
    const auto common = static_cast<uint32_t>(first_other - waiting.tokens.begin()) / kBlockTokens;
    if (common <= s->published) continue;
    const std::span<const Token> known(waiting.tokens.data(), usable);
    if (common > index_.match_length(waiting.salt, known)) return true;
  }
  return false;
}

Scheduler::Entry Scheduler::try_enter(Sequence& sequence, Plan& plan) {
  // The last known token is always computed: its logits are needed.
  const std::span<const Token> usable(sequence.tokens.data(), sequence.tokens.size() - 1);
  sequence.blocks = index_.match(sequence.salt, usable);
  const uint32_t need =
      blocks_for(sequence.known()) - static_cast<uint32_t>(sequence.blocks.size());
  if (!make_room(sequence, need, plan)) {
    index_.release(std::exchange(sequence.blocks, {}));
    return Entry::blocked;
  }
  const auto cached = static_cast<uint32_t>(sequence.blocks.size());
  for (uint32_t i = 0; i < need; ++i) {
    const auto block = index_.take();
    CHECK(block.has_value());
    sequence.blocks.push_back(*block);
  }
  sequence.computed = cached * kBlockTokens;
  sequence.published = cached;
  if (!sequence.counted) {
    sequence.counted = true;
    sequence.cached_tokens = std::min(sequence.computed, sequence.prompt_tokens);
    counters_.prompt_tokens += sequence.prompt_tokens;
    counters_.prefix_query_tokens += usable.size();
    counters_.prefix_hit_tokens += sequence.computed;
  }
  sequence.waited += plan.now - sequence.waiting_since;
  sequence.running = true;
  waiting_.erase(std::find(waiting_.begin(), waiting_.end(), &sequence));
  running_.insert(std::upper_bound(running_.begin(), running_.end(), &sequence, goes_before),
                  &sequence);
  return Entry::entered;
}

// Finds a place in the batch and `blocks` blocks, beside one block of growth for each running
// sequence. Displaces running sequences only below the waiting one's own priority: a promotion
// protects, but never displaces, so equals do not chase each other in and out.
bool Scheduler::make_room(const Sequence& sequence, uint64_t blocks, Plan& plan) {
  const auto fits = [&] {
    return running_.size() < options_.batch_max && index_.available() >= blocks + running_.size();
  };
  if (fits()) return true;
  uint64_t reachable = index_.available();
  size_t staying = 0;
  for (const Sequence* s : running_) {
    if (s->level() < sequence.priority) {
      reachable += s->blocks.size();
    } else {
      ++staying;
    }
  }
  if (staying >= options_.batch_max || reachable < blocks + staying) return false;
  while (!fits()) {
    if (running_.empty() || running_.back()->level() >= sequence.priority) return false;
    preempt(*running_.back(), plan);
  }
  return true;
}

void Scheduler::preempt(Sequence& sequence, Plan& plan) {
  CHECK(sequence.running);
  running_.erase(std::find(running_.begin(), running_.end(), &sequence));
  index_.release(std::exchange(sequence.blocks, {}));
  sequence.computed = 0;
  sequence.published = 0;
  sequence.running = false;
  sequence.waiting_since = plan.now;
  waiting_.insert(std::upper_bound(waiting_.begin(), waiting_.end(), &sequence, goes_before),
                  &sequence);
  plan.preempted.push_back(sequence.id);
  ++counters_.preemptions;
}

// Makes sure of the block for the next position; false if all others that hold blocks rank higher.
bool Scheduler::grow(Sequence& sequence, Plan& plan) {
  if (sequence.computed / kBlockTokens < sequence.blocks.size()) return true;
  while (index_.available() == 0) {
    if (running_.back() == &sequence) return false;
    preempt(*running_.back(), plan);
  }
  sequence.blocks.push_back(*index_.take());
  return true;
}

// The decodes of this step in rank order: the first of all, then those that waited longest.
std::vector<Scheduler::Sequence*> Scheduler::choose_decodes(uint32_t budget) const {
  std::vector<Sequence*> decodes;
  for (Sequence* s : running_) {
    if (!s->prefilling()) decodes.push_back(s);
  }
  if (decodes.size() <= budget) return decodes;
  std::stable_sort(decodes.begin() + 1, decodes.end(), [](const Sequence* a, const Sequence* b) {
    return a->last_plan < b->last_plan;
  });
  decodes.resize(budget);
  std::sort(decodes.begin(), decodes.end(), goes_before);
  return decodes;
}

void Scheduler::plan_decodes(Plan& plan) {
  const bool prefill = std::any_of(running_.begin(), running_.end(),
                                   [](const Sequence* s) { return s->prefilling(); });
  const uint32_t budget = options_.step_tokens - (prefill ? options_.mixed_prefill_tokens : 0);
  for (Sequence* s : choose_decodes(budget)) {
    // A higher rank may just have displaced it.
    if (s->running && grow(*s, plan)) add_slice(*s, 1, plan);
  }
}

void Scheduler::plan_prefill(Plan& plan) {
  const uint32_t decodes = plan.tokens;
  uint32_t budget = options_.step_tokens - decodes;
  if (decodes > 0) budget = std::min(budget, options_.mixed_prefill_tokens);
  bool first = true;
  for (Sequence* s : running_) {
    if (!s->prefilling() || budget == 0) continue;
    uint32_t count = std::min(budget, s->remaining());
    if (count < s->remaining()) {
      const uint32_t end = (s->computed + count) / kBlockTokens * kBlockTokens;
      if (end > s->computed) {
        count = end - s->computed;
      } else if (!first) {
        break;  // crumbs of the budget are not worth a slice
      }
    }
    first = false;
    budget -= count;
    add_slice(*s, count, plan);
  }
}

void Scheduler::add_slice(Sequence& sequence, uint32_t count, Plan& plan) {
  CHECK(count >= 1 && count <= sequence.remaining());
  const std::span<const Token> tokens(sequence.tokens);
  PlannedSlice slice;
  slice.sequence = sequence.id;
  slice.start = sequence.computed;
  slice.tokens = tokens.subspan(sequence.computed, count);
  slice.blocks = std::span(sequence.blocks).first(blocks_for(sequence.computed + count));
  slice.samples = count == sequence.remaining();
  slice.prompt = tokens.first(sequence.prompt_tokens);
  slice.generated = tokens.subspan(sequence.prompt_tokens);
  plan.slices.push_back(slice);
  plan.tokens += count;
  sequence.last_plan = plan.number;
}

std::vector<Outcome> Scheduler::commit(const Plan& plan, std::span<const Draw> draws) {
  CHECK(in_flight_ && plan.number == plans_);
  in_flight_ = false;
  std::vector<Outcome> outcomes;
  outcomes.reserve(draws.size());
  size_t next = 0;
  for (const PlannedSlice& slice : plan.slices) {
    Sequence& sequence = *sequences_.at(slice.sequence);
    CHECK(sequence.running && sequence.computed == slice.start);
    sequence.computed += static_cast<uint32_t>(slice.tokens.size());
    if (slice.samples) CHECK(next < draws.size());
    const Draw draw = slice.samples ? draws[next++] : Draw{};
    if (sequence.leaving) {
      depart(sequence);
    } else if (slice.samples) {
      outcomes.push_back(settle(sequence, draw, plan.now));
    }
  }
  CHECK(next == draws.size());
  return outcomes;
}

Outcome Scheduler::settle(Sequence& sequence, const Draw& draw, Nanos now) {
  Outcome outcome;
  outcome.sequence = sequence.id;
  outcome.position = sequence.generated();
  outcome.cached_tokens = sequence.cached_tokens;
  if (!draw.valid) {
    outcome.finish = Finish::error;
    depart(sequence);
    return outcome;
  }
  publish_blocks(sequence);
  outcome.token = draw.token;
  sequence.tokens.push_back(draw.token);
  ++counters_.generated_tokens;
  const auto& ends = sequence.end_tokens;
  if (std::find(ends.begin(), ends.end(), draw.token) != ends.end()) {
    outcome.finish = Finish::stop;
  } else if (sequence.generated() == sequence.answer_limit) {
    outcome.finish = Finish::length;
  }
  if (outcome.finish) {
    depart(sequence);
    note_finish(now);
  }
  return outcome;
}

void Scheduler::publish_blocks(Sequence& sequence) {
  const std::span<const Token> tokens(sequence.tokens);
  for (uint32_t& b = sequence.published; b < sequence.computed / kBlockTokens; ++b) {
    const BlockId parent = b == 0 ? kNoBlock : sequence.blocks[b - 1];
    sequence.blocks[b] =
        index_.insert(sequence.salt, parent, tokens.subspan(size_t{b} * kBlockTokens, kBlockTokens),
                      sequence.blocks[b]);
  }
}

std::optional<Departure> Scheduler::cancel(SequenceId id) {
  const auto it = sequences_.find(id);
  if (it == sequences_.end() || it->second->leaving) return std::nullopt;
  Sequence& sequence = *it->second;
  if (in_flight_ && sequence.last_plan == plans_) {
    sequence.leaving = true;
    return Departure{id, sequence.generated(), sequence.cached_tokens};
  }
  return depart(sequence);
}

Departure Scheduler::depart(Sequence& sequence) {
  const Departure departure{sequence.id, sequence.generated(), sequence.cached_tokens};
  auto& list = sequence.running ? running_ : waiting_;
  list.erase(std::find(list.begin(), list.end(), &sequence));
  index_.release(sequence.blocks);
  sequences_.erase(departure.sequence);
  return departure;
}

void Scheduler::note_finish(Nanos now) {
  const Nanos interval = std::min(now - last_finish_, milliseconds(kRetryMaxMs));
  if (last_finish_ != 0) finish_interval_ += (interval - finish_interval_) / 8;
  last_finish_ = now;
}

SchedulerLoad Scheduler::load() const {
  SchedulerLoad load;
  load.running = static_cast<uint32_t>(running_.size());
  load.waiting = static_cast<uint32_t>(waiting_.size());
  load.blocks_total = pool_.size();
  load.blocks_free = index_.available();
  // A place in the queue opens with each finished sequence.
  load.retry_after_ms = static_cast<uint32_t>(
      std::clamp<Nanos>(finish_interval_ / milliseconds(1), kRetryMinMs, kRetryMaxMs));
  return load;
}

void Scheduler::check() const {
  index_.check();
  CHECK(running_.size() + waiting_.size() == sequences_.size());
  CHECK(running_.size() <= options_.batch_max);
  CHECK(std::is_sorted(running_.begin(), running_.end(), goes_before));
  CHECK(std::is_sorted(waiting_.begin(), waiting_.end(), goes_before));
  std::vector<uint32_t> refs(pool_.size());
  for (const Sequence* s : running_) {
    CHECK(s->running && s->computed < s->known() && s->generated() < s->answer_limit);
    CHECK(s->blocks.size() >= blocks_for(s->computed));
    for (BlockId block : s->blocks) ++refs[block];
  }
  for (const Sequence* s : waiting_) {
    CHECK(!s->running && s->blocks.empty() && s->computed == 0);
  }
  for (BlockId block = 0; block < pool_.size(); ++block) CHECK(pool_.refs(block) == refs[block]);
}

}  // namespace baton
