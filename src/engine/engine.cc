#include "engine/engine.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "engine/channel.h"
#include "engine/validate.h"
#include "sched/scheduler.h"

namespace baton {
namespace {

std::vector<Token> end_tokens(const Sampling& sampling) {
  std::vector<Token> ends = sampling.stop_tokens;
  if (!sampling.ignore_eos) {
    ends.insert(ends.end(), sampling.eos_tokens.begin(), sampling.eos_tokens.end());
  }
  return ends;
}

Ending failed_ending(Error error, uint32_t cached_tokens = 0) {
  Ending ending;
  ending.finish = Finish::error;
  ending.cached_tokens = cached_tokens;
  ending.error = std::move(error);
  return ending;
}

SchedulerOptions scheduler_options(const EngineOptions& options, const ModelInfo& info) {
  SchedulerOptions out;
  out.batch_max = std::min(options.batch_max, info.step_slices_max);
  out.step_tokens = std::min(options.step_tokens, info.step_tokens_max);
  // The inbox lets in no more than these together, so this never refuses.
  out.queue_max = options.queue_max + out.batch_max;
  out.context_tokens = info.context_tokens;
  out.block_count = info.block_count;
  out.prefix_cache = options.prefix_cache;
  return out;
}

class ThreadedEngine final : public Engine {
 public:
  ThreadedEngine(std::unique_ptr<Model> model, const EngineOptions& options, const Clock& clock)
      : model_(std::move(model)),
        clock_(clock),
        scheduler_options_(scheduler_options(options, model_->info())),
        scheduler_(scheduler_options_),
        inbox_(
            std::make_shared<Inbox>(uint64_t{scheduler_options_.batch_max} + options.queue_max)) {
    publish();
    thread_ = std::thread([this] { run(); });
  }

  ~ThreadedEngine() override {
    inbox_->stop();
    thread_.join();
  }

  Result<std::vector<std::shared_ptr<Mailbox>>> submit_all(
      std::vector<TokenRequest> requests) override;
  void drain() override { inbox_->drain(); }
  void finish_all(const Error& why) override { inbox_->finish_all(why); }
  EngineStats stats() const override;
  const ModelInfo& model_info() const override { return model_->info(); }
  MemoryPlan memory() const override { return model_->memory(); }

 private:
  /// A sequence in the scheduler, and where its events go.
  struct Live {
    std::shared_ptr<Channel> channel;
    uint32_t epoch = 0;
    uint32_t choice = 0;
    uint64_t seed = 0;
    Sampling sampling;
    uint32_t generated = 0;
  };

  Result<void> check(const TokenRequest& request, Nanos now) const;
  void run();
  void admit(Submission submission);
  void cancel(SequenceId id);
  void step();
  std::vector<Slice> make_slices(const Plan& plan) const;
  void deliver(const Outcome& outcome, const Sampled& sampled);
  void end_without_token(SequenceId id, Ending ending);
  void end_all(const Error& why);
  void fail(const Plan& plan, const Error& why);
  void publish();

  const std::unique_ptr<Model> model_;
  const Clock& clock_;
  const SchedulerOptions scheduler_options_;
  Scheduler scheduler_;                        // the engine's thread only
  std::unordered_map<SequenceId, Live> live_;  // likewise
  EngineStats counted_;                        // likewise; published after each step
  const std::shared_ptr<Inbox> inbox_;
  std::atomic<SequenceId> next_id_{1};
  mutable std::mutex stats_mutex_;
  EngineStats stats_;
  std::thread thread_;
};

Result<void> ThreadedEngine::check(const TokenRequest& request, Nanos now) const {
  const ModelInfo& info = model_->info();
  BATON_TRY(validate(request, info));
  const uint32_t limit =
      Scheduler::answer_limit(scheduler_options_, request.prompt.size(), request.max_tokens);
  if (limit == 0) {
    const uint64_t most =
        std::min<uint64_t>(info.context_tokens, uint64_t{info.block_count} * kBlockTokens);
    Error error = client_error(Code::invalid_argument,
                               "the prompt has " + std::to_string(request.prompt.size()) +
                                   " tokens; prompt and answer together may have at most " +
                                   std::to_string(most),
                               "prompt");
    error.reason = "context_length_exceeded";
    return error;
  }
  if (request.deadline.passed(now)) {
    return client_error(Code::deadline_exceeded, "the deadline has passed");
  }
  return {};
}

Result<std::vector<std::shared_ptr<Mailbox>>> ThreadedEngine::submit_all(
    std::vector<TokenRequest> requests) {
  CHECK(!requests.empty());
  const Nanos now = clock_.now();
  for (const TokenRequest& request : requests) BATON_TRY(check(request, now));
  std::vector<Submission> submissions;
  std::vector<std::pair<std::shared_ptr<Channel>, SequenceId>> readers;
  for (TokenRequest& request : requests) {
    Submission submission;
    submission.id = next_id_.fetch_add(1, std::memory_order_relaxed);
    submission.arrival = now;
    submission.channel = std::make_shared<Channel>();
    submission.request = std::move(request);
    readers.emplace_back(submission.channel, submission.id);
    submissions.push_back(std::move(submission));
  }
  BATON_TRY(inbox_->submit(std::move(submissions)));
  std::vector<std::shared_ptr<Mailbox>> mailboxes;  // made now: dropping one cancels
  for (const auto& [channel, id] : readers) {
    mailboxes.push_back(std::make_shared<StreamMailbox>(channel, inbox_, id));
  }
  return mailboxes;
}

EngineStats ThreadedEngine::stats() const {
  EngineStats out;
  {
    const std::lock_guard lock(stats_mutex_);
    out = stats_;
  }
  out.draining = inbox_->draining();
  return out;
}

void ThreadedEngine::run() {
  for (;;) {
    Work work = inbox_->take(!scheduler_.idle());
    for (Submission& submission : work.submissions) admit(std::move(submission));
    for (SequenceId id : work.cancels) cancel(id);
    if (work.finish_all) end_all(*work.finish_all);
    if (work.stop) break;
    if (!scheduler_.idle()) step();
    publish();
  }
  end_all(self_error(Code::unavailable, "the engine is shutting down"));
  publish();
}

void ThreadedEngine::admit(Submission submission) {
  TokenRequest& request = submission.request;
  Live live;
  live.channel = std::move(submission.channel);
  live.epoch = request.epoch;
  live.choice = request.choice;
  live.seed = request.seed;
  live.sampling = std::move(request.sampling);
  live.generated = static_cast<uint32_t>(request.emitted.size());
  const Token last = request.emitted.empty() ? -1 : request.emitted.back();
  Demand demand;
  demand.end_tokens = end_tokens(live.sampling);
  const bool stopped = std::find(demand.end_tokens.begin(), demand.end_tokens.end(), last) !=
                       demand.end_tokens.end();
  const bool full =
      live.generated >=
      Scheduler::answer_limit(scheduler_options_, request.prompt.size(), request.max_tokens);
  live_.emplace(submission.id, std::move(live));
  if (counted_.failed) {
    return end_without_token(submission.id,
                             failed_ending(self_error(Code::unavailable, "the device is lost")));
  }
  // A replay whose last token was the last of all: only its ending was lost.
  if (last >= 0 && stopped) {
    return end_without_token(submission.id, {.finish = Finish::stop, .stop_token = last});
  }
  if (full) return end_without_token(submission.id, {.finish = Finish::length});
  demand.prompt = std::move(request.prompt);
  demand.emitted = std::move(request.emitted);
  demand.max_tokens = request.max_tokens;
  demand.priority = request.priority;
  demand.deadline = request.deadline;
  demand.cache_salt = request.cache_salt;
  demand.arrival = submission.arrival;
  Result<void> admitted = scheduler_.admit(submission.id, std::move(demand));
  if (admitted.ok()) return;
  end_without_token(submission.id, failed_ending(std::move(admitted).error()));
}

void ThreadedEngine::cancel(SequenceId id) {
  const auto departure = scheduler_.cancel(id);
  if (!departure) return;
  end_without_token(id, {.finish = Finish::cancelled, .cached_tokens = departure->cached_tokens});
}

void ThreadedEngine::step() {
  const Plan plan = scheduler_.plan(clock_.now());
  for (const Departure& late : plan.expired) {
    end_without_token(late.sequence,
                      {.finish = Finish::deadline, .cached_tokens = late.cached_tokens});
  }
  if (plan.slices.empty()) return;
  publish();  // a step may take long: the load must not be as old
  const std::vector<Slice> slices = make_slices(plan);
  model_->launch(slices, plan.fresh);
  Result<std::span<const Sampled>> collected = model_->collect();
  if (!collected.ok()) return fail(plan, collected.error());

  std::vector<SequenceId> asked;
  for (const PlannedSlice& slice : plan.slices) {
    if (slice.samples) asked.push_back(slice.sequence);
  }
  const std::span<const Sampled> sampled = *collected;
  if (sampled.size() != asked.size()) {
    return fail(plan, self_error(Code::internal, "the model answered another number of slices"));
  }
  const uint32_t vocab = model_->info().vocab_size;
  std::vector<Draw> draws;
  for (const Sampled& s : sampled) {
    const bool known = s.token >= 0 && static_cast<uint32_t>(s.token) < vocab;
    draws.push_back({s.token, s.valid && known});
  }
  const std::vector<Outcome> outcomes = scheduler_.commit(plan, draws);
  CHECK(outcomes.size() == asked.size());  // nothing is cancelled during a step
  for (size_t i = 0; i < outcomes.size(); ++i) deliver(outcomes[i], sampled[i]);
  ++counted_.steps;
  counted_.batch_largest =
      std::max(counted_.batch_largest, static_cast<uint32_t>(plan.slices.size()));
}

std::vector<Slice> ThreadedEngine::make_slices(const Plan& plan) const {
  std::vector<Slice> slices;
  slices.reserve(plan.slices.size());
  for (const PlannedSlice& planned : plan.slices) {
    Slice slice;
    slice.sequence = planned.sequence;
    slice.start = planned.start;
    slice.tokens = planned.tokens;
    slice.blocks = planned.blocks;
    if (planned.samples) {
      const Live& live = live_.at(planned.sequence);
      slice.sample = {&live.sampling, live.seed, live.choice, planned.prompt, planned.generated};
    }
    slices.push_back(slice);
  }
  return slices;
}

void ThreadedEngine::deliver(const Outcome& outcome, const Sampled& sampled) {
  if (outcome.finish == Finish::error) {
    const Error error = self_error(Code::internal, "the model gave no valid token at position " +
                                                       std::to_string(outcome.position));
    return end_without_token(outcome.sequence, failed_ending(error, outcome.cached_tokens));
  }
  const auto it = live_.find(outcome.sequence);
  CHECK(it != live_.end());
  TokenEvent event;
  event.epoch = it->second.epoch;
  event.position = outcome.position;
  event.token = outcome.token;
  event.logprob = sampled.logprob;
  event.top = sampled.top;
  event.cached_tokens = outcome.cached_tokens;
  it->second.generated = outcome.position + 1;
  if (outcome.finish) {
    Ending ending;
    ending.finish = *outcome.finish;
    if (ending.finish == Finish::stop) ending.stop_token = outcome.token;
    ending.cached_tokens = outcome.cached_tokens;
    ending.klass = model_->info().klass;
    event.ending = std::move(ending);
    ++counted_.finished[static_cast<size_t>(*outcome.finish)];
  }
  it->second.channel->push(std::move(event));
  if (outcome.finish) live_.erase(it);
}

void ThreadedEngine::end_without_token(SequenceId id, Ending ending) {
  const auto it = live_.find(id);
  CHECK(it != live_.end());
  ending.klass = model_->info().klass;
  ++counted_.finished[static_cast<size_t>(ending.finish)];
  TokenEvent event;
  event.epoch = it->second.epoch;
  event.position = it->second.generated;
  event.ending = std::move(ending);
  it->second.channel->push(std::move(event));
  live_.erase(it);
}

void ThreadedEngine::end_all(const Error& why) {
  std::vector<SequenceId> ids;
  for (const auto& [id, live] : live_) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  for (SequenceId id : ids) {
    const auto departure = scheduler_.cancel(id);
    end_without_token(id, failed_ending(why, departure ? departure->cached_tokens : 0));
  }
}

// The device is lost: every stream ends with the model's error, and nothing is accepted any more.
void ThreadedEngine::fail(const Plan& plan, const Error& why) {
  log::error("the model failed, no more work is accepted: {}", why.message);
  counted_.failed = true;
  inbox_->fail(self_error(Code::unavailable, "the device is lost: " + why.message));
  end_all(why);
  const auto asked = std::count_if(plan.slices.begin(), plan.slices.end(),
                                   [](const PlannedSlice& slice) { return slice.samples; });
  scheduler_.commit(plan, std::vector<Draw>(static_cast<size_t>(asked)));
  CHECK(scheduler_.idle());
}

void ThreadedEngine::publish() {
  const SchedulerLoad load = scheduler_.load();
  const SchedulerCounters& counters = scheduler_.counters();
  counted_.ready = !counted_.failed;
  counted_.running = load.running;
  counted_.waiting = load.waiting;
  counted_.blocks_total = load.blocks_total;
  counted_.blocks_free = load.blocks_free;
  counted_.prompt_tokens = counters.prompt_tokens;
  counted_.generated_tokens = counters.generated_tokens;
  counted_.prefix_query_tokens = counters.prefix_query_tokens;
  counted_.prefix_hit_tokens = counters.prefix_hit_tokens;
  counted_.preemptions = counters.preemptions;
  inbox_->publish_load(uint64_t{load.running} + load.waiting, load.retry_after_ms);
  const std::lock_guard lock(stats_mutex_);
  stats_ = counted_;
}

}  // namespace

Result<std::shared_ptr<Mailbox>> Engine::submit(TokenRequest request) {
  std::vector<TokenRequest> one;
  one.push_back(std::move(request));
  BATON_ASSIGN(std::vector<std::shared_ptr<Mailbox>> mailboxes, submit_all(std::move(one)));
  return std::move(mailboxes.front());
}

std::unique_ptr<Engine> Engine::start(std::unique_ptr<Model> model, const EngineOptions& options,
                                      const Clock& clock) {
  CHECK(model != nullptr);
  return std::make_unique<ThreadedEngine>(std::move(model), options, clock);
}

}  // namespace baton
